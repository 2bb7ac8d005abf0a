"""What the instructions of suites ask for: which object, in which words, and what is right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.instructions import (
    _UNRELATED,
    KINDS,
    SUITES,
    Pile,
    draw_instruction,
    typed_instruction,
)
from pickclutter_lang.kinds.kind_set import load_kind_set
from pickclutter_lang.language.instructions import parse_target_name
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.utils.words import counted

CATALOG = paper_catalog()


def pile(*names: str) -> Pile:
    objects = tuple(CATALOG.find(name) for name in names)
    return Pile(objects, objects[:-1], tuple(item for item in CATALOG if item not in objects), tuple(CATALOG))


ABSENT_WORDS = ("absent_category", "absent_color_category", "absent_description")


def kinds_pile(*names: str) -> Pile:
    """A pile of kinds, with no instance made."""
    labels = load_kind_set().catalog
    objects = tuple(labels.find(name) for name in names)
    return Pile(objects, objects, tuple(item for item in labels if item not in objects), tuple(labels))


def test_all_kinds_of_a_pile_are_about_one_object() -> None:
    here = pile("banana", "lemon", "strawberry", "fork", "hammer")
    here_names = [item.name for item in here.objects]
    for seed in range(20):
        asked = {kind: draw_instruction(kind, here, seed) for kind in KINDS}
        target = asked["named"].target
        assert {one.reference for one in asked.values()} == {target} and target != "hammer"  # which is hidden
        assert all(asked[kind].expected == (target,) for kind in ("named", "paraphrase", "synonym", "misspelling"))
        assert asked["other"].expected == (asked["other"].target,) and asked["other"].target != target
        assert all(asked[kind].expected == () for kind in ("absent", "foreign", "unrelated", "blank"))
        assert asked["absent"].target not in here_names
        assert asked["blank"].text == "" and parse_target_name(asked["paraphrase"].text, CATALOG.names) == target
        said = parse_target_name(asked["misspelling"].text)
        assert said != target and sorted(said) == sorted(target)
        assert parse_target_name(asked["synonym"].text) in CATALOG.find(target).synonyms
        assert parse_target_name(asked["foreign"].text) not in CATALOG.names
        color = parse_target_name(asked["color"].text).removesuffix(" one")
        right = {item.name for item in here.objects if color in item.colors}
        assert set(asked["color"].expected) == right and asked["color"].target in right
        word = parse_target_name(asked["category"].text)
        assert set(asked["category"].expected) == {item.name for item in here.objects if counted(item.category) == word}
        color, word = parse_target_name(asked["color_category"].text).split(" ", 1)
        assert all(asked[kind].expected == () and asked[kind].target not in here_names for kind in ABSENT_WORDS)
        assert parse_target_name(asked["absent_category"].text) not in {"fruit", "food", "tool", "tableware"}
        said = parse_target_name(asked["absent_color_category"].text)
        assert said not in {"yellow fruit", "red fruit", "red tableware", "brown tool"}
        assert said.split(" ", 1)[0] in CATALOG.find(asked["absent_color_category"].target).colors
        said = parse_target_name(asked["absent_description"].text)
        assert said in CATALOG.find(asked["absent_description"].target).description
        assert not any(said in item.description for item in here.objects)
        right = {item.name for item in here.objects if item.category == CATALOG.find(target).category}
        assert set(asked["target_category"].expected) == right and asked["target_category"].target == target
        right = {item.name for item in here.objects if color in item.colors and item.category == word}
        assert set(asked["color_category"].expected) == right and asked["color_category"].target == target in right
        assert parse_target_name(asked["description"].text) in CATALOG.find(target).description
        assert asked["description"].expected == (target,)
        assert asked == {kind: draw_instruction(kind, here, seed) for kind in asked}
    assert {kind for kinds in SUITES.values() for kind in kinds} == {"drawn", *KINDS}


def test_wider_and_shorter_words_are_true_too() -> None:
    """A fork is tableware, a cleaning tool a tool, a mini soccer ball a toy: none of them is absent, each is right."""
    here = pile("fork", "sponge", "mini soccer ball", "hammer", "bowl", "power drill")
    for seed in range(200):
        said = {kind: parse_target_name(draw_instruction(kind, here, seed).text) for kind in ABSENT_WORDS}
        assert said["absent_category"] not in {"tool", "toy", "piece of tableware", "ball", "piece of cutlery"}
        wrong = {"red tableware", "red cutlery", "white toy", "white ball", "yellow tool", "green tool", "orange tool"}
        assert said["absent_color_category"] not in wrong
        asked = draw_instruction("target_category", here, seed)
        word = parse_target_name(asked.text)
        if word in ("tool", "piece of tableware"):
            right = {"tool": {"sponge", "hammer", "power drill"}, "piece of tableware": {"fork", "bowl"}}[word]
            assert set(asked.expected) == right


def test_names_beyond_the_labels_are_not_true_of_the_pile() -> None:
    """A red mug may be called a red cup, and a clamp a medium one; neither is a blue cup or a sugar box."""
    labels = load_kind_set().catalog
    red = replace(labels.find("mug"), colors=("red",))
    here = kinds_pile("fork", "clamp", "soup can")
    here = replace(here, objects=(*here.objects[1:], red))
    said = {parse_target_name(draw_instruction("foreign", here, seed).text) for seed in range(400)}
    assert not said & {"red cup", "medium clamp", "extra large clamp"} and {"blue cup", "sugar box"} <= said
    among = replace(here, objects=here.objects[:2], distractors=(replace(red, colors=()),))
    said = {parse_target_name(draw_instruction("foreign", among, seed).text) for seed in range(400)}
    assert not any(name.endswith(" cup") for name in said)  # nobody says which color it has


def test_a_category_is_every_hypernym() -> None:
    here = kinds_pile("whisk", "hammer", "lemon", "fork")
    found = {}
    for seed in range(100):
        asked = draw_instruction("category", here, seed)
        found[asked.text] = set(asked.expected)
        assert asked.target in asked.expected
    assert found["pick up a tool"] == {"whisk", "hammer"} and found["pick up a kitchen tool"] == {"whisk"}
    assert found["pick up a fruit"] == {"lemon"} and found["pick up a piece of cutlery"] == {"fork"}


@pytest.mark.parametrize(
    ("typed", "reference", "target", "expected"),
    [
        ("Lemon!", "lemon", "lemon", ("lemon",)),
        ("Hammer.", "hammer", "hammer", ()),
        ("Mug please", "Mug", None, ()),
    ],
)
def test_a_typed_name_is_the_one_that_the_policy_reads(
    typed: str, reference: str, target: str | None, expected: tuple[str, ...]
) -> None:
    here = pile("banana", "lemon", "fork")
    known = [item.name for item in (*here.objects, *here.absent)]
    asked = typed_instruction(typed, (), here)
    assert asked.text == f"pick up the {typed}" and asked.reference == reference and asked.expected == expected
    assert asked.reference == parse_target_name(asked.text, known)
    assert asked.target == (target or here.absent[0].name)
    assert typed_instruction("left mug", ["left mug"], here).reference == "left mug"  # which was taught


def test_what_a_pile_cannot_ask_for_is_refused() -> None:
    here = kinds_pile("mug", "fork")
    assert draw_instruction("other", here, 0).expected
    assert typed_instruction("mug", (), replace(here, absent=())).expected == ("mug",)
    taken = replace(here, labels=(*here.labels, replace(here.objects[0], synonyms=_UNRELATED)))
    silent = replace(here, objects=(*here.objects, replace(CATALOG.find("pear"), category="", description="")))
    wrong = [("named", replace(here, absent=())), ("named", kinds_pile("mug")), ("unrelated", taken)]
    for kind, few in [*wrong, *((kind, silent) for kind in ABSENT_WORDS)]:
        with pytest.raises(InvalidArgumentError):
            draw_instruction(kind, few, 0)
    with pytest.raises(InvalidArgumentError, match="kinds"):
        typed_instruction("spoon", (), replace(here, absent=()))
