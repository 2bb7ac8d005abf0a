"""Stores with distractors: what a manifest and a scene must say of them, and what shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.scene_data import make_toy_store, toy_row
from helpers.scene_rows import make_manifest
from pickclutter_lang.datasets.scenes.contact_sheet import draw_scenes
from pickclutter_lang.datasets.scenes.manifest import Manifest
from pickclutter_lang.datasets.scenes.maniskill_episodes import read_episodes, write_episodes
from pickclutter_lang.errors import DatasetError

KINDS, LABELS = ("mug", "teapot"), 26


def test_a_store_without_distractors_says_nothing_of_them() -> None:
    manifest = make_manifest()
    assert manifest.distractor_kinds == {} and manifest.actor_ids == [item.model_id for item in manifest.objects]
    assert manifest.layout.distractors == 0 and "instances" not in manifest.fields


def test_actors_beyond_the_labels_are_instances(tmp_path: Path) -> None:
    store = make_toy_store(tmp_path / "train", "train", 9, distractors=KINDS)
    assert store.manifest.actor_ids[LABELS:] == [*KINDS] and not store.manifest.has_instances
    write_episodes(store.path)
    for scene, episode in enumerate(read_episodes(store.path / "episodes.json.gz")):
        actors = store.array("actors")[scene]
        assert episode["actors"][-1]["model_id"] == f"{KINDS[actors.max() - LABELS]}-{scene}"
        assert all(actor["model_id"] in store.model_ids for actor in episode["actors"][:-1])
    plain = make_toy_store(tmp_path / "plain", "train", 9)
    assert store.model_ids == plain.model_ids
    sheets = [np.asarray(draw_scenes(one, [0, 1])) for one in (store, plain)]
    assert sheets[0].shape == sheets[1].shape and (sheets[0][:60] != sheets[1][:60]).any()  # the legend names them


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actors": LABELS + 2}, "expected actors below 28"),
        ({"instances": -1}, "expected a seed in `instances` for each distractor, else -1"),
    ],
)
def test_wrong_actors_are_refused(changes: dict[str, int], message: str) -> None:
    manifest = make_manifest(distractors=KINDS)
    row = toy_row(manifest, 0)
    place = int(np.flatnonzero(row["actors"] >= LABELS)[0])
    manifest.layout.stack([row])
    for name, value in changes.items():
        row[name][place] = value
    with pytest.raises(DatasetError, match=message):
        manifest.layout.stack([row])


def test_a_label_has_no_seed() -> None:
    manifest = make_manifest(distractors=KINDS)
    row = toy_row(manifest, 0)
    row["instances"][0] = 3
    with pytest.raises(DatasetError, match="for each distractor"):
        manifest.layout.stack([row])


@pytest.mark.parametrize(
    ("settings", "without", "message"),
    [
        ({"distractor_kinds": ["mug"]}, (), "expected object, but got array"),
        ({"distractor_kinds": {}}, (), "length >= 1"),
        ({"distractors": 1.5}, (), "< 1.0"),
        ({"instances": 0}, (), ">= 1"),
        ({}, ("instances",), "expected fields with actors and instances, where distractors lie in scenes"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    settings: dict[str, Any], without: tuple[str, ...], message: str
) -> None:
    manifest = make_manifest(distractors=KINDS)
    fields = tuple(name for name in manifest.fields if name not in without)
    with pytest.raises(ValueError, match=message):
        replace(manifest, settings={**manifest.settings, **settings}, fields=fields)
    assert isinstance(manifest, Manifest)
