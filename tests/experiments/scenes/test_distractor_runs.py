"""Training on scenes with distractors: losses of regions see them, labels and names do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.scene_data import make_toy_store
from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers import FeatureCache
from pickclutter_lang.teachers.scene_features import encode_regions

KINDS = ("mug", "teapot")
ONE_EPOCH = ("distill.epochs=1", "few_shot.epochs=1")


def test_a_student_is_trained_with_regions_of_distractors(tmp_path: Path) -> None:
    toys = make_toys(tmp_path, distractors=KINDS)
    run = SceneRun.open(config("method=best", *toys, *ONE_EPOCH, f"out={tmp_path / 'run'}"))
    assert {*run.label_names(("id", "ood"))} == {*paper_catalog().names}
    scenes = run.scenes["train"]
    regions = encode_regions(run.teacher, scenes, FeatureCache(tmp_path / "cache"))
    actors = scenes.store.array("actors")
    for row, instance_ids in enumerate(regions.instance_ids):
        distractor = int(np.flatnonzero(actors[row] >= 26)[0]) + 1
        assert distractor in instance_ids and distractor not in scenes.instance_ids([row], range(26))
    run.train()
    assert evaluate_run(run)


def test_stores_with_and_without_go_together(tmp_path: Path) -> None:
    toys = make_toys(tmp_path)
    make_toy_store(tmp_path / "among", "train", 24, seed=1, distractors=KINDS)
    run = SceneRun.open(config(*toys, f"data.train={tmp_path / 'among'}", f"out={tmp_path / 'run'}"))
    assert run.scenes["train"].label_names == run.scenes["id"].label_names


def test_unlabeled_scenes_with_an_unseen_name_or_instances_for_evaluation_are_refused(tmp_path: Path) -> None:
    toys = [*make_toys(tmp_path), "method=open"]
    for name, split, kinds, message in (
        ("unseen", "train", ("mug", "lemon"), "no unseen object in the unlabeled scenes .*, but lemon are there"),
        ("evaluation", "id", ("mug",), "instances of kinds that are not for evaluation"),
    ):
        make_toy_store(tmp_path / name, split, 12, seed=9, distractors=kinds)
        with pytest.raises(MismatchError, match=message):
            SceneRun.open(config(*toys, f"data.unlabeled={tmp_path / name}"))
    make_toy_store(tmp_path / "fit", "train", 12, seed=9, distractors=KINDS)
    fit = SceneRun.open(config(*toys, f"data.unlabeled={tmp_path / 'fit'}"))
    assert len(fit.scenes["unlabeled"]) == 12


def test_labels_are_those_of_the_objects_alone(tmp_path: Path) -> None:
    store = make_toy_store(tmp_path / "train", "train", 8, distractors=KINDS)
    scenes = SceneDataset(SceneStore.open(store.path), SceneDataConfig(target_label="present", crop_size=None))
    assert scenes.labels.shape == (8, 26) and {*scenes.present_names} <= {*paper_catalog().names}
    assert (scenes.labels.sum(1).numpy() == ((store.array("actors") >= 0).sum(1) - 1)).all()
