"""Kinds as distractors: which may be, how many lie in a pile, and that without a share nothing is another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pickclutter_lang.envs.generation.pile_sampling import PileConfig, sample_layout, scene_rng
from pickclutter_lang.errors import UnknownObjectError
from pickclutter_lang.kinds.kind_set import LEARNING_SPLITS
from pickclutter_lang.objects.catalog import CatalogObject, paper_catalog
from pickclutter_lang.objects.object_sets import (
    MAX_INSTANCES,
    ObjectSet,
    distractor_kinds,
    load_object_set,
    with_distractors,
)

KINDS = ("mug", "soda can", "toy car", "teapot")
LABELS = 26


@pytest.fixture(scope="module")
def objects() -> ObjectSet:
    return load_object_set("proxy", kinds=KINDS, instances=2, distractors=True)


@pytest.fixture
def unmade(objects: ObjectSet, monkeypatch: pytest.MonkeyPatch) -> ObjectSet:
    """The same set, whose instances are not made."""
    item = replace(paper_catalog()[0], split="none")
    monkeypatch.setattr(type(objects.unlabeled), "model", lambda _, model_id: replace(item, model_id=model_id))
    return objects


def test_no_kind_that_a_label_means_is_a_distractor() -> None:
    left = {kind.name for kind in distractor_kinds(paper_catalog())}
    assert left.isdisjoint(paper_catalog().names) and {"mug", "drinking glass", "tomato"} <= left
    assert "flat screwdriver" not in left  # a screwdriver, as the label phillips screwdriver is called too
    assert "plum" not in left  # a stone fruit, as the peach
    assert len(left) > 150


def test_names_and_synonyms_of_ones_own_labels_are_left_out_in_any_case() -> None:
    labels = [
        CatalogObject("thing-1", "Mug", "none", (0, 0, 0)),
        CatalogObject("b", "b", "id", (0, 0, 0), synonyms=("TEAPOT",)),
        CatalogObject("stapler-7", "c", "ood", (0, 0, 0)),  # an instance would have the id of a label
    ]
    left = {kind.name for kind in distractor_kinds(labels)}
    assert left.isdisjoint({"mug", "teapot", "stapler"}) and "toy car" in left


def test_distractors_have_no_label(objects: ObjectSet) -> None:
    assert objects.catalog.names == paper_catalog().names and objects.name == "proxy"
    assert {kind.split for kind in objects.distractors} == {"none"} and objects.own_catalog is None
    assert objects.actor_ids[LABELS:] == ["mug", "soda_can", "toy_car", "teapot"]
    model = objects.model("toy_car-1")
    assert (model.name, model.split) == ("toy car", "none")
    assert objects.label_index("toy_car-1") == LABELS + 2 and objects.label_index("011_banana") < LABELS
    assert (objects.seed_of("toy_car-1"), objects.seed_of("011_banana")) == (1, -1)
    assert set(objects.model_db(["toy_car-1", "011_banana"])) == {"toy_car-1", "011_banana"}
    for name in ("collision.obj", "textured.obj"):
        assert (objects.model_dir("toy_car-1") / name).is_file()
    with pytest.raises(UnknownObjectError, match="spoon-1"):
        objects.label_index("spoon-1")
    labels = load_object_set("proxy")
    prints = {with_distractors(labels, names, n).fingerprint for names, n in ((KINDS, 2), (KINDS, 3), (KINDS[:2], 2))}
    assert len({*prints, labels.fingerprint}) == 4 and objects.fingerprint in prints


@pytest.mark.parametrize("split", ["train", "ood"])
def test_a_pile_has_its_share_and_at_least_two_labels(unmade: ObjectSet, split: str) -> None:
    first = 0 if split in LEARNING_SPLITS else MAX_INSTANCES
    allowed = {n for n, item in enumerate(unmade.catalog) if split in ("fewshot", "ood") or item.split == "id"}
    shares = []
    order = []
    seeds = set()
    for index in range(300):
        layout = sample_layout(unmade, split, scene_rng(0, split, index), PileConfig(distractors=0.3))
        drawn = layout.label_indices
        others = drawn >= LABELS
        assert len({*drawn.tolist()}) == len(drawn) and (~others).sum() >= 2 and others.sum() <= len(KINDS)
        assert {*drawn[~others].tolist()} <= allowed
        for number, model in zip(drawn.tolist(), layout.models, strict=True):
            expected = unmade.actor_ids[number]
            assert model.model_id.rpartition("-")[0] == expected if number >= LABELS else model.model_id == expected
        seeds |= {unmade.seed_of(model.model_id) for model, other in zip(layout.models, others, strict=True) if other}
        shares.append(others.mean())
        order += (np.flatnonzero(others) / len(others)).tolist()
    assert 0.24 < np.mean(shares) < 0.34 and 0.4 < np.mean(order) < 0.55  # neither first nor last
    assert seeds == {first, first + 1}


def test_without_a_share_piles_are_the_same(objects: ObjectSet, procedural: ObjectSet) -> None:
    assert "distractors" not in PileConfig().settings() and PileConfig(distractors=0.5).settings()["distractors"] == 0.5
    for split in ("train", "ood"):
        layouts = [sample_layout(one, split, scene_rng(5, split, 1), PileConfig()) for one in (objects, procedural)]
        np.testing.assert_array_equal(layouts[0].label_indices, layouts[1].label_indices)
        np.testing.assert_array_equal(layouts[0].poses, layouts[1].poses)
        assert layouts[0].models == layouts[1].models
