"""Captions: every phrase is true of what it was drawn for, and false of what contradicts it."""

from __future__ import annotations

import numpy as np
import pytest

from pickclutter_lang.language.captions import (
    Caption,
    Predicate,
    absent_caption,
    attribute_caption,
    caption_truth,
    named_object_caption,
    named_scene_caption,
    object_caption,
    scene_caption,
    with_article,
)
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict, attributes_of, noun_tags
from pickclutter_lang.objects.catalog import paper_catalog

THINGS = {item.name: attributes_of(item) for item in paper_catalog()}
CONE = attributes_from_dict(
    {"shape": "cone", "category": "toy", "colours": ["red", "white"], "pattern": "striped", "material": "wooden"}
)


def things(*names: str) -> list[ObjectAttributes]:
    return [THINGS[name] for name in names]


def tagged(*tags: str, low: int = 1, high: int | None = None) -> Caption:
    return Caption("", (Predicate(frozenset(tags), low, high),))


@pytest.mark.parametrize("seed", range(3))
def test_object_phrases_are_true_of_their_thing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for thing in [*THINGS.values(), CONE]:
        phrases = [object_caption(thing, rng) for _ in range(30)] + [attribute_caption(thing, rng) for _ in range(30)]
        assert caption_truth(phrases, [[thing]]).all()
        assert all(p.text and "  " not in p.text and "{" not in p.text for p in phrases)


@pytest.mark.parametrize("seed", range(5))
def test_scene_phrases_are_true_of_their_scene(seed: int) -> None:
    rng = np.random.default_rng(seed)
    everything = list(THINGS.values())
    for _ in range(60):
        content = [everything[n] for n in rng.choice(26, rng.integers(1, 11), replace=False)]
        assert caption_truth([scene_caption(content, everything, rng)], [content]).all()


def test_names_tell_all_objects_apart() -> None:
    rng = np.random.default_rng(0)
    everything = list(THINGS.values())
    found = caption_truth([named_object_caption(t, rng) for t in everything], [[t] for t in everything])
    assert (found == np.eye(26, dtype=bool)).all()


def test_absence_is_the_opposite_of_presence() -> None:
    rng = np.random.default_rng(0)
    scenes = [things("banana", "apple"), things("apple"), things("dice", "fork", "banana")]
    there = caption_truth([named_scene_caption(THINGS["banana"], rng)], scenes)
    absent = caption_truth([absent_caption(THINGS["banana"], rng)], scenes)
    assert there[:, 0].tolist() == [True, False, True]
    assert (there != absent).all()


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        (tagged("color:yellow"), [True, True, False]),
        (tagged("color:yellow", "shape:curved"), [True, False, False]),
        (tagged("category:fruit", low=2, high=2), [True, False, False]),
        (tagged("category:fruit", low=0, high=0), [False, False, True]),
        (tagged(low=2, high=2), [True, False, True]),
        (tagged("shape:round"), [True, False, True]),
        (tagged("material:metal"), [False, False, True]),
    ],
)
def test_clauses_count_what_has_all_tags(phrase: Caption, expected: list[bool]) -> None:
    scenes = [things("banana", "apple"), things("lemon"), things("golf ball", "hammer")]
    assert caption_truth([phrase], scenes)[:, 0].tolist() == expected


def test_clauses_of_a_phrase_must_all_hold() -> None:
    both = Caption("", (Predicate(frozenset({"name:banana"})), Predicate(frozenset({"name:apple"}), 0, 0)))
    assert caption_truth([both], [things("banana"), things("banana", "apple"), things("pear")])[:, 0].tolist() == [
        True,
        False,
        False,
    ]


def test_match_of_nothing() -> None:
    assert caption_truth([], [things("banana")]).shape == (1, 0)
    assert caption_truth([tagged("name:banana")], [[]]).tolist() == [[False]]


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
    found = {n for n, thing in THINGS.items() if noun_tags(noun, name) <= thing.tags}
    assert found == true_of


def test_procedural_things_share_words_with_the_catalogue() -> None:
    ball = attributes_from_dict(
        {"shape": "ball", "category": "toy", "colours": ["green"], "pattern": "plain", "material": "cloth"}
    )
    assert caption_truth([tagged("category:ball", "color:green")], [[ball], things("tennis ball")]).all()
    assert {"material:wood", "pattern:striped", "color:white", "shape:conical"} <= CONE.tags
    rng = np.random.default_rng(0)
    texts = " ".join(object_caption(CONE, rng).text for _ in range(200))
    assert {"cone", "striped", "red", "white", "wood"} <= set(texts.split())
    assert not {"toy", "wooden"} & set(texts.split())


def test_same_generator_same_captions() -> None:
    def draw(seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return [scene_caption(things("banana", "fork"), list(THINGS.values()), rng).text for _ in range(20)]

    assert draw(1) == draw(1) != draw(2)


@pytest.mark.parametrize(("noun", "expected"), [("apple", "an apple"), ("banana", "a banana"), ("orange", "an orange")])
def test_articles(noun: str, expected: str) -> None:
    assert with_article(noun) == expected
