"""Captions: every phrase is true of what it was drawn for, and false of what contradicts it."""

from __future__ import annotations

import numpy as np
import pytest

from pickclutter_lang.language.captions import (
    Clause,
    Phrase,
    absent_phrase,
    attribute_phrase,
    match,
    named_object_phrase,
    named_scene_phrase,
    object_phrase,
    scene_phrase,
    with_article,
)
from pickclutter_lang.language.things import Thing, meaning_of_noun, thing_of, thing_of_words
from pickclutter_lang.objects.catalogue import paper_catalogue

THINGS = {item.name: thing_of(item) for item in paper_catalogue()}
CONE = thing_of_words(
    {"shape": "cone", "category": "toy", "colours": ["red", "white"], "pattern": "striped", "material": "wooden"}
)


def things(*names: str) -> list[Thing]:
    return [THINGS[name] for name in names]


def tagged(*tags: str, low: int = 1, high: int | None = None) -> Phrase:
    return Phrase("", (Clause(frozenset(tags), low, high),))


@pytest.mark.parametrize("seed", range(3))
def test_object_phrases_are_true_of_their_thing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for thing in [*THINGS.values(), CONE]:
        phrases = [object_phrase(thing, rng) for _ in range(30)] + [attribute_phrase(thing, rng) for _ in range(30)]
        assert match(phrases, [[thing]]).all()
        assert all(p.text and "  " not in p.text and "{" not in p.text for p in phrases)


@pytest.mark.parametrize("seed", range(5))
def test_scene_phrases_are_true_of_their_scene(seed: int) -> None:
    rng = np.random.default_rng(seed)
    everything = list(THINGS.values())
    for _ in range(60):
        content = [everything[n] for n in rng.choice(26, rng.integers(1, 11), replace=False)]
        assert match([scene_phrase(content, everything, rng)], [content]).all()


def test_names_tell_all_objects_apart() -> None:
    rng = np.random.default_rng(0)
    everything = list(THINGS.values())
    found = match([named_object_phrase(t, rng) for t in everything], [[t] for t in everything])
    assert (found == np.eye(26, dtype=bool)).all()


def test_absence_is_the_opposite_of_presence() -> None:
    rng = np.random.default_rng(0)
    scenes = [things("banana", "apple"), things("apple"), things("dice", "fork", "banana")]
    there = match([named_scene_phrase(THINGS["banana"], rng)], scenes)
    absent = match([absent_phrase(THINGS["banana"], rng)], scenes)
    assert there[:, 0].tolist() == [True, False, True]
    assert (there != absent).all()


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        (tagged("colour:yellow"), [True, True, False]),
        (tagged("colour:yellow", "shape:curved"), [True, False, False]),
        (tagged("category:fruit", low=2, high=2), [True, False, False]),
        (tagged("category:fruit", low=0, high=0), [False, False, True]),
        (tagged(low=2, high=2), [True, False, True]),
        (tagged("shape:round"), [True, False, True]),
        (tagged("material:metal"), [False, False, True]),
    ],
)
def test_clauses_count_what_has_all_tags(phrase: Phrase, expected: list[bool]) -> None:
    scenes = [things("banana", "apple"), things("lemon"), things("golf ball", "hammer")]
    assert match([phrase], scenes)[:, 0].tolist() == expected


def test_clauses_of_a_phrase_must_all_hold() -> None:
    both = Phrase("", (Clause(frozenset({"name:banana"})), Clause(frozenset({"name:apple"}), 0, 0)))
    assert match([both], [things("banana"), things("banana", "apple"), things("pear")])[:, 0].tolist() == [
        True,
        False,
        False,
    ]


def test_match_of_nothing() -> None:
    assert match([], [things("banana")]).shape == (1, 0)
    assert match([tagged("name:banana")], [[]]).tolist() == [[False]]


@pytest.mark.parametrize(
    ("noun", "name", "true_of"),
    [
        ("yellow fruit", "banana", {"banana", "lemon", "pear"}),
        ("red apple", "apple", {"apple"}),
        ("small white ball", "golf ball", {"golf ball"}),
        ("screwdriver", "phillips screwdriver", {"phillips screwdriver"}),
        ("orange", "orange", {"orange"}),
    ],
)
def test_synonyms_mean_what_they_say(noun: str, name: str, true_of: set[str]) -> None:
    found = {n for n, thing in THINGS.items() if meaning_of_noun(noun, name) <= thing.tags}
    assert found == true_of


def test_procedural_things_share_words_with_the_catalogue() -> None:
    ball = thing_of_words(
        {"shape": "ball", "category": "toy", "colours": ["green"], "pattern": "plain", "material": "cloth"}
    )
    assert match([tagged("category:ball", "colour:green")], [[ball], things("tennis ball")]).all()
    assert {"material:wood", "pattern:striped", "colour:white", "shape:conical"} <= CONE.tags
    rng = np.random.default_rng(0)
    texts = " ".join(object_phrase(CONE, rng).text for _ in range(200))
    assert {"cone", "striped", "red", "white", "wood"} <= set(texts.split())
    assert not {"toy", "wooden"} & set(texts.split())


def test_same_generator_same_captions() -> None:
    def draw(seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return [scene_phrase(things("banana", "fork"), list(THINGS.values()), rng).text for _ in range(20)]

    assert draw(1) == draw(1) != draw(2)


@pytest.mark.parametrize(("noun", "expected"), [("apple", "an apple"), ("banana", "a banana"), ("orange", "an orange")])
def test_articles(noun: str, expected: str) -> None:
    assert with_article(noun) == expected
