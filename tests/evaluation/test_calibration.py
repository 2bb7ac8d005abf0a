"""Thresholds of teacher and students by one rule, and detection curves, against slow references."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from helpers.policies import changed
from helpers.scene_data import make_toy_store
from helpers.scene_runs import make_finished_run, names_of_objects
from pickclutter_lang.datasets.scenes import read_manifest
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.evaluation.calibration import open_scenes, scene_scores
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.evaluate import evaluate_policy, prepare
from pickclutter_lang.evaluation.report import draw_curves, episode_curves, scene_curves
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner, seen_names
from pickclutter_lang.experiments.scenes.export_policy import MAX_CALIBRATION_SCENES
from pickclutter_lang.experiments.scenes.predictions import save_predictions
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.objects.catalog import paper_catalog, unseen_objects
from pickclutter_lang.objects.kinds.kind_set import load_kind_set
from pickclutter_lang.policy.folder import Thresholds, load_config
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy.torch_networks import load_pretrained, save_pretrained

SIDE = 48


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("calibration")
    return folder, make_finished_run(folder, SIDE)


def slow_threshold(scores: list[float], rate: float) -> float:
    """The score that a share of the scores lie above, with linear interpolation."""
    ordered, place = sorted(scores), (len(scores) - 1) * (1 - rate)
    n = int(place)
    return ordered[n] + (place - n) * (ordered[min(n + 1, len(scores) - 1)] - ordered[n])


def test_teacher_and_students_act_at_thresholds_of_one_rule(root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, run = root
    config = PolicyEvalConfig(run=str(folder / "run"), out="x", false_positive_rate=0.2, curve_scenes=4)
    (folder / "evaluation").mkdir()
    setup = prepare(config, folder / "evaluation")
    assert setup.variants == ["oracle", "few_shot", "zero_shot", "teacher", "random"]
    student = StudentRuntime.load(setup.rollouts.policies["zero_shot"])
    detector = TeacherDetector(student.config.teacher.load(), student.config.names, Thresholds(0.5, {}, None))
    found, unseen = setup.rollouts.teacher_thresholds, {n for n, out in _unseen(run).items() if out}
    assert found is not None and set(found.names) == set(student.config.names)

    def absent_scores(store: str, ood: bool) -> list[float]:
        scenes, scores = run.scenes[store], []
        for row in range(len(scenes)):
            for name in student.config.names:
                if (name in unseen) == ood and not scenes.labels[row, scenes.label_names.index(name)]:
                    scores.append(detector(scene_to_observation(scenes, row), name).score)
        return scores

    few = {ood: slow_threshold(absent_scores("fewshot", ood), 0.2) for ood in (False, True)}
    expected = {True: few[True], False: max(few[False], slow_threshold(absent_scores("id", False), 0.2))}
    for name, threshold in found.names.items():
        assert threshold == pytest.approx(min(max(expected[name in unseen], 1e-4), 1 - 1e-4), abs=1e-6)
    assert found.default == found.names[next(iter(unseen & set(found.names)))]
    assert {curve.variant for curve in setup.curves} == {"few_shot", "zero_shot", "teacher"}
    monkeypatch.setattr(TeacherDetector, "score", None)  # what was calibrated is kept
    assert prepare(config, folder / "evaluation").rollouts.teacher_thresholds == found
    evaluate_policy(replace(config, out=str(folder / "evaluation"), episodes=0))
    report = (folder / "evaluation" / "report.html").read_text()
    assert "Detection curves" in report and "Each object" not in report
    logged = json.loads((folder / "evaluation" / "config.json").read_text())["teacher"]
    assert logged["false_positive_rate"] == 0.2 and set(logged["scenes"]) == {"id", "fewshot"}
    assert logged["max_scenes"] == MAX_CALIBRATION_SCENES == 300  # as the pages say


def _unseen(run: Any) -> dict[str, bool]:
    return dict(run.label_features().unseen_by_name)


@pytest.mark.parametrize("variant", ["few_shot", "teacher"])
def test_curve_scores_are_of_the_scenes_and_the_student(exported: Path, tmp_path: Path, variant: str) -> None:
    policy, thresholds = shutil.copytree(exported / "few_shot", tmp_path / "policy"), None
    spec = load_config(policy).student
    if variant == "teacher":
        thresholds = Thresholds(0.5, dict.fromkeys(spec.names, 0.5), None)
    config = PolicyEvalConfig(policy=str(policy), scenes=str(exported / "scenes"))
    scenes = dict(open_scenes(config, spec))

    def scores() -> Predictions:
        return scene_scores(variant, str(policy), thresholds, scenes, 3, tmp_path, False)[0]

    first = scores()
    (path,) = (tmp_path / "curves").iterdir()
    save_predictions(path, replace(first, probabilities=first.probabilities + 1))
    assert torch.equal(scores().probabilities, first.probabilities + 1)  # what is kept is read again
    if variant == "few_shot":
        weights = load_file(policy / "weights.safetensors")
        other = {name: value * 0.5 if value.is_floating_point() else value for name, value in weights.items()}
        save_pretrained(policy, load_config(policy), other, load_pretrained(exported / "few_shot")[2])
        assert scores().probabilities.max() <= 1  # of another student: scored again
    scenes["ood"] = scenes["fewshot"]
    assert scores().scenes == [scenes["fewshot"].scene_ids[row] for row in (0, 2, 5)]


def test_a_policy_folder_has_a_teacher_where_there_are_scenes(root: Any, tmp_path: Path) -> None:
    folder, _ = root
    policy = str(next((folder / "evaluation" / "policies").glob("few_shot")))
    plain = prepare(PolicyEvalConfig(policy=policy), tmp_path)
    assert plain.variants == ["oracle", "few_shot", "random"] and plain.curves == []
    with pytest.raises(DatasetError, match="scenes="):
        prepare(PolicyEvalConfig(policy=policy, variants=["teacher"]), tmp_path)
    beside = PolicyEvalConfig(policy=policy, scenes=str(folder / "scenes"), calibration="id", curve_scenes=0)
    assert "teacher" in prepare(beside, tmp_path).variants
    with pytest.raises(InvalidArgumentError, match="either run="):
        PolicyEvalConfig(variants=["oracle", "few_shot"]).validate()
    PolicyEvalConfig(variants=["oracle", "random"]).validate()


def test_a_policy_folder_says_which_objects_are_unseen(exported: Path, tmp_path: Path) -> None:
    assert set(load_config(exported / "few_shot").student.unseen_names or ()) == set(names_of_objects("ood"))
    policy = shutil.copytree(exported / "few_shot", tmp_path / "policy")

    def found(unseen: list[str] | None, scenes: str | None = None) -> tuple[int, int | None]:
        (policy / "policy.json").write_bytes(changed(exported, "student", unseen_names=unseen))
        setup = prepare(
            PolicyEvalConfig(policy=str(policy), scenes=scenes, curve_scenes=0, variants=["few_shot"]), policy
        )
        return setup.rollouts.object_split, setup.identity.get("object_split")

    second = [item.name for item in paper_catalog(2) if item.split == "ood"]
    assert found(names_of_objects("ood")) == (0, None) and found(second) == (2, 2)
    make_toy_store(tmp_path / "scenes" / "id", "id", 2, object_split=3)
    assert found(None) == (0, None) and found(None, str(tmp_path / "scenes")) == (3, 3)  # as version 0.2.0 wrote it
    manifest = read_manifest(tmp_path / "scenes" / "id")
    of_kinds = {**manifest.settings, "instances": 3, "object_split": 1}
    replace(manifest, fields=(*manifest.fields, "instances"), settings=of_kinds).write(tmp_path / "scenes" / "id")
    assert found(["banana"], str(tmp_path / "scenes")) == (1, 1)  # a student of some kinds
    with pytest.raises(CheckpointError, match="unseen_names out of names, but got spoonbill"):
        found(["spoonbill"])


def test_seen_names_are_those_that_the_student_trained_on(exported: Path) -> None:
    student, catalog = StudentRuntime.load(exported / "few_shot"), load_kind_set(kinds=["lemon", "mug", "fork"]).catalog
    assert seen_names(catalog, None) == {item.name for item in catalog if item.split == "id"} >= {"mug"}
    assert seen_names(catalog, student) == set(names_of_objects("id")) and "mug" not in seen_names(catalog, student)
    student.config = replace(student.config, unseen_names=None)
    assert seen_names(catalog, student) == seen_names(catalog, None)


@pytest.mark.sim
def test_the_environment_has_the_unseen_objects_of_the_student() -> None:
    config = RolloutConfig(split="id", camera_size=32, object_split=2)
    env: Any = RolloutRunner(config)._env.unwrapped
    assert {item.model_id for item in env.catalog if item.split == "ood"} == unseen_objects(2)


def test_curves_count_who_is_called_absent() -> None:
    rng = np.random.default_rng(0)
    scores, targets = torch.from_numpy(rng.random((40, 3))), torch.from_numpy(rng.random((40, 3)) < 0.4)
    predictions = Predictions(scores, targets, ["a", "b", "c"], torch.tensor([False, False, True]), ["s"] * 40)
    thresholds = torch.tensor([0.3, 0.6, 0.5], dtype=torch.float64)
    curves = scene_curves({"few_shot": (predictions, thresholds)})
    assert [curve.group for curve in curves] == ["all", "seen", "unseen"]
    for curve, columns in zip(curves, ([0, 1, 2], [0, 1], [2]), strict=True):
        below = {True: [0, 0], False: [0, 0]}
        for row in range(40):
            for n in columns:
                truth = bool(targets[row, n])
                below[truth][0] += bool(scores[row, n] < thresholds[n])
                below[truth][1] += 1
        assert (len(curve.visible), len(curve.absent)) == (below[True][1], below[False][1])
        expected = below[True][0] / below[True][1], below[False][0] / below[False][1]
        assert curve.called_absent(0.5) == pytest.approx(expected)
        assert curve.called_absent(np.inf) == (1, 1)
    played: list[dict[str, Any]] = [
        {"variant": "few_shot", "seen": True, "visible": n % 2 == 0, "present": n % 2 == 0, "score": n / 10,
         "threshold": 0.45}
        for n in range(10)
    ]  # fmt: skip
    refused = {**played[0], "score": None, "threshold": None}
    of_episodes = episode_curves([refused, *played])
    assert [one.group for one in of_episodes] == ["all", "seen"] and of_episodes[0].called_absent(0.5) == (0.6, 0.4)
    assert len(draw_curves([*curves, *of_episodes]).axes) == 6
