"""Which object an instruction names."""

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES, parse_target_name


@pytest.mark.parametrize("phrasing", INSTRUCTION_TEMPLATES)
def test_the_name_is_read_out_of_every_phrasing(phrasing):
    for name in ("lemon", "rubik's cube", "master chef can", "blue cup of mine"):
        assert parse_target_name(phrasing.format(name=name)) == name
        assert parse_target_name(phrasing.format(name=name).upper()) == name.upper()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Pick up the Lemon", "lemon"),
        ("pick up the lemon, please", "lemon"),
        ("grab the lemon now", "lemon"),
        ("pick up the lemon and put it at the goal", "lemon"),
        ("pick up the lemon squeezer", "lemon squeezer"),
        ("grab the salt and pepper mill please", "salt and pepper mill"),
    ],
)
def test_the_name_ends_where_other_words_begin(text, name):
    assert parse_target_name(text, ["lemon", "tennis ball"]) == name


def test_other_texts_are_searched_for_known_names():
    assert parse_target_name("where did I put the rubik's cube again", ["cube", "rubik's cube"]) == "rubik's cube"
    with pytest.raises(InvalidArgumentError, match=r"pick up the banana.*lemon.*but got 'hello'"):
        parse_target_name("hello", ["lemon"])
