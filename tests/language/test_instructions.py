"""The target name is parsed from an instruction."""

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES, parse_target_name, read_name


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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("please pick up the red mug", "red mug"),
        ("Could you please get me a striped mug, thanks", "striped mug"),
        ("hand me that red mug.", "red mug"),
        ("I want the mug", "mug"),
        ("pick the mug up", "mug"),
        ("pick up the mug from the table", "mug"),
        ("grab my mug gently", "mug"),
        ("give me the red one", "red one"),
        ("the red one", "red one"),
        ("get the yellow fruit", "yellow fruit"),
        ("pick up the gray mug", "grey mug"),
        ("take the mugs", "mug"),
        ("pick up the Rubik\u2019s cube", "rubik's cube"),
        ("rubiks cube", "rubik's cube"),
        ("is there a red mug", "red mug"),
        ("get the arm to pick the lemon", "lemon"),
        ("lift the all purpose cleaner", "all purpose cleaner"),
        ("pick up the salt and pepper mill", "salt and pepper mill"),
        ("pick up the gray box", "gray box"),
    ],
)
def test_people_say_it_in_other_words(text: str, name: str) -> None:
    assert parse_target_name(text, ["lemon", "mug", "bowl", "rubik's cube", "gray box"]) == name


@pytest.mark.parametrize(
    "text",
    [
        "pick up the mug on the left",
        "the bowl next to the lemon",
        "two mugs",
        "the mug and the red bowl",
        "mug or bowl",
    ],
)
def test_places_and_several_objects_are_refused(text: str) -> None:
    names = ["mug", "bowl"]
    for read in (parse_target_name, read_name):
        with pytest.raises(InvalidArgumentError, match="expected one object, by what it is, but got"):
            read(text, names)
    assert read_name(text, [*names, text]) == text  # where it is a name


def test_a_name_alone_is_not_searched_for_known_ones() -> None:
    names = ["mug", "cup, blue"]
    read = {text: read_name(text, names) for text in ("mug tree", "the mug", "a mug, please", "The Cup, Blue", "?", "")}
    assert list(read.values()) == ["mug tree", "mug", "mug", "cup, blue", "?", ""]
    assert parse_target_name("mug tree", names) == "mug"


def test_an_error_shows_some_names() -> None:
    with pytest.raises(InvalidArgumentError, match=r"in it \(n0, .*, n9, \.\.\.\), but got 'hello'"):
        parse_target_name("hello", [f"n{k}" for k in range(200)])
