"""The cells of Table 12 and the image-blind baselines, against slow NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score

from helpers.scene_runs import config, make_toys, names_of_objects
from pickclutter_lang.experiments.scenes.predictions import predictions_of
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run, evaluate_stage
from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.table12 import stages_of
from pickclutter_lang.metrics.thresholds import (
    Predictions,
    best_threshold,
    matched_fpr_thresholds,
    per_split_fpr_thresholds,
    recenter_scores,
)
from pickclutter_lang.results.record import without_nan
from pickclutter_lang.results.scores import Scores

KNOWN, HELD_OUT = names_of_objects("id"), names_of_objects("ood")


def made_up(names: list[str], count: int, seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    targets = rng.uniform(size=(count, len(names))) < 0.3
    probabilities = np.clip(rng.normal(0.35 + 0.2 * targets, 0.2), 0, 1).astype(np.float32)
    unseen = torch.tensor([name in HELD_OUT for name in names])
    scenes = [f"s/{seed}/{n}" for n in range(count)]
    return Predictions(torch.from_numpy(probabilities), torch.from_numpy(targets), names, unseen, scenes)


@pytest.fixture(scope="module")
def both() -> dict[str, Predictions]:
    known = made_up(KNOWN + HELD_OUT, 40, 0)
    known.targets[:, len(KNOWN) :] = False
    return {"id": known, "ood": made_up(KNOWN + HELD_OUT, 50, 1)}


@pytest.mark.parametrize(
    ("cell", "scenes", "names"),
    [
        ("id_on_id", "id", KNOWN),
        ("id_on_ood", "ood", KNOWN),
        ("ood_on_ood", "ood", HELD_OUT),
        ("all_on_ood", "ood", KNOWN + HELD_OUT),
    ],
)
@pytest.mark.parametrize("predictor", ["model", "model_at_half"])
def test_each_cell_scores_its_labels_on_its_scenes(
    both: dict[str, Predictions], cell: str, scenes: str, names: list[str], predictor: str
) -> None:
    stage = evaluate_stage(both, torch.zeros(26))
    row = stage[cell][predictor]
    columns = [both[scenes].names.index(name) for name in names]
    probabilities = both[scenes].probabilities.numpy()[:, columns]
    targets = both[scenes].targets.numpy()[:, columns]
    predicted = probabilities > (0.5 if predictor == "model_at_half" else stage["id_threshold"])
    f1 = [f1_score(t, s, zero_division=0) for t, s in zip(targets, predicted, strict=True) if t.any()]
    ap = [average_precision_score(targets[:, n], probabilities[:, n]) for n in range(len(names))]
    assert row["accuracy"] == pytest.approx((predicted == targets).mean())
    assert row["f1"] == pytest.approx(np.mean(f1))
    assert row["map"] == pytest.approx(np.mean(ap))
    if predictor == "model":
        classes = stage[cell]["classes"]
        assert list(classes) == names
        for n, values in enumerate(classes.values()):
            assert values["average_precision"] == pytest.approx(ap[n])
            assert values["f1"] == pytest.approx(f1_score(targets[:, n], predicted[:, n]))
            assert values["support"] == targets[:, n].sum()


def test_trivial_predictors_match_their_names(both: dict[str, Predictions]) -> None:
    frequency = torch.linspace(0, 1, 26, dtype=torch.float64)
    cell = evaluate_stage(both, frequency)["ood_on_ood"]
    chosen = best_threshold(frequency[:14].expand(40, 14), both["id"].targets[:, :14])
    targets = both["ood"].targets.numpy()[:, 14:]
    assert cell["always_no"]["accuracy"] == pytest.approx(1 - targets.mean())
    assert cell["always_yes"]["accuracy"] == pytest.approx(targets.mean())
    assert cell["always_yes"]["recall"] == 1 and cell["always_no"]["f1"] == 0
    assert cell["always_yes"]["map"] == pytest.approx(targets.mean(axis=0).mean())
    often = np.array([both["ood"].names.index(name) / 25 > chosen for name in HELD_OUT])
    assert cell["label_frequency"]["accuracy"] == pytest.approx((targets == often).mean())


def test_the_threshold_is_chosen_on_x_id_alone(both: dict[str, Predictions]) -> None:
    targets, names = both["id"].targets, both["id"].names
    confident = targets.float() * 0.2 + 0.1
    assert 0.1 <= best_threshold(confident[:, :14], targets[:, :14]) < 0.3
    changed = {**both, "id": Predictions(confident, targets, names, both["id"].unseen, both["id"].scenes)}
    stage = evaluate_stage(changed, torch.zeros(26))
    assert stage["id_threshold"] < 0.3 and stage["id_on_id"]["model"]["f1"] == 1
    assert stage["id_on_id"]["model_at_half"]["f1"] == 0
    before, after = evaluate_stage(both, torch.zeros(26))["ood_on_ood"], stage["ood_on_ood"]
    assert before["model"] != after["model"] and before["model_at_half"] == after["model_at_half"]


def test_per_split_thresholds_have_the_given_false_positive_rate(both: dict[str, Predictions]) -> None:
    predictions = both["id"]
    thresholds = per_split_fpr_thresholds(predictions, 0.1)
    for split in (predictions.unseen, ~predictions.unseen):
        lacking = predictions.probabilities[:, split][~predictions.targets[:, split]].double().numpy()
        assert thresholds[split].numpy() == pytest.approx(np.quantile(lacking, 0.9))


def test_each_label_has_the_same_false_positive_rate(both: dict[str, Predictions]) -> None:
    low = both["id"].unseen.float() * 0.3  # as of names that were never trained on
    shifted = Predictions(
        (both["id"].probabilities - low).clamp(0.001, 0.999), both["id"].targets, both["id"].names,
        both["id"].unseen, both["id"].scenes,
    )  # fmt: skip
    thresholds = matched_fpr_thresholds(shifted, 0.5)
    known = ~shifted.targets & ~shifted.unseen
    rate = float((shifted.probabilities > 0.5)[known].float().mean())
    for n in range(26):
        scores = shifted.probabilities[:, n][~shifted.targets[:, n]].numpy()
        assert float(thresholds[n]) == pytest.approx(np.quantile(scores.astype(float), 1 - rate), abs=1e-6)
        assert (scores > float(thresholds[n])).mean() == pytest.approx(rate, abs=1.5 / len(scores))
    assert thresholds[14:].mean() < thresholds[:14].mean() - 0.2
    moved = recenter_scores(shifted.probabilities, thresholds)
    assert torch.equal(moved > 0.5, shifted.probabilities.double() > thresholds)
    assert torch.equal(moved.argsort(dim=0, stable=True), shifted.probabilities.argsort(dim=0, stable=True))
    assert moved.min() >= 0 and moved.max() <= 1


def test_a_run_is_evaluated_into_one_file(tmp_path: Path) -> None:
    short = ("distill.epochs=1", "few_shot.epochs=1")
    run = SceneRun.open(config(*make_toys(tmp_path), *short, f"out={tmp_path / 'out'}"))
    run.train()
    result = evaluate_run(run)
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == result
    assert result["data"]["ood"] == {"scenes": 10, "content": run.scenes["ood"].store.content_hash}
    assert result["teacher"]["fingerprint"] == run.teacher.fingerprint
    assert set(result["metrics"]["few_shot"]["all_on_ood"]["classes"]) == {*KNOWN, *HELD_OUT}
    scores = Scores.load(tmp_path / "out")
    saved = {name: predictions_of(scores, "zero_shot", name) for name in ("id", "ood")}
    on_ood = saved["ood"]
    assert on_ood is not None and on_ood.probabilities.shape == (10, 26) and on_ood.unseen.sum() == 12
    at = [run.scenes["train"].label_names.index(name) for name in on_ood.names]
    frequency = run.scenes["train"].labels.double().mean(0)[at]
    cells = evaluate_stage({name: one for name, one in saved.items() if one is not None}, frequency)
    assert without_nan(cells) == result["metrics"]["zero_shot"]
    retrieval = result["metrics"]["retrieval"]
    assert retrieval["alpha"] >= 0 and retrieval["beta"] > 0 and 0 < retrieval["leave_one_out_map"] <= 1
    assert set(result["metrics"]) == set(stages_of(result)) == {"zero_shot", "few_shot", "retrieval"}
    assert HELD_OUT[0] in write_report(tmp_path / "out").read_text() and summary(tmp_path / "out")
