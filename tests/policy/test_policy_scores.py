"""`evaluate-affordance policy= store=`: scores of a policy folder on a scene store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.scenes.config import AffordanceEvalConfig
from pickclutter_lang.experiments.scenes.store_scores import predictions_of
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.policy_scores import score_policy
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.results.scores import Scores


def predictions(out: Path) -> Predictions:
    found = predictions_of(Scores.load(out), "policy", "store")
    assert found is not None
    return found


def thresholds_of(record: dict[str, Any], names: list[str]) -> torch.Tensor:
    return torch.tensor([record["names"][name]["threshold"] for name in names])


@pytest.fixture(scope="module")
def scored(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("scores") / "out"
    store = str(exported / "scenes" / "ood")
    policy = str(exported / "few_shot")
    return score_policy(policy, store, out, num_threads=1), out


def test_scores_are_those_of_the_policy_in_the_scenes(exported: Path, scored: tuple[dict[str, Any], Path]) -> None:
    found = predictions(scored[1])
    student = StudentRuntime.load(exported / "few_shot")
    config = SceneDataConfig(
        target_label=student.config.target_label, cameras=list(student.config.cameras), crop_size=None
    )
    scenes = SceneDataset(SceneStore.open(exported / "scenes" / "ood"), config)
    thresholds = np.array([student.thresholds.of(name) for name in found.names])
    assert found.scenes == scenes.scene_ids and sorted(found.names) == sorted(scenes.label_names)
    for row in range(len(scenes)):
        output = student.predict(scene_to_observation(scenes, row), found.names)
        expected = expit(logit(output.scores.astype(float)) - logit(thresholds))  # 0.5 where they are met
        np.testing.assert_allclose(found.probabilities[row], expected, atol=1e-5)
    at = [scenes.label_names.index(name) for name in found.names]
    assert torch.equal(found.targets, scenes.labels.bool()[:, at])
    unseen = set(student.config.unseen_names or ())
    assert unseen and [name for name, out in zip(found.names, found.unseen, strict=True) if out] == [
        name for name in found.names if name in unseen
    ]


@pytest.mark.parametrize("group", ["seen", "unseen", "all"])
def test_the_result_has_the_counts_of_a_slow_reference(scored: tuple[dict[str, Any], Path], group: str) -> None:
    out = scored[1]
    found = predictions(out)
    thresholds = thresholds_of(scored[0], predictions(out).names)
    columns = [n for n, out_ in enumerate(found.unseen.tolist()) if group == "all" or out_ == (group == "unseen")]
    missed = right = visible = absent = 0
    f1, pairs = [], []
    for scores, present in zip(found.probabilities.tolist(), found.targets.tolist(), strict=True):
        hits = predicted = there = 0
        for n in columns:
            says = scores[n] > thresholds[n].item()
            pairs.append((scores[n], present[n]))
            visible = visible + present[n]
            absent = absent + (not present[n])
            missed = missed + (present[n] and not says)
            right = right + (not present[n] and not says)
            hits = hits + (says and present[n])
            predicted = predicted + says
            there = there + present[n]
        if there:
            f1.append(2 * hits / (predicted + there))
    result = json.loads((out / "result.json").read_text())["metrics"][group]
    assert result["names"] == len(columns)
    counts = [result[key] for key in ("true", "true_called_absent", "absent", "absent_called_so")]
    assert counts == [visible, missed, absent, right]
    share = result["missed"]
    limit = np.quantile([s for s, there in pairs if not there], 0.9)
    beyond = [s < limit for s, there in pairs if there]
    assert [share["hits"], share["total"]] == [sum(beyond), visible] and share["low"] < share["mean"] < share["high"]
    assert share["mean"] == pytest.approx(np.mean(beyond))
    assert result["policy_f1"]["mean"] == pytest.approx(np.mean(f1))


def test_what_does_not_go_together_is_refused(exported: Path, tmp_path: Path) -> None:
    policy = str(exported / "few_shot")
    store = str(exported / "scenes" / "ood")
    cases: list[dict[str, Any]] = [{"policy": policy}, {"run": "r", "policy": policy, "store": store}]
    for wrong in cases:
        with pytest.raises(InvalidArgumentError, match="run="):
            AffordanceEvalConfig(**wrong).validate()
    other = shutil.copytree(exported / "few_shot", tmp_path / "policy")
    config = json.loads((other / "policy.json").read_text())
    config["student"]["camera_size"] += 8
    (other / "policy.json").write_text(json.dumps(config))
    with pytest.raises(MismatchError, match="image_size="):
        score_policy(other, store, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_another_result_is_not_replaced(exported: Path, scored: tuple[dict[str, Any], Path]) -> None:
    before = (scored[1] / "result.json").read_bytes()
    out = scored[1]
    with pytest.raises(MismatchError, match="out"):
        score_policy(exported / "few_shot", exported / "scenes" / "id", out, num_threads=1)
    assert (out / "result.json").read_bytes() == before
    again = score_policy(exported / "few_shot", exported / "scenes" / "ood", out, num_threads=1)
    assert again["metrics"] == scored[0]["metrics"]
