"""Thresholds of teacher and students by one rule, and detection curves, against slow references."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.policies import opened
from helpers.scene_runs import names_of_objects
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.evaluate import prepare
from pickclutter_lang.evaluation.report import detection_curves, draw_curves
from pickclutter_lang.evaluation.rollout import seen_names
from pickclutter_lang.experiments.scenes.trained_run import names_of
from pickclutter_lang.kinds.kind_set import load_kind_set
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy_folder.folder import Thresholds
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation


def slow_threshold(scores: list[float], rate: float) -> float:
    """The score that a share of the scores lie above, with linear interpolation."""
    ordered = sorted(scores)
    place = (len(scores) - 1) * (1 - rate)
    n = int(place)
    return ordered[n] + (place - n) * (ordered[min(n + 1, len(scores) - 1)] - ordered[n])


def test_teacher_and_students_act_at_thresholds_of_one_rule(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened(exported, "few_shot")
    config = PolicyEvalConfig(run=str(exported / "run"), false_positive_rate=0.2)
    setup = prepare(config, tmp_path)
    assert setup.variants == ["oracle", "few_shot", "zero_shot", "teacher", "random"]
    student = StudentRuntime.load(setup.rollouts.policies["zero_shot"])
    detector = TeacherDetector(student.config.teacher.load(), student.config.names, Thresholds(0.5, {}))
    found = setup.rollouts.teacher_thresholds
    unseen = set(names_of(run.unseen, "ood"))
    assert found is not None and set(found.names) == set(student.config.names)

    def absent_scores(store: str, ood: bool) -> list[float]:
        scenes = run.scenes[store]
        scores = []
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
    monkeypatch.setattr(
        "pickclutter_lang.evaluation.teacher_thresholds.detect_store", None
    )  # what was calibrated is kept
    assert prepare(config, tmp_path).rollouts.teacher_thresholds == found


def test_seen_names_are_those_that_the_student_trained_on(exported: Path) -> None:
    student = StudentRuntime.load(exported / "few_shot")
    catalog = load_kind_set(kinds=["lemon", "mug", "fork"]).catalog
    assert seen_names(catalog, None) == {item.name for item in catalog if item.split == "id"} >= {"mug"}
    assert seen_names(catalog, student) == set(names_of_objects("id")) and "mug" not in seen_names(catalog, student)
    student.config = replace(student.config, unseen_names=None)
    assert seen_names(catalog, student) == seen_names(catalog, None)


def test_curves_count_who_is_called_absent() -> None:
    rng = np.random.default_rng(0)
    played: list[dict[str, Any]] = [
        {"variant": "few_shot", "seen": n % 3 > 0, "visible": n % 2 == 0, "present": n % 2 == 0, "score": score,
         "threshold": 0.3 + 0.3 * (n % 3 > 0)}
        for n, score in enumerate(rng.random(60).tolist())
    ]  # fmt: skip
    refused = {**played[0], "score": None, "threshold": None}
    curves = detection_curves([refused, *played, {**played[0], "variant": "oracle"}])
    assert [(one.variant, one.group) for one in curves] == [("few_shot", group) for group in ("all", "seen", "unseen")]
    for curve in curves:
        own = [e for e in played if curve.group == "all" or e["seen"] == (curve.group == "seen")]
        sides = [[e for e in own if e["visible"] is visible] for visible in (True, False)]
        below = [sum(e["score"] < e["threshold"] for e in side) / len(side) for side in sides]
        assert [len(curve.visible), len(curve.absent)] == [len(side) for side in sides]
        assert curve.called_absent(0.5) == pytest.approx(below) and curve.called_absent(np.inf) == (1, 1)
    assert len(draw_curves(curves).axes) == 3
