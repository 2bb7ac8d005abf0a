"""The hierarchical bootstrap: its metrics against slow ones, its pairing, and its coverage where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.metrics import mean_average_precision, observation_f1
from pickclutter_lang.metrics.bootstrap import (
    HierarchicalBootstrap,
    Metric,
    RunScores,
    SplitScores,
)
from pickclutter_lang.metrics.resample_weights import union_weights
from pickclutter_lang.metrics.weighted import weighted_average_precision, weighted_class_recall, weighted_scene_f1


def slow_average_precision(scores: NDArray[np.float64], present: NDArray[np.bool_]) -> float:
    """Sum precision times gained recall over the distinct scores, from high to low."""
    total, before = 0.0, 0.0
    for bound in sorted(set(scores.tolist()), reverse=True):
        above = scores >= bound
        recall = (present & above).sum() / present.sum()
        total += (recall - before) * (present & above).sum() / above.sum()
        before = recall
    return total


def slow_scene_f1(predicted: NDArray[np.bool_], present: NDArray[np.bool_]) -> float:
    values = []
    for own, true in zip(predicted, present, strict=True):
        if true.any():
            values.append(2 * (own & true).sum() / (own.sum() + true.sum()))
    return float(np.mean(values))


def slow_class_recall(predicted: NDArray[np.bool_], present: NDArray[np.bool_]) -> float:
    own = [(predicted[:, c] & present[:, c]).sum() / present[:, c].sum() for c in range(present.shape[1])
           if present[:, c].any()]  # fmt: skip
    return float(np.mean(own))


def random_scores(seed: int, scenes: int = 40, classes: int = 5) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    targets = rng.random((scenes, classes)) < 0.3
    scores = np.round(1 / (1 + np.exp(-rng.normal(2.0 * targets - 1.5))), 2)  # some scores are equal
    return scores, targets


def test_weights_are_copies_of_rows() -> None:
    scores, targets = random_scores(0)
    rng = np.random.default_rng(1)
    scenes = rng.multinomial(39, [1 / 40] * 40, size=6)
    classes = rng.multinomial(4, [1 / 5] * 5, size=6)
    found_f1 = weighted_scene_f1(scores > 0.5, targets, scenes.astype(float), classes.astype(float))
    found_recall = weighted_class_recall(scores > 0.5, targets, scenes.astype(float), classes.astype(float))
    found_ap = np.stack([weighted_average_precision(scores[:, c], targets[:, c], scenes * 1.0) for c in range(5)])
    for b in range(6):
        rows, columns = np.repeat(np.arange(40), scenes[b]), np.repeat(np.arange(5), classes[b])
        copied = (scores > 0.5)[rows][:, columns], targets[rows][:, columns]
        assert found_recall[b] == pytest.approx(slow_class_recall(*copied), abs=1e-12)
        assert found_f1[b] == pytest.approx(slow_scene_f1(*copied), abs=1e-12)
        for c in range(5):
            assert found_ap[c, b] == pytest.approx(slow_average_precision(scores[rows, c], targets[rows, c]), abs=1e-12)


def test_a_class_without_a_drawn_positive_is_nan_and_left_out() -> None:
    present = np.array([True, False, False])
    weights = np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    found = weighted_average_precision(np.array([0.3, 0.9, 0.1]), present, weights)
    assert np.isnan(found[0]) and found[1] == pytest.approx(0.5)
    targets = np.stack([present, ~present], axis=1)
    run = RunScores(targets + 0.0, targets)
    both = HierarchicalBootstrap({0: SplitScores(targets, {"a": {(0, 0): run}})}, resamples=50)
    estimate = both.estimate("a", "map")
    assert estimate is not None and estimate.mean == 1.0 and estimate.half_width == 0.0


@pytest.mark.parametrize("resamples", [20, 200, 220])
def test_rare_positives_leave_an_interval_with_its_error(resamples: int) -> None:
    scores, _ = random_scores(6, scenes=4, classes=1)
    targets = np.array([[True], [False], [False], [False]])  # a third of the resamples have none
    runs = {"a": {(seed, 0): RunScores(scores**seed, scores > 0.5) for seed in (1, 2, 3)}}
    found = HierarchicalBootstrap({0: SplitScores(targets, runs)}, resamples).estimate("a", "map")
    assert found is not None and found.half_width is not None and np.isfinite(found.half_width)
    assert np.isfinite(found.error) and found.error >= found.half_width / np.sqrt(2 * resamples)


def test_without_any_positive_there_is_no_estimate() -> None:
    scores, targets = random_scores(8)
    runs = {name: {(0, 0): RunScores(scores, scores > 0.5)} for name in "ab"}
    bootstrap = HierarchicalBootstrap({0: SplitScores(np.zeros_like(targets), runs)}, resamples=10)
    assert [bootstrap.estimate("a", metric) for metric in ("map", "f1")] == [None, None]
    assert bootstrap.difference("a", "b", "map") is None


def test_point_estimates_are_the_metrics_of_tables() -> None:
    scores, targets = random_scores(2)
    bootstrap = HierarchicalBootstrap(
        {0: SplitScores(targets, {"a": {(0, 0): RunScores(scores, scores > 0.4)}})}, resamples=10
    )
    cases: tuple[tuple[Metric, float], ...] = (
        ("map", mean_average_precision(torch.from_numpy(scores), torch.from_numpy(targets))),
        ("f1", observation_f1(torch.from_numpy(scores > 0.4), torch.from_numpy(targets))),
    )
    for metric, expected in cases:
        found = bootstrap.estimate("a", metric)
        assert found is not None and found.mean == pytest.approx(expected, abs=1e-6) and found.half_width


def test_equal_methods_differ_by_nothing_and_only_shared_runs_are_compared() -> None:
    scores, targets = random_scores(3)
    run = RunScores(scores, scores > 0.5)
    runs = {"a": {(0, 0): run, (1, 0): run, (2, 0): run}, "b": {(1, 0): run, (2, 0): run, (7, 0): run}, "c": {}}
    bootstrap = HierarchicalBootstrap({0: SplitScores(targets, runs)}, resamples=40)
    found = bootstrap.difference("a", "b", "f1")
    assert found is not None and (found.mean, found.half_width, found.seeds) == (0.0, 0.0, 2)
    assert found.side_of(0.1) == found.side_of(-0.1) == 0  # values that are all equal show nothing of their variance
    assert bootstrap.difference("a", "c", "f1") is None and bootstrap.estimate("c", "map") is None
    assert bootstrap.covers("a", "b") == {"object splits": 1, "seeds": 2, "draws": 1, "scenes": 40, "classes": 5}


def test_what_is_not_trained_is_paired_with_every_run() -> None:
    scores, targets = random_scores(5)
    keys = [(seed, draw) for seed in range(3) for draw in range(2)]
    trained = {key: RunScores(scores ** (1 + n), scores > 0.3 + 0.05 * n) for n, key in enumerate(keys)}
    always = RunScores(np.ones_like(scores), np.ones_like(targets))
    copied = {0: SplitScores(targets, {"a": trained, "yes": dict.fromkeys(keys, always)})}
    single = {0: SplitScores(targets, {"a": trained, "yes": {keys[0]: always}})}
    expected = HierarchicalBootstrap(copied, 50).difference("a", "yes", "f1")
    found = HierarchicalBootstrap(single, 50, untrained=("yes",)).difference("a", "yes", "f1")
    assert found == expected and found is not None and found.half_width is not None
    assert found.seeds == 6
    parts = [HierarchicalBootstrap(single, 400, seed, ("yes",)).difference("a", "yes", "f1") for seed in range(12)]
    widths = [part.half_width for part in parts if part is not None and part.half_width is not None]
    errors = [part.error for part in parts if part is not None]
    assert 0.4 < np.mean(errors) / np.std(widths, ddof=1) < 2.5  # what other seeds give
    alone = HierarchicalBootstrap(single, 50).difference("a", "yes", "f1")
    assert alone is not None and alone.seeds == 1 and alone.half_width != found.half_width


def test_the_same_seed_gives_the_same_interval() -> None:
    scores, targets = random_scores(4)
    runs = {"a": {(k, d): RunScores(scores**k, scores > 0.3) for k in (1, 2) for d in (0, 1)}}
    first, again = (HierarchicalBootstrap({0: SplitScores(targets, runs)}, 30).estimate("a", "map") for _ in "ab")
    assert first == again
    with pytest.raises(InvalidArgumentError, match="a split"):
        HierarchicalBootstrap({})


def simulated(rng: np.random.Generator, spread: float, splits: int) -> tuple[HierarchicalBootstrap, float]:
    """Draw splits, seeds, draws, scenes and classes whose decisions are right with a random share; return the truth.

    F1 of one label a scene that is always there is 1 where it is predicted, else 0: its mean is the share itself.
    """
    found = {}
    for split in range(splits):
        center = 0.5 + spread * rng.normal()
        of_seed, of_draw = (spread * rng.normal(size=3) for _ in "sd")
        of_scene = spread * rng.normal(size=(30, 1))
        targets = np.ones((30, 1), dtype=bool)
        runs = {}
        for seed in range(3):
            for draw in range(3):
                share = center + of_seed[seed] + of_draw[draw] + of_scene
                predicted = rng.random((30, 1)) < share
                runs[seed, draw] = RunScores(predicted + 0.0, predicted)
        found[split] = SplitScores(targets, {"a": runs})
    return HierarchicalBootstrap(found, resamples=120, seed=1), 0.5


@pytest.mark.parametrize(("spread", "splits"), [(0.08, 3), (0.0, 1)])
def test_intervals_cover_the_truth(spread: float, splits: int) -> None:
    rng, covered = np.random.default_rng(5), 0
    for _ in range(120):
        bootstrap, truth = simulated(rng, spread, splits)
        found = bootstrap.estimate("a", "f1")
        assert found is not None and found.half_width
        covered += abs(found.mean - truth) <= found.half_width
    assert covered / 120 >= 0.88  # nominal 0.95; drawing on all levels is conservative


def test_intervals_of_one_factor_are_not_far_too_wide() -> None:
    rng, widths, means = np.random.default_rng(6), [], []
    for _ in range(60):
        predicted = rng.random((60, 1)) < 0.5
        split = SplitScores(np.ones((60, 1), dtype=bool), {"a": {(0, 0): RunScores(predicted + 0.0, predicted)}})
        found = HierarchicalBootstrap({0: split}, resamples=200, seed=2).estimate("a", "f1")
        assert found is not None and found.half_width is not None
        widths.append(found.half_width)
        means.append(found.mean)
    assert 0.75 < np.mean(widths) / (2.0 * np.sqrt(0.25 / 60)) < 1.25


def test_scenes_that_all_splits_share_do_not_average_out() -> None:
    predicted = np.random.default_rng(7).random((60, 1)) < 0.5
    targets, runs = np.ones((60, 1), dtype=bool), {"a": {(0, 0): RunScores(predicted + 0.0, predicted)}}
    ids = tuple(map(str, range(60)))
    widths = []
    for scenes in ([ids, ids, ids, ids], [(), (), (), ()]):
        splits = {n: SplitScores(targets, runs, own) for n, own in enumerate(scenes)}
        found = HierarchicalBootstrap(splits, resamples=400, seed=3).estimate("a", "f1")
        assert found is not None and found.half_width is not None
        widths.append(found.half_width)
    assert widths[0] / (2.0 * np.sqrt(0.25 / 60)) == pytest.approx(1.0, abs=0.15)  # as of one split
    assert widths[1] < 0.75 * widths[0]


def test_scenes_that_splits_share_in_part_do_not_average_out() -> None:
    right = np.random.default_rng(7).random((60, 1)) < 0.5
    widths = []
    for named in (True, False):
        splits = {}
        for n in range(4):  # each lacks four scenes of the others
            kept = [k for k in range(60) if k // 4 != n]
            runs = {"a": {(0, 0): RunScores(right[kept] + 0.0, right[kept])}}
            ids = tuple(map(str, kept)) if named else ()
            splits[n] = SplitScores(np.ones((len(kept), 1), dtype=bool), runs, ids)
        found = HierarchicalBootstrap(splits, resamples=400, seed=3).estimate("a", "f1")
        assert found is not None and found.half_width is not None
        widths.append(found.half_width)
    assert widths[0] / (2.0 * np.sqrt(0.25 / 60)) == pytest.approx(1.0, abs=0.15)  # as of one split
    assert widths[1] < 0.75 * widths[0]


def test_a_small_split_that_shares_units_never_draws_none() -> None:
    units = {0: ["a", "b"], 1: ["b", "c"], 2: ["d", "e"]}
    found = union_weights(np.random.default_rng(0), 4000, units)
    for weights in found.values():
        assert weights.any(axis=1).all()
        assert weights.mean(axis=0) == pytest.approx(weights.mean(), rel=0.1)  # as often as its other unit
    assert np.array_equal(found[0][:, 1] > 0, found[1][:, 0] > 0) is False  # where one of them drew anew
    assert ((found[0][:, 1] > 0) == (found[1][:, 0] > 0)).mean() > 0.5  # and else b is drawn for both


def splits_of_recalls(shares: NDArray[np.float64], splits: list[list[int]], named: bool) -> HierarchicalBootstrap:
    """Return splits of classes whose recall is the same in every split that has them, with others or without names."""
    found = {}
    for n, chosen in enumerate(splits):
        predicted = np.arange(50)[:, None] < np.round(50 * shares[chosen])
        targets, runs = np.ones(predicted.shape, dtype=bool), {"a": {(0, 0): RunScores(predicted + 0.0, predicted)}}
        found[n] = SplitScores(targets, runs, (), tuple(map(str, chosen)) if named else ())
    return HierarchicalBootstrap(found, resamples=200, seed=4)


def test_intervals_cover_the_truth_where_splits_share_classes() -> None:
    rng, covered = np.random.default_rng(8), {True: 0, False: 0}
    for _ in range(120):
        shares = rng.random(26)  # new classes, of a population whose mean recall is 0.5
        splits = [rng.choice(26, 12, replace=False).tolist() for _ in range(3)]
        for named in covered:
            found = splits_of_recalls(shares, splits, named).estimate("a", "recall")
            assert found is not None and found.half_width
            covered[named] += abs(found.mean - 0.5) <= found.half_width
    assert covered[True] / 120 >= 0.9 and covered[False] < covered[True]


def test_splits_of_the_same_classes_are_as_wide_as_one() -> None:
    shares, chosen = np.random.default_rng(9).random(12), list(range(12))
    one, *two = (splits_of_recalls(shares, [chosen] * n, named) for n, named in ((1, True), (4, True), (4, False)))
    width, shared, apart = (of.estimate("a", "recall") for of in (one, *two))
    assert width is not None and shared is not None and apart is not None
    assert width.half_width and shared.half_width and apart.half_width
    assert shared.half_width == pytest.approx(width.half_width, rel=0.15)
    assert apart.half_width < 0.85 * shared.half_width


def test_a_missing_draw_or_a_split_of_other_scenes_does_not_narrow_an_interval() -> None:
    rng = np.random.default_rng(10)
    ids, targets = tuple(map(str, range(60))), np.ones((60, 1), dtype=bool)
    of_draws = [rng.random((60, 1)) < share for share in (0.3, 0.5, 0.7)]
    runs = {(seed, draw): RunScores(one + 0.0, one) for seed in (0, 1) for draw, one in enumerate(of_draws)}
    fewer = {key: run for key, run in runs.items() if key != (1, 2)}
    single = {key: run for key, run in runs.items() if not key[1]}
    whole = [SplitScores(targets, {"a": runs}, ids) for _ in range(3)]

    def width(*splits: SplitScores) -> float:
        found = HierarchicalBootstrap(dict(enumerate(splits)), resamples=400, seed=5).estimate("a", "f1")
        assert found is not None and found.half_width is not None
        return found.half_width

    balanced = width(*whole)
    assert width(*whole, SplitScores(targets, {"a": fewer}, ids)) == pytest.approx(balanced, rel=0.15)
    apart = width(*(SplitScores(targets, {"a": runs}) for _ in range(4)))
    others = SplitScores(targets, {"a": runs}, tuple(f"other {n}" for n in range(60)))
    assert apart < 0.6 * balanced and width(*whole, others) > 0.7 * balanced  # 3 of the 4 share their draws
    assert width(*whole, SplitScores(targets, {"a": single}, ids)) > apart  # that split's draw is not covered
