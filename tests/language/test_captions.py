"""Captions are true of the objects they were sampled for, and false of contents that contradict them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from pickclutter_lang.kinds import all_kinds, find_kinds
from pickclutter_lang.language.captions import (
    Caption,
    Predicate,
    _count_caption,
    attribute_caption,
    attribute_prompt,
    attribute_words,
    caption_truth,
    object_caption,
    scene_caption,
)
from pickclutter_lang.language.object_attributes import (
    ObjectAttributes,
    attributes_of,
    attributes_of_instance,
    noun_tags,
)
from pickclutter_lang.objects.catalog import all_objects, paper_catalog

OBJECTS = {item.name: attributes_of(item) for item in paper_catalog()}


def objects(*names: str) -> list[ObjectAttributes]:
    return [OBJECTS[name] for name in names]


def tagged(*tags: str, low: int = 1, high: int | None = None) -> Caption:
    return Caption("", (Predicate(frozenset(tags), low, high),))


@pytest.mark.parametrize("seed", range(2))
def test_object_captions_are_true_of_their_object(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for item in [*OBJECTS.values(), instance("mug")]:
        captions = [object_caption(item, rng) for _ in range(30)] + [attribute_caption(item, rng) for _ in range(30)]
        assert caption_truth(captions, [[item]]).all()
        assert all(p.text and "  " not in p.text and "{" not in p.text for p in captions)


@pytest.mark.parametrize("seed", range(2))
def test_scene_captions_are_true_of_their_scene(seed: int) -> None:
    rng = np.random.default_rng(seed)
    all_objects = list(OBJECTS.values())
    for _ in range(60):
        content = [all_objects[n] for n in rng.choice(26, rng.integers(1, 11), replace=False)]
        assert caption_truth([scene_caption(content, all_objects, rng)], [content]).all()


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        (tagged("color:yellow"), [True, True, False]),
        (tagged("color:yellow", "shape:curved"), [True, False, False]),
        (tagged("category:fruit", low=2, high=2), [True, False, False]),
        (tagged("category:fruit", low=0, high=0), [False, False, True]),
        (tagged(low=2, high=2), [True, False, True]),
        (tagged("material:metal"), [False, False, True]),
        (Caption("", (*tagged("name:banana").predicates, *tagged("name:lemon", low=0, high=0).predicates)), [1, 0, 0]),
    ],
)
def test_predicates_count_objects_with_all_tags(caption: Caption, expected: list[bool]) -> None:
    scenes = [objects("banana", "apple"), objects("lemon"), objects("golf ball", "hammer")]
    assert caption_truth([caption], scenes)[:, 0].tolist() == expected


@pytest.mark.parametrize(
    ("noun", "name", "true_of"),
    [
        ("yellow fruit", "banana", {"banana", "lemon", "pear"}),
        ("small white ball", "golf ball", {"golf ball"}),
        ("screwdriver", "phillips screwdriver", {"phillips screwdriver"}),
        ("orange", "orange", {"orange"}),
    ],
)
def test_synonyms_are_true_of_the_right_objects(noun: str, name: str, true_of: set[str]) -> None:
    found = {n for n, item in OBJECTS.items() if noun_tags(noun, name) <= item.tags}
    assert found == true_of


def instance(name: str) -> ObjectAttributes:
    (kind,) = find_kinds([name])
    return attributes_of_instance(kind.words(0, kind.instance(0)))


@pytest.mark.parametrize(
    ("name", "word"),
    [("cucumber", "can"), ("book", "box"), ("cupcake", "cup")],
)
def test_a_shape_makes_no_category_of_what_has_one(name: str, word: str) -> None:
    assert f"category:{word}" not in instance(name).tags
    own = paper_catalog().find("master chef can")
    assert "category:can" in attributes_of(own).tags
    assert "category:can" not in attributes_of(replace(own, category="")).tags


def test_a_prompt_of_one_attribute_has_one_meaning() -> None:
    kinds = [instance(kind.name) for kind in all_kinds()]
    words = attribute_words([*(attributes_of(item) for item in all_objects()), *kinds])
    prompts = [attribute_prompt(kind, word, n) for kind in words for word in words[kind] for n in range(12)]
    meaning: dict[str, Predicate] = {}
    names = {f"{article}{item.name}" for item in [*kinds, *OBJECTS.values()] for article in ("a ", "an ")}
    for text, (predicate,) in ((prompt.text, prompt.predicates) for prompt in prompts):
        assert meaning.setdefault(text, predicate) == predicate, text
        assert text not in names or predicate.tags <= {f"category:{text.split(maxsplit=1)[1]}"}, text


@pytest.mark.parametrize(
    ("noun", "one", "two"),
    [
        ("berry", "one berry", "two berries"),
        ("brush", "one brush", "two brushes"),
        ("electronics", "one piece of electronics", "two pieces of electronics"),
    ],
)
def test_nouns_are_counted(noun: str, one: str, two: str) -> None:
    item = ObjectAttributes(frozenset({f"category:{noun}"}), noun, category=noun)
    for count, expected in ((1, one), (2, two)):
        rng = np.random.default_rng(0)
        texts = {_count_caption([item] * count, rng).text for _ in range(40)}
        assert any(re.search(rf"\b{expected}\b", text) for text in texts), texts
        assert len({text for text in texts if noun[:4] in text}) == 4
