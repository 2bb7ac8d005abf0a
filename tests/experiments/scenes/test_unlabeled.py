"""Distillation with unlabeled scenes (`method=open`): what is trained on them, what is never read, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.scene_data import change_field, make_toy_store
from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.store_scores import predictions_of
from pickclutter_lang.experiments.scenes.trained_run import load_trained_run, names_of
from pickclutter_lang.metrics import observation_f1
from pickclutter_lang.policy_folder.folder import load_config
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.results.scores import Scores
from pickclutter_lang.training.batches import with_unlabeled

SHORT = ("method=open", "distill.epochs=1", "few_shot.epochs=1", "data.unlabeled_batch_size=5")


@pytest.fixture
def toys(tmp_path: Path) -> list[str]:
    overrides = make_toys(tmp_path)
    make_toy_store(tmp_path / "scenes" / "unlabeled", "train", 12, seed=9)
    return [*overrides, *SHORT]


def trained(*overrides: str) -> tuple[SceneRun, dict[str, torch.Tensor], dict[str, Any]]:
    run = SceneRun.open(config(*overrides))
    run.train()
    row = run.load_weights("distill")[-1]
    return run, {name: value.clone() for name, value in run.model.state_dict().items()}, row


def test_batches_get_unlabeled_rows() -> None:
    batches = with_unlabeled([[4, 2], [0, 1]], 12, 5, (0, 0, 0))
    assert [[row for source, row in batch if source == 0] for batch in batches] == [[4, 2], [0, 1]]
    others = [[row for source, row in batch if source == 1] for batch in batches]
    assert all(len(rows) == len(set(rows)) == 5 and set(rows) <= set(range(12)) for rows in others)
    assert batches == with_unlabeled([[4, 2], [0, 1]], 12, 5, (0, 0, 0)) != with_unlabeled([[4, 2]], 12, 5, (0, 0, 1))


def test_the_student_follows_the_teacher_on_unlabeled_scenes(toys: list[str], tmp_path: Path) -> None:
    run, weights, row = trained(*toys, f"out={tmp_path / 'open'}")
    assert {"cls", "im_cst", "region_contrastive", "region_proximity"} <= row.keys()
    assert run.data_provenance["unlabeled"]["scenes"] == 12
    without, other, _ = trained(*toys, "data.unlabeled=null", f"out={tmp_path / 'best'}")
    assert "unlabeled" not in without.data_provenance
    assert any(not torch.equal(weights[name], other[name]) for name in weights)
    phase: Any = run.phases["distill"]
    loaded = phase.load([(0, 1), (0, 2), (1, 3)], 0, 0)
    assert loaded.labeled.tolist() == [True, True, False]
    assert not loaded.targets[2].any() and loaded.targets[0].any()
    assert phase.load([(0, 1)], 0, 0).labeled is None


def test_their_labels_are_never_read(toys: list[str], tmp_path: Path) -> None:
    _, weights, _ = trained(*toys, f"out={tmp_path / 'a'}")
    other = shutil.copytree(tmp_path / "scenes" / "unlabeled", tmp_path / "other")
    for label in ("visible", "graspable"):
        change_field(other, label, False)
    _, same, _ = trained(*toys, f"data.unlabeled={other}", f"out={tmp_path / 'b'}")
    assert all(torch.equal(weights[name], same[name]) for name in weights)


def test_names_of_unlabeled_objects_join_the_vocabulary(
    toys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SceneRun.open(config(*toys, f"out={tmp_path / 'o'}"))
    monkeypatch.setattr(SceneDataset, "present_names", ["flute", "banana"])
    assert run.parts.vocabulary is not None and "flute" in run.parts.vocabulary.texts
    unseen = names_of(run.unseen, "ood")
    assert not set(unseen) & set(run.parts.vocabulary.texts)
    without = SceneRun.open(config(*toys, "data.unlabeled=null", f"out={tmp_path / 'p'}"))
    assert without.parts.vocabulary is not None and "flute" not in without.parts.vocabulary.texts


def test_unseen_objects_among_them_are_refused(toys: list[str], tmp_path: Path) -> None:
    make_toy_store(tmp_path / "more", "ood", 12, seed=9)
    make_toy_store(tmp_path / "beside", "train", 12, seed=9, distractors=("mug", "lemon"))
    for name in ("more", "beside"):
        with pytest.raises(MismatchError, match="unseen"):
            SceneRun.open(config(*toys, f"data.unlabeled={tmp_path / name}"))


def test_images_of_another_size_and_instances_for_evaluation_are_refused(toys: list[str], tmp_path: Path) -> None:
    make_toy_store(tmp_path / "small", "train", 12, seed=9, size=24)
    with pytest.raises(MismatchError, match="small"):
        SceneRun.open(config(*toys, f"data.unlabeled={tmp_path / 'small'}"))
    make_toy_store(tmp_path / "evaluation", "id", 12, seed=9, instances=3)
    with pytest.raises(MismatchError, match="instances"):
        SceneRun.open(config(*toys, f"data.unlabeled={tmp_path / 'evaluation'}"))
    make_toy_store(tmp_path / "learning", "train", 12, seed=9, distractors=("mug",))
    assert len(SceneRun.open(config(*toys, f"data.unlabeled={tmp_path / 'learning'}")).scenes["unlabeled"]) == 12


def test_thresholds_of_unseen_names_come_from_them(toys: list[str], tmp_path: Path) -> None:
    run = SceneRun.open(config(*toys, f"out={tmp_path / 'o'}"))
    run.train()
    result = evaluate_run(run)
    unseen = names_of(run.unseen, "ood")
    for stage in ("zero_shot", "few_shot"):
        scores = Scores.load(tmp_path / "o")
        on_id, on_ood, unlabeled = (predictions_of(scores, stage, store) for store in ("id", "ood", UNLABELED))
        assert on_id is not None and on_ood is not None and unlabeled is not None
        assert unlabeled.names == unseen and not unlabeled.targets.any() and unlabeled.probabilities.shape[0] == 12
        threshold = result["metrics"][stage]["id_threshold"]
        known = on_id.of_splits(("id",))
        rate = float((known.probabilities > threshold)[~known.targets].double().mean())
        matched = np.quantile(unlabeled.probabilities.double().numpy(), 1 - rate, axis=0)
        chosen = on_ood.of_splits(("ood",))
        predicted = chosen.probabilities.double() > torch.from_numpy(matched).clamp(1e-4, 1 - 1e-4)
        found = result["metrics"][stage]["ood_on_ood"]["model_matched_fpr"]["f1"]
        assert found == pytest.approx(observation_f1(predicted, chosen.targets))
    exported = PolicyExportConfig(str(tmp_path / "o"), "distill", out=str(tmp_path / "policy"), calibration=UNLABELED)
    export_policy(exported)
    names = load_config(tmp_path / "policy").thresholds.names
    zero_shot = predictions_of(Scores.load(tmp_path / "o"), "zero_shot", UNLABELED)
    assert zero_shot is not None
    expected = float(torch.quantile(zero_shot.probabilities.double(), 0.93))
    assert [names[name] for name in unseen] == pytest.approx([expected] * len(unseen))
    (tmp_path / "o" / "scores.npz").unlink()
    with pytest.raises(InvalidArgumentError, match="calibration"):
        export_policy(exported)


def test_some_of_them_can_be_used_alone(toys: list[str], tmp_path: Path) -> None:
    few = tmp_path / "few.json"
    few.write_text(json.dumps(SceneStore.open(tmp_path / "scenes" / "unlabeled").scene_ids()[:4]))
    subset = f"data.scene_subsets={{unlabeled: {few}}}"
    run, _, _ = trained(*toys, subset, f"out={tmp_path / 'few'}")
    assert len(run.scenes["unlabeled"]) == run.data_provenance["unlabeled"]["scenes"] == 4
    with pytest.raises(MismatchError, match="unlabeled"):  # another subset is another distillation
        SceneRun.open(config(*toys, f"out={tmp_path / 'n'}", f"distilled_run={tmp_path / 'few'}"))
    few.unlink()
    student = load_trained_run(TrainedRunConfig(run=str(tmp_path / "few"), phase="distill"))
    assert "unlabeled" not in student.scenes
