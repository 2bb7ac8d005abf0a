"""Held-out names with a color or material: which they are, that no training image shows one, how they are evaluated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pickclutter_lang.datasets.object_views import ObjectViewDataset, write_object_views
from pickclutter_lang.datasets.transforms.crops import random_occluders
from pickclutter_lang.language.captions import Caption
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict
from pickclutter_lang.objects.kinds import find_kinds
from pickclutter_lang.teacher_training.compositions import (
    LEAST_WORDS,
    Composition,
    composition,
    compositions,
    held_out_compositions,
    held_out_phrases,
    shown_compositions,
    untold,
)
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.encoded_views import EncodedViews, confusions
from pickclutter_lang.teacher_training.kind_probes import composition_accuracy, negation_accuracy
from pickclutter_lang.teacher_training.provenance import run_signature
from pickclutter_lang.teacher_training.render_batches import RenderBatchSampler
from pickclutter_lang.teacher_training.render_sources import ObjectViews

KINDS = ("mug", "bowl", "banana")
OF_MANY_MATERIALS = ("whisk", "can opener", "rolling pin")


def write_views(folder: Path, seeds: range, kinds: Sequence[str] = KINDS) -> Path:
    """Write a view of each instance of some kinds: two of many colors and one of few."""
    objects = [kind.words(seed, kind.instance(seed)) for kind in find_kinds(kinds) for seed in seeds]
    shape = len(objects), 16, 16
    index = np.arange(len(objects), dtype=np.int32)
    write_object_views(
        folder, np.zeros((*shape, 3), np.uint8), np.ones(shape, bool), index, objects, {"objects": "kinds"}
    )
    return folder


def test_one_of_ten_compositions_of_varied_kinds_is_held_out(tmp_path: Path) -> None:
    store = ObjectViewDataset.open(write_views(tmp_path, range(60), (*KINDS, *OF_MANY_MATERIALS)))
    shown = shown_compositions([store])
    items = [attributes_from_dict(row) for row in store.objects]
    assert shown == {composition(item, attribute) for item in items for attribute in LEAST_WORDS} - {None}
    held_out = held_out_compositions(shown)
    for attribute, least in LEAST_WORDS.items():
        of_attribute = {pair for pair in held_out if pair.attribute == attribute}
        others = {pair for pair in shown if pair.attribute == attribute} - of_attribute
        assert 1 <= len(of_attribute) <= len(others) / 6
        for name in {pair.name for pair in of_attribute}:  # each name has other words to be learned from
            assert len({pair.word for pair in shown if pair[:2] == (name, attribute)}) >= least
        assert {pair.name for pair in of_attribute} <= {pair.name for pair in others}
    assert Composition("banana", "color", "yellow") in shown - held_out


def test_views_of_held_out_compositions_are_not_trained_on(tmp_path: Path) -> None:
    folder = str(write_views(tmp_path, range(60), (*KINDS, *OF_MANY_MATERIALS)))
    everything, views = ObjectViews.load([folder]), ObjectViews.load([folder], hold_out=True)
    assert {pair.attribute for pair in views.held_out} == {"color", "material"}
    assert not any(views.held_out & compositions(item) for item in views.objects)
    left_out = [item for item in everything.objects if views.held_out & compositions(item)]
    assert len(everything.objects) - len(views.objects) == len(left_out) > 0
    assert everything.held_out == frozenset()


@pytest.mark.parametrize(
    ("kind", "attribute", "word"), [("bowling pin", "color", "white"), ("whisk", "material", "plastic")]
)
def test_no_caption_tells_a_held_out_pair(tmp_path: Path, kind: str, attribute: str, word: str) -> None:
    """Neither a true caption, nor one of a color that may be false, nor the words: "a white club", "a white stripe"."""
    folder = str(write_views(tmp_path, range(60), ("mug", "bowl", "bowling pin", "whisk")))

    def captions(hold_out: bool) -> tuple[RenderBatchSampler, list[Caption]]:
        views = ObjectViews.load([folder], hold_out=hold_out)
        config = TeacherTrainConfig(views=[folder], out=str(tmp_path / "out"))
        sampler, rng = RenderBatchSampler(None, views, config, 32), np.random.default_rng(0)
        return sampler, [c for _ in range(20) for c in sampler._object_captions(views.objects, 0, rng)[0]]

    sampler, without = captions(hold_out=True)
    held_out = ObjectViews.load([folder], hold_out=True).held_out
    assert sampler.held_out_phrases == held_out_phrases(held_out) != ()

    def tells(caption: Caption, pair: Composition) -> bool:
        return all(re.search(rf"\b{said}\b", caption.text) for said in (pair.name, pair.word))

    pair = Composition(kind, attribute, word)
    assert pair in held_out and f"{word} {kind}" in sampler.held_out_phrases
    assert not any(tells(caption, other) for caption in without for other in held_out)
    assert any(tells(caption, pair) for caption in captions(hold_out=False)[1])


def test_descriptions_that_tell_a_held_out_color_are_left_out(tmp_path: Path) -> None:
    folder = str(write_views(tmp_path, range(60), ("mug", "bowling pin")))
    views = ObjectViews.load([folder], hold_out=True)
    assert "bulging" in find_kinds(["bowling pin"])[0].description
    pins = [item for item in views.objects if item.name == "bowling pin"]
    assert pins and not any(item.description or "white" in feature for item in pins for feature in item.features)
    mugs = [item for item in views.objects if item.name == "mug"]
    assert any("handle" in feature for item in mugs for feature in item.features)  # which tell no color
    assert all(item.description or "without a handle" in item.features for item in mugs)


def test_a_run_that_held_out_something_else_is_not_resumed(tmp_path: Path) -> None:
    folder = str(write_views(tmp_path / "views", range(60)))
    config = TeacherTrainConfig(views=[folder], out=str(tmp_path / "out"), hold_out_compositions=True)
    held_out = {" ".join(pair) for pair in ObjectViews.load([folder], hold_out=True).held_out}
    assert set(run_signature(config)["held_out"]) == held_out != set()
    assert "held_out" not in run_signature(replace(config, hold_out_compositions=False))


def test_what_is_implied_is_held_out_and_right_too() -> None:
    words = {
        "kind": "tray", "hypernyms": ["tableware"], "colors": ["grey"], "material": "steel", "shape": "flat",
        "pattern": "plain", "function": "serving", "features": [], "synonyms": [], "description": "a tray",
    }  # fmt: skip
    item = attributes_from_dict(words)
    metal, steel = (Composition("tray", "material", word) for word in ("metal", "steel"))
    assert compositions(item) >= {metal, steel} and composition(item, "material") == steel
    wooden = untold(
        replace(item, features=("with a wooden rim",)), frozenset({Composition("tray", "material", "wood")})
    )
    assert wooden.features == () and held_out_phrases([Composition("tray", "material", "wood")]) == (
        "wood tray",
        "wooden tray",
    )
    views = views_of(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), [item, replace(item, material="metal")])
    shown = frozenset({metal, steel, Composition("tray", "material", "tin")})
    held_out = frozenset({Composition("tray", "material", "tin")})
    found = composition_accuracy(_Texts(), views, shown, held_out, "material")  # type: ignore[arg-type]
    assert found == {"trained_views": 2, "trained_top1": 1.0}


class _Texts:
    """A teacher that knows one text after the other by heart."""

    def encode_text(self, texts: list[str]) -> torch.Tensor:
        return torch.eye(len(texts))


def views_of(features: torch.Tensor, items: list[ObjectAttributes]) -> EncodedViews:
    return EncodedViews(features, items, [None] * len(items), ["instances"] * len(items))


@pytest.mark.parametrize(
    ("attribute", "names"), [("color", ["mug"]), ("color", ["mug", "bowl"]), ("material", ["whisk", "can opener"])]
)
def test_held_out_compositions_are_counted_apart(attribute: str, names: list[str]) -> None:
    items = [
        attributes_from_dict(kind.words(seed, kind.instance(seed))) for kind in find_kinds(names) for seed in range(60)
    ]
    of_items = [composition(item, attribute) for item in items]
    pairs = sorted({pair for pair in of_items if pair is not None})
    held_out = frozenset(next(pair for pair in pairs if pair.name == name) for name in names)
    right = torch.eye(len(pairs))[[pairs.index(pair) for pair in of_items if pair is not None]]
    of_held_out = torch.tensor([pair in held_out for pair in of_items])
    views = views_of(torch.where(of_held_out[:, None], right.roll(1, dims=1), right), items)
    count, rare = int(of_held_out.sum()), next(pair for pair in pairs if pair not in held_out)
    shown = frozenset(pairs) - {rare}
    assert composition_accuracy(_Texts(), views, shown, held_out, attribute) == {  # type: ignore[arg-type]
        "held_out_views": count, "held_out_top1": 0.0, "trained_views": len(items) - count - of_items.count(rare),
        "trained_top1": 1.0, "trained_minus_held_out": (1.0, None),
    }  # fmt: skip


def test_views_with_a_held_out_word_of_the_other_attribute_count_for_neither_side() -> None:
    items = [
        ObjectAttributes(frozenset(), "mug", colors=(color,), material=material)
        for color, material in (("red", "glass"), ("blue", "glass"), ("red", "steel"))
    ]
    shown = frozenset(pair for item in items for pair in compositions(item))
    held_out = frozenset({Composition("mug", "color", "blue"), Composition("mug", "material", "steel")})
    found = composition_accuracy(_Texts(), views_of(torch.eye(3)[:, :2], items), shown, held_out, "color")  # type: ignore[arg-type]
    assert found["held_out_views"] == found["trained_views"] == 1


def test_with_and_without_a_part_are_told_apart() -> None:
    parts = {"mug": ("with a handle", "without a handle"), "bowl": ("with a lid",), "can": ("without a lid", "open")}
    items = [
        ObjectAttributes(frozenset(), name, features=(feature,)) for name, found in parts.items() for feature in found
    ]
    features = torch.tensor([[1.0, 0.0]] * len(items))  # texts of mugs are [1, 0] with a handle, and [0, 1] without
    found = negation_accuracy(_Texts(), views_of(features, items))["with_without"]  # type: ignore[arg-type]
    assert found == {"views": 2, "top1": 0.5, "interval": None, "with": 1.0, "without": 0.0}
    assert negation_accuracy(_Texts(), views_of(features, items[2:])) == {}  # type: ignore[arg-type]


def test_the_commonest_wrong_name_is_told() -> None:
    answers = [("mug", "mug"), ("mug", "bowl"), ("mug", "bowl"), ("mug", "can"), ("bowl", "bowl"), ("can", "mug")]
    assert confusions(answers) == [("can", "mug", 1.0), ("mug", "bowl", 0.5)]
    assert confusions(answers, least=0.6) == [("can", "mug", 1.0)]


def test_occluders_hide_a_part_of_some_objects() -> None:
    images = torch.arange(16.0)[:, None, None, None].expand(16, 3, 32, 32) / 16
    masks = torch.zeros(16, 1, 32, 32, dtype=torch.bool)
    masks[:, :, 8:24, 8:24] = True
    changed = random_occluders(images, masks, 1.0, np.random.default_rng(0))
    hidden = ((changed != images).any(dim=1, keepdim=True) & masks).sum((1, 2, 3)) / 256
    assert hidden.max() <= 0.65 and (hidden > 0.02).sum() >= 6
    assert torch.equal(random_occluders(images, masks, 0.0, np.random.default_rng(0)), images)
