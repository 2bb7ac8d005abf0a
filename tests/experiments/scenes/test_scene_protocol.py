"""The cells of Table 12, the image-blind baselines and training-free retrieval, against slow NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score

from helpers.scene_runs import config, make_toys, names_of_objects
from pickclutter_lang.experiments.scenes.scene_protocol import (
    CacheFeatures,
    evaluate_run,
    evaluate_stage,
    label_cache_logits,
    retrieve,
    tune_scene_cache,
)
from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.store_scores import predictions_of
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.metrics.thresholds import (
    Predictions,
    best_threshold,
    matched_fpr_thresholds,
    policy_thresholds,
    recenter_scores,
)
from pickclutter_lang.results.record import without_nan
from pickclutter_lang.results.scores import Scores
from pickclutter_lang.students.student import predict_batches
from pickclutter_lang.training.config import RetrievalConfig

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


def test_the_threshold_is_chosen_on_x_id_alone(both: dict[str, Predictions]) -> None:
    targets, names = both["id"].targets, both["id"].names
    confident = targets.float() * 0.2 + 0.1
    assert 0.1 <= best_threshold(confident[:, :14], targets[:, :14]) < 0.3
    changed = {**both, "id": Predictions(confident, targets, names, both["id"].unseen, both["id"].scenes)}
    stage = evaluate_stage(changed, torch.zeros(26))
    assert stage["id_threshold"] < 0.3 and stage["id_on_id"]["model"]["f1"] == 1
    assert stage["id_on_id"]["model_at_half"]["f1"] == 0
    before = evaluate_stage(both, torch.zeros(26))["ood_on_ood"]
    after = stage["ood_on_ood"]
    assert before["model"] != after["model"] and before["model_at_half"] == after["model_at_half"]


def test_per_split_thresholds_have_the_given_false_positive_rate(both: dict[str, Predictions]) -> None:
    predictions = both["id"]
    found = policy_thresholds(0.1, {"id": predictions})
    thresholds = torch.tensor([found[name] for name in predictions.names])
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
    assert set(result["metrics"]) == {"zero_shot", "few_shot", "retrieval"}
    assert HELD_OUT[0] in write_report(tmp_path / "out").read_text() and summary(tmp_path / "out")


C, D = 3, 4
TUNED = RetrievalConfig()


def test_positives_and_negatives_of_a_label_weigh_equally() -> None:
    targets = torch.tensor([[1, 0, 1], [0, 0, 1], [0, 0, 1], [1, 0, 1]], dtype=torch.bool)
    generator = torch.Generator().manual_seed(1)
    queries = torch.randn(2, C, D, generator=generator)
    keys = torch.randn(4, 1, C, D, generator=generator)
    logits = label_cache_logits(queries, keys, targets, 3.0)
    affinity = (-3.0 * (1 - torch.cosine_similarity(queries[:, None, 0], keys[None, :, 0, 0], dim=2))).exp()
    torch.testing.assert_close(logits[:, 0], affinity[:, [0, 3]].mean(1) - affinity[:, [1, 2]].mean(1))
    assert not logits[:, 1:].any()  # without positives, or without negatives


def make_scenes(count: int, seed: int) -> tuple[CacheFeatures, torch.Tensor]:
    """Scenes whose features of label n show it in dimension n, while the zero-shot logits know nothing."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.rand(count, C, generator=generator) < 0.4
    features = 0.3 * torch.randn(count, C, D, generator=generator) + 1
    for n in range(C):
        features[:, n, n] += 2.0 * targets[:, n]
    return CacheFeatures(0.1 * torch.randn(count, C, generator=generator), features), targets


def test_the_cache_distinguishes_labels_that_zero_shot_does_not() -> None:
    (cache, known), (seen, targets) = make_scenes(30, 0), make_scenes(60, 1)
    choice = tune_scene_cache(TUNED, cache, cache.features[:, None], known)
    assert choice.alpha > 0 and choice.score > 0.8
    cached = label_cache_logits(seen.features, cache.features[:, None], known, choice.beta)
    before = mean_average_precision(seen.logits.sigmoid(), targets)
    after = mean_average_precision((seen.logits + choice.alpha * cached).sigmoid(), targets)
    assert before < 0.6 < 0.8 < after


def test_a_cache_of_noise_is_given_no_weight_over_right_logits() -> None:
    _, known = make_scenes(20, 2)
    right = CacheFeatures(8.0 * known.float() - 4.0, torch.randn(20, C, D, generator=torch.Generator().manual_seed(3)))
    assert tune_scene_cache(TUNED, right, right.features[:, None], known).alpha == 0.0
    fixed = tune_scene_cache(RetrievalConfig(alpha=1.0, beta=5.5), right, right.features[:, None], known)
    assert (fixed.alpha, fixed.beta) == (1.0, 5.5)


def test_a_scene_is_left_out_of_its_cache() -> None:
    cache, known = make_scenes(6, 4)
    keys = torch.stack([cache.features, cache.features + 0.1], dim=1)  # two views of each scene
    cached = label_cache_logits(cache.features, keys, known, 5.0, leave_one_out=True)
    others = [n for n in range(6) if n != 2]
    expected = label_cache_logits(cache.features[2:3], keys[others], known[others], 5.0)[0]
    torch.testing.assert_close(cached[2], expected)
    flipped = known.clone()
    flipped[2] = ~flipped[2]
    again = label_cache_logits(cache.features, keys, flipped, 5.0, leave_one_out=True)
    torch.testing.assert_close(again[2], cached[2])
    assert not label_cache_logits(cache.features[:1], keys[:1], known[:1], 5.0, leave_one_out=True).any()


def test_the_teachers_keys_are_compared_with_the_pooled_features(tmp_path: Path) -> None:
    released = ("keys=teacher", "key_views=3", "alpha=1", "beta=5.5", "temperature=1")
    run = SceneRun.open(config(*make_toys(tmp_path), *(f"retrieval.{one}" for one in released)))
    run.model.eval()
    scenes = run.scenes["fewshot"]
    teacher = run.teacher
    assert run.teacher_keys.shape == (len(scenes), 3, teacher.embed_dim)
    whole = teacher.encode_image(teacher.preprocess(scenes.hand_images(range(len(scenes)))))
    torch.testing.assert_close(run.teacher_keys[:, 0], whole)
    predictions, choice = retrieve(run)
    assert (choice.alpha, choice.beta) == (1.0, 5.5)
    names = list(run.unseen)
    known = scenes.labels
    row, column = 1, 5
    ((prediction, features),) = predict_batches(run.model, run.scenes["ood"], names, [row])
    cosine_logit = torch.logit(prediction.probabilities[0, column]) / run.model.aggregation.log_scale.exp()
    affinities = (
        (-5.5 * (1 - torch.cosine_similarity(features.pooled[0].float(), run.teacher_keys, dim=2))).exp().mean(1)
    )
    present = known[:, column]
    assert 0 < int(present.sum()) < len(present)
    cached = affinities[present].mean() - affinities[~present].mean()
    torch.testing.assert_close(predictions["ood"].probabilities[row, column], (cosine_logit + cached).sigmoid())
