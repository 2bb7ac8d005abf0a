"""The target name is parsed from an instruction."""

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES, parse_target_name


@pytest.mark.parametrize("template", INSTRUCTION_TEMPLATES)
def test_every_template_gives_the_name_back(template: str) -> None:
    for name in ("lemon", "rubik's cube", "master chef can", "blue cup of mine"):
        assert parse_target_name(template.format(name=name)) == name
        assert parse_target_name(template.format(name=name).upper()) == name.upper()


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
def test_the_name_ends_where_other_words_begin(text: str, name: str) -> None:
    assert parse_target_name(text, ["lemon", "tennis ball"]) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pick up the cup, blue", "cup, blue"),
        ("Grab the Cup, Blue now", "cup, blue"),
        ("can you get me the cup, please?", "cup"),
        ("lift the sign now hiring and put it away", "sign now hiring"),
        ("lift the sign now", "sign"),
        ("lift the bell, small", "bell"),
    ],
)
def test_a_known_name_is_not_cut(text: str, name: str) -> None:
    assert parse_target_name(text, ["cup", "cup, blue", "sign now hiring"]) == name


def test_other_texts_are_searched_for_known_names() -> None:
    assert parse_target_name("where did I put the rubik's cube again", ["cube", "rubik's cube"]) == "rubik's cube"
    with pytest.raises(InvalidArgumentError, match=r"pick up the banana.*lemon.*but got 'hello'"):
        parse_target_name("hello", ["lemon"])
