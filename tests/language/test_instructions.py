"""The target name is parsed from an instruction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds.kind_set import load_kind_set
from pickclutter_lang.language.instructions import (
    INSTRUCTION_TEMPLATES,
    instruction,
    parse_target_name,
    read_name,
    unread_words,
)
from pickclutter_lang.objects.catalog import Catalog, all_objects

NAMES = [
    *("lemon", "orange", "mug", "bowl", "bowling ball", "knife", "tomato", "dice", "rubik's cube", "gray box"),
    *("find the key", "cup", "cup, blue", "sign now hiring", '3" bolt', "mug on the left", "7 up"),
]


@pytest.mark.parametrize("template", INSTRUCTION_TEMPLATES)
def test_every_template_gives_the_name_back(template: str) -> None:
    for name in ("lemon", "rubik's cube", "master chef can", "blue cup of mine"):
        assert parse_target_name(template.format(name=name)) == name
        assert parse_target_name(template.format(name=name).upper()) == name.upper()
    for name in NAMES:  # whatever words a known name has
        assert parse_target_name(template.format(name=name), NAMES) == name


def test_instructions_are_sampled_from_all_templates() -> None:
    rng = np.random.default_rng(0)
    drawn = [instruction("power drill", rng) for _ in range(200)]
    assert set(drawn) == {instruction("power drill", n) for n in range(len(INSTRUCTION_TEMPLATES))}
    rng = np.random.default_rng(0)
    assert drawn == [instruction("power drill", rng) for _ in range(200)]
    for name, template in (("banana", -1), ("banana", len(INSTRUCTION_TEMPLATES)), (" ", 0)):
        with pytest.raises(InvalidArgumentError):
            instruction(name, template)


SAID = {
    "Pick up the Lemon": "lemon",
    "pick up the lemon and put it at the goal": "lemon",
    "grab the salt and pepper mill please": "salt and pepper mill",
    "Grab the Cup, Blue now": "cup, blue",
    "can you get me the cup, please?": "cup",
    "Could you please get me a striped mug, thanks": "striped mug",
    "Robot: go get the mug": "mug",
    "I\u2019d like the mug": "mug",
    "pick up the mug lying on the table": "mug",
    "give me the red one": "red one",
    "pick up the forget-me-not mug": "forget-me-not mug",
    "pick up the gray mug": "grey mug",
    "is there a red and orange mug": "red and orange mug",
    "get the arm to pick the lemon": "lemon",
    "the mug with a handle": "mug with a handle",
    "pick up the orange and white mug": "orange and white mug",
    "pick up the red one over there": "red one",
    "why don't you pick up the mug": "mug",
    "hand me the to-go mug": "to-go mug",
    "give me the mug which is gray from the table, please": "grey mug",
    "where did I put the rubik's cube again": "rubik's cube",
}


@pytest.mark.parametrize(("text", "name"), SAID.items())
def test_people_say_it_in_other_words(text: str, name: str) -> None:
    assert parse_target_name(text, NAMES) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [("mugs", "mug"), ("the red mugs", "red mug"), ("knives", "knife"), ("tomatoes", "tomato"), ("tomatos", "tomato")],
)
def test_a_plural_is_the_name(text: str, name: str) -> None:
    assert read_name(text, NAMES) == parse_target_name(f"pick up {text}", NAMES) == name


REFUSED = [
    *("pick up the mug on the right", "the bowl next to the lemon", "the thing behind the bowl", "leftmost mug"),
    *("the orange and the lemon", "mug from the bowl", "two mugs", "mug or bowl", "the mug, the kettle"),
    *("don't pick up the mug", "leave the mug", "no, not the mug", "stop the stop sign", "stop picking", "red " * 200),
    *("no mug", "the object that is not a mug", "everything but the mug", "anything except the red mug"),
    *("not the red one", "the mug, but not the red one", "a unicorn that isn't red", "the non-red mug", "no unicorn"),
    *("the mug without a handle", "anything but a unicorn", "neither of the mugs", "no name can"),
    *(
        "the left mug",
        "right mug",
        "the left unicorn",
        "the left one",
        "the top bowl",
        "the other mug",
        "the teapot left of it",
    ),
    *(
        "the unicorn on the left",
        "the mug on top",
        "the unicorn behind it",
        "the nearest unicorn",
        "a mug, on the left",
    ),
    *(
        "the big box",
        "big red ball",
        "the biggest unicorn",
        "the smaller one",
        "small mug with a handle",
        "reddest mug",
    ),
]


@pytest.mark.parametrize("text", REFUSED)
def test_places_several_objects_and_negations_are_refused(text: str) -> None:
    for read in (parse_target_name, read_name):
        with pytest.raises(InvalidArgumentError):
            read(text, NAMES)
        assert read(text, [*NAMES, text]) == text  # where it is a name


@pytest.mark.parametrize(
    "text", ["left-handed scissors", "notebook", "big ben", "laptop", "forget-me-not", "non-stick pan"]
)
def test_a_name_may_contain_such_a_word(text: str) -> None:
    assert read_name(text, NAMES) == parse_target_name(f"pick up the {text} right now", NAMES) == text


def test_words_of_an_objects_catalog_are_known_where_they_are_given() -> None:
    items = [
        replace(item, name=name)
        for item, name in zip(all_objects(), ("large bowl", "lemon", "no name can"), strict=False)
    ]
    unread = unread_words(Catalog(items))
    assert {"large bowl", "no name can"} <= {*unread} and not unread_words(all_objects())
    for name in ("large bowl", "no name can"):
        assert parse_target_name(f"grab the {name}, please", [*NAMES, *unread]) == name


def test_the_packages_words_are_read_as_they_are() -> None:
    items = [*load_kind_set().catalog, *all_objects()]
    words = {word for item in items for word in (item.name, *item.synonyms, item.category, *item.hypernyms)}
    names = [item.name for item in items]
    for word in words:
        for known in (names, ()):
            assert read_name(word, known) == read_name(f"the {word}", known) == word
            assert parse_target_name(f"pick up the {word}", known) == word
