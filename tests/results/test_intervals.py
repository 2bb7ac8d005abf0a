"""The hierarchical bootstrap: its metrics against slow ones, its pairing, and its coverage where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from pickclutter_lang.metrics.multilabel import weighted_ap
from pickclutter_lang.results.intervals import (
    Bootstrap,
    RunScores,
    SplitScores,
    _metric,
    mean_interval,
    share,
    share_difference,
)


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
    rows = [(own, true) for own, true in zip(predicted, present, strict=True) if true.any()]
    return float(np.mean([2 * (own & true).sum() / (own.sum() + true.sum()) for own, true in rows]))


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
    run = RunScores(scores, scores > 0.5)
    weights = (scenes.astype(float), classes.astype(float))
    found_f1, found_recall = (_metric(run, targets, *weights, metric) for metric in ("f1", "recall"))
    found_ap = np.stack([weighted_ap(scores[:, c], targets[:, c], scenes * 1.0) for c in range(5)])
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
    found = weighted_ap(np.array([0.3, 0.9, 0.1]), present, weights)
    assert np.isnan(found[0]) and found[1] == pytest.approx(0.5)
    targets = np.stack([present, ~present], axis=1)
    run = RunScores(targets + 0.0, targets)
    both = Bootstrap({0: SplitScores(targets, {"a": {(0, 0): run}})}, resamples=50)
    estimate = both.estimate("a", "map")
    assert estimate is not None and estimate.mean == 1.0 and estimate.half_width == 0.0


def test_equal_methods_differ_by_nothing_and_only_shared_runs_are_compared() -> None:
    scores, targets = random_scores(3)
    run = RunScores(scores, scores > 0.5)
    runs = {"a": {(0, 0): run, (1, 0): run, (2, 0): run}, "b": {(1, 0): run, (2, 0): run, (7, 0): run}, "c": {}}
    bootstrap = Bootstrap({0: SplitScores(targets, runs)}, resamples=40)
    found = bootstrap.difference("a", "b", "f1")
    assert found is not None and (found.mean, found.half_width, found.runs) == (0.0, 0.0, 2)
    assert not found._replace(mean=0.1).leaves_out_zero  # values that are all equal show nothing of their variance
    assert bootstrap.difference("a", "c", "f1") is None and bootstrap.estimate("c", "map") is None


def simulated(rng: np.random.Generator, spread: float, splits: int) -> tuple[Bootstrap, float]:
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
    return Bootstrap(found, resamples=120), 0.5


@pytest.mark.parametrize(("spread", "splits"), [(0.08, 3), (0.0, 1)])
def test_intervals_cover_the_truth(spread: float, splits: int) -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(120):
        bootstrap, truth = simulated(rng, spread, splits)
        found = bootstrap.estimate("a", "f1")
        assert found is not None and found.half_width
        covered += abs(found.mean - truth) <= found.half_width
    assert covered / 120 >= 0.88  # nominal 0.95; drawing on all levels is conservative


def splits_of_recalls(shares: NDArray[np.float64], splits: list[list[int]], named: bool) -> Bootstrap:
    """Return splits of classes whose recall is the same in every split that has them, with others or without names."""
    found = {}
    for n, chosen in enumerate(splits):
        predicted = np.arange(50)[:, None] < np.round(50 * shares[chosen])
        targets = np.ones(predicted.shape, dtype=bool)
        runs = {"a": {(0, 0): RunScores(predicted + 0.0, predicted)}}
        found[n] = SplitScores(targets, runs, (), tuple(map(str, chosen)) if named else ())
    return Bootstrap(found, resamples=200)


def test_intervals_cover_the_truth_where_splits_share_classes() -> None:
    rng = np.random.default_rng(8)
    covered = {True: 0, False: 0}
    for _ in range(120):
        shares = rng.random(26)  # new classes, of a population whose mean recall is 0.5
        splits = [rng.choice(26, 12, replace=False).tolist() for _ in range(3)]
        for named in covered:
            found = splits_of_recalls(shares, splits, named).estimate("a", "recall")
            assert found is not None and found.half_width
            covered[named] += abs(found.mean - 0.5) <= found.half_width
    assert covered[True] / 120 >= 0.9 and covered[False] < covered[True]


def test_means_of_seeds_have_the_interval_of_student() -> None:
    values = [0.40, 0.44, 0.45]
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
    found = mean_interval(values)
    assert found.half_width == pytest.approx((high - low) / 2) and found.runs == 3
    assert mean_interval([0.3]).half_width is None


def test_shares_and_their_differences() -> None:
    each = [str(n) for n in range(20)]
    assert str(share([False] * 20, ["a"] * 20)) == "0 (0 to 16; 0/20)" and str(share([], [])) == "-"
    first, second = [True] * 12 + [False] * 8, [True] * 5 + [False] * 15
    wilson = scipy.stats.binomtest(12, 20).proportion_ci(0.95, method="wilson")
    found = share(first, ["a"] * 20)
    assert found[:3] == pytest.approx((0.6, wilson.low, wilson.high)) and found[3:] == (20, 12)
    apart = share_difference(first, second, each)
    assert apart is not None and apart.mean == pytest.approx(0.35) and 0 < apart.low < 0.35 < apart.high
    same = share_difference(first, first, each)
    assert same is not None and same.low < 0 < same.high and not same.leaves_out_zero
    assert share_difference([], [], []) is None


def test_intervals_of_shares_cover_the_truth_where_outcomes_of_an_object_are_alike() -> None:
    rng = np.random.default_rng(0)
    covered = {"share": 0, "difference": 0}
    for _ in range(400):
        names = np.repeat(np.arange(24), rng.integers(1, 20, 24))
        chances = rng.beta(3, 1, (2, 24))[:, names]
        first, second = (rng.random(chances.shape) < chances).tolist()
        one = share(first, names.tolist())
        apart = share_difference(first, second, names.tolist())
        covered["share"] += one.low <= 0.75 <= one.high
        covered["difference"] += apart is not None and apart.low <= 0 <= apart.high
    assert all(0.92 <= count / 400 <= 0.99 for count in covered.values())
