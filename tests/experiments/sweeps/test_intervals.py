"""Committed numbers and scores of a sweep: they come back as they were, and intervals cover what varies."""

from __future__ import annotations

import copy
import gzip
import json
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch

from helpers.paths import ROOT
from helpers.scene_runs import names_of_objects
from helpers.sweep_results import STAGES, make_result, write_result
from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.scenes.predictions import save_predictions
from pickclutter_lang.experiments.scenes.scene_scores import CELL, read_scores, write_scores
from pickclutter_lang.experiments.scenes.table12 import Table12Config, read_tables, write_table
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.experiments.scenes.table12_tables import baselines, measures_of
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, load_sweep, number_at
from pickclutter_lang.experiments.sweeps.sweep_values import read_values, values_of, write_values
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.metrics.bootstrap import RunScores, SplitScores
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.utils.statistics import Estimate, estimate, verdict

FEW_SHOT_CELL = f"few_shot.{CELL}"
F1, MAP = (f"{FEW_SHOT_CELL}.model.{metric}" for metric in ("f1", "map"))
SCENES = 30


def predictions(split: int, method: str, key: Replicate) -> Predictions:
    """Scores of objects of both kinds; the better method separates present and absent labels more."""
    names = [*names_of_objects("id")[:2], *names_of_objects("ood")[:4]]
    targets = torch.from_numpy(np.random.default_rng(split).random((SCENES, len(names))) < 0.4)
    noise = torch.from_numpy(np.random.default_rng([*key, len(method)]).normal(size=targets.shape))
    scores = torch.sigmoid(noise + (3.0 if method == "best" else 1.0) * (targets.double() - 0.5))
    unseen = torch.tensor([False] * 2 + [True] * 4)
    return Predictions(scores.float(), targets, names, unseen, [f"ood/{split}/{n}" for n in range(SCENES)])


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods, two object splits, two seeds, two draws, with predictions."""
    folder = tmp_path_factory.mktemp("sweep")
    for method in ("cls", "best"):
        for split, seed, draw in np.ndindex(2, 2, 2):
            key = Replicate(split, seed, draw)
            made = predictions(split, method, key)
            unseen = made.of_splits(("ood",))
            result = make_result(method, seed, 0.4 + 0.1 * split + 0.02 * draw, object_split=split, few_shot_draw=draw)
            for stage in STAGES:
                result["metrics"][stage]["ood_on_ood"]["model"]["map"] = mean_average_precision(
                    unseen.probabilities, unseen.targets
                )
            place = write_result(folder, result).parent / "predictions"
            for stage in STAGES:
                save_predictions(place / f"{stage}_ood.npz", made)
    return folder


def test_numbers_come_back_as_they_were(sweep: Path, tmp_path: Path) -> None:
    results = load_sweep(sweep, TABLE12)
    values = values_of(results, measures_of, baselines(results))
    write_values(tmp_path / "values.csv", values)
    read = read_values(tmp_path / "values.csv")
    assert read.runs == values.runs and list(read.runs) == ["cls", "best", "always_no", "always_yes", "label_frequency"]
    assert read.replicates("always_no") == (Replicate(0, 0, 0), Replicate(1, 0, 0))
    head, first, *_ = (tmp_path / "values.csv").read_text().splitlines()
    assert head == "method,object_split,seed,draw,stage,cell,metric,value"
    assert first == "cls,0,0,0,zero_shot,,id_threshold,0.4"
    (tmp_path / "values.csv").write_text("method,seed\na,b\n")
    with pytest.raises(CheckpointError, match="object_split"):
        read_values(tmp_path / "values.csv")


def test_scores_come_back_with_exact_decisions_in_a_small_file(sweep: Path, tmp_path: Path) -> None:
    results, path = load_sweep(sweep, TABLE12), tmp_path / "scores.json.gz"
    assert write_scores(path, results)
    first = path.read_bytes()
    assert write_scores(path, results) and path.read_bytes() == first
    assert len(first) < 2.5 * 2 * 8 * 3 * SCENES * 4  # bytes for each score of each run and stage
    read = read_scores(path)
    assert set(read) == {f"{stage}.{CELL}" for stage in STAGES} and set(read[FEW_SHOT_CELL]) == {0, 1}
    made = predictions(1, "best", Replicate(1, 0, 1)).of_splits(("ood",))
    split = read[FEW_SHOT_CELL][1]
    run = split.runs["best"][0, 1]
    assert np.array_equal(split.targets, made.targets.numpy())
    assert np.array_equal(run.predicted, (made.probabilities > 0.4).numpy())
    assert np.allclose(run.scores, made.probabilities, rtol=6e-3)
    path.write_bytes(gzip.compress(b"{}"))
    with pytest.raises(CheckpointError, match="splits"):
        read_scores(path)


def test_scores_are_read_by_name_and_those_of_other_names_or_scenes_refused(sweep: Path, tmp_path: Path) -> None:
    path = tmp_path / "scores.json.gz"
    write_scores(path, load_sweep(sweep, TABLE12))
    content, before = (
        json.loads(gzip.decompress(path.read_bytes())),
        read_scores(path)[FEW_SHOT_CELL][0].runs["cls"][0, 0],
    )
    stage = content["runs"][0]["stages"]["few_shot"]
    for key in ("scores", "predicted"):
        stage[key] = dict(reversed(stage[key].items()))
    path.write_text(json.dumps(content))
    after = read_scores(path)[FEW_SHOT_CELL][0].runs["cls"][0, 0]
    assert np.array_equal(after.scores, before.scores) and np.array_equal(after.predicted, before.predicted)
    first = next(iter(stage["scores"]))
    for key, change in (("predicted", "0" * (SCENES - 1)), ("scores", [0.5] * (SCENES + 1)), ("scores", None)):
        damaged = copy.deepcopy(content)
        columns = damaged["runs"][0]["stages"]["few_shot"][key]
        if change is None:
            columns["other"] = columns.pop(first)
        else:
            columns[first] = change
        path.write_text(json.dumps(damaged))
        with pytest.raises(CheckpointError, match=r"damaged \(expected (30 scenes in every column|columns of)"):
            read_scores(path)


def test_other_scenes_of_one_split_are_refused_and_missing_predictions_said(sweep: Path, tmp_path: Path) -> None:
    for method in ("cls", "best"):
        place = write_result(tmp_path, make_result(method, 0, 0.4)).parent / "predictions"
        for stage in STAGES:
            save_predictions(place / f"{stage}_ood.npz", predictions(int(method == "best"), method, Replicate()))
    with pytest.raises(MismatchError, match="object split 0"):
        write_scores(tmp_path / "scores.json.gz", load_sweep(tmp_path, TABLE12))
    (tmp_path / "cls" / "seed0" / "predictions" / "few_shot_ood.npz").unlink()
    assert not write_scores(tmp_path / "scores.json.gz", load_sweep(tmp_path, TABLE12))


def test_intervals_cover_what_varies_and_the_page_says_it(sweep: Path, tmp_path: Path) -> None:
    page = write_table(Table12Config(str(sweep), str(tmp_path), None)).read_text()
    assert "cover 2 object splits, 2 seeds, 2 draws, 30 scenes, 4 classes (hierarchical bootstrap" in page
    assert "the very scenes they were chosen on" in page and "Y_id on X_id" in page
    values, _ = read_tables(tmp_path)
    exact = np.mean([value for value in load_sweep(sweep, TABLE12).values("best", MAP) if value is not None])
    found = values.estimate("best", MAP)
    assert found is not None and found.mean == pytest.approx(exact, abs=1e-6) and found.seeds == 8 and found.half_width
    without = IntervalResults(tmp_path, values.runs, {})
    runs_alone = without.estimate("best", MAP)
    assert runs_alone is not None and runs_alone.half_width and runs_alone.mean == pytest.approx(exact, abs=1e-6)
    assert "scenes and classes are not covered" in without.note(["cls", "best"])
    difference = values.difference(("best", MAP), ("cls", MAP))
    assert difference is not None and difference.mean > 0.1
    assert values.difference(("best", MAP), ("none", MAP)) is None
    other_cell = values.estimate("best", MAP.replace("ood_on_ood", "id_on_ood"))
    assert other_cell is not None and other_cell.half_width == pytest.approx(0, abs=1e-9)


def test_seeds_alone_have_students_interval(tmp_path: Path) -> None:
    for seed, f1 in enumerate((0.4, 0.44, 0.45)):
        write_result(tmp_path, make_result("cls", seed, f1))
    write_table(Table12Config(str(tmp_path), None, None))
    values, _ = read_tables(tmp_path)
    found = values.estimate("cls", F1)
    assert found is not None and found.half_width == pytest.approx(
        scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem([0.4, 0.44, 0.45])
    )
    assert "over seeds (Student's t); scenes and classes are not covered. One object split, one draw" in values.note(
        ["cls"]
    )


def results_of(values: dict[Replicate, float]) -> IntervalResults:
    """A sweep of one method, without scores per scene."""
    runs = {key: {"metrics": {"few_shot": {"accuracy": value}}} for key, value in values.items()}
    return IntervalResults(Path("runs"), {"cls": runs}, {})


def test_draws_that_all_splits_share_do_not_average_out() -> None:
    of_draw = (0.4, 0.44, 0.45)
    keys = [Replicate(split, 0, draw) for split, draw in np.ndindex(3, 3)]
    found = results_of({key: of_draw[key.draw] for key in keys}).estimate("cls", "few_shot.accuracy")
    assert found is not None and found.mean == pytest.approx(np.mean(of_draw))
    expected = scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem(of_draw)  # as of one split
    assert found.half_width == pytest.approx(expected, rel=0.15)


def test_the_note_says_what_each_row_covers_where_rows_differ(sweep: Path, tmp_path: Path) -> None:
    write_table(Table12Config(str(sweep), str(tmp_path), None))
    values, _ = read_tables(tmp_path)
    kept = [Replicate(0, seed, 0) for seed in (0, 1)]
    runs = {**values.runs, "best": {key: values.runs["best"][key] for key in kept}}
    scores = {
        stage: {
            split: replace(own, runs={**own.runs, "best": kept_runs(own, split, kept)["best"]})
            for split, own in splits.items()
        }
        for stage, splits in values.scores.items()
    }
    note = IntervalResults(tmp_path, runs, {}, (), scores).note(["cls", "best"])
    first, second = note.split(" `cls`: ")[1].split(" `best`: ")
    assert "cover 2 object splits, 2 seeds, 2 draws, 30 scenes, 4 classes" in first and "not covered" not in first
    assert "cover 2 seeds, 30 scenes, 4 classes" in second and "One object split, one draw: not covered." in second
    without = IntervalResults(tmp_path, runs, {}).note(["cls", "best"])
    assert "`cls`: 95% intervals: over 2 object splits, 2 seeds, 2 draws" in without
    assert "`best`: 95% intervals: over seeds (Student's t)" in without


def test_means_of_an_unbalanced_sweep_weight_object_splits_alike(sweep: Path, tmp_path: Path) -> None:
    write_table(Table12Config(str(sweep), str(tmp_path), None))
    values, _ = read_tables(tmp_path)
    kept = [Replicate(split, seed, draw) for split, seed, draw in np.ndindex(2, 2, 2) if not split or not seed]
    runs = {name: {key: result for key, result in own.items() if key in kept} for name, own in values.runs.items()}
    scores = {
        stage: {split: replace(own, runs=kept_runs(own, split, kept)) for split, own in splits.items()}
        for stage, splits in values.scores.items()
    }
    for found in (IntervalResults(tmp_path, runs, {}, (), scores), IntervalResults(tmp_path, runs, {})):
        of_splits = [
            np.mean([number_at(result, MAP) or 0 for key, result in runs["best"].items() if key.object_split == split])
            for split in (0, 1)
        ]
        estimate = found.estimate("best", MAP)
        assert estimate is not None and estimate.mean == pytest.approx(np.mean(of_splits), abs=1e-6)
        assert estimate.seeds == 6 and estimate.half_width
        pair = found.difference(("best", MAP), ("cls", MAP)), found.estimate("cls", MAP)
        assert pair[0] is not None and pair[1] is not None
        assert pair[0].mean == pytest.approx(estimate.mean - pair[1].mean, abs=1e-6)


def test_rows_without_training_cover_scenes_and_objects_and_missing_scores_leave_no_interval(
    sweep: Path, tmp_path: Path
) -> None:
    page = write_table(Table12Config(str(sweep), str(tmp_path), None)).read_text()
    assert "all-negative and all-positive: their intervals of F1 and mAP cover the same without seeds" in page
    values, _ = read_tables(tmp_path)
    runs_alone = IntervalResults(tmp_path, values.runs, {})
    for measure in (F1, MAP):
        found, of_splits = (of.estimate("always_yes", measure) for of in (values, runs_alone))
        assert found is not None and of_splits is not None and found.mean == pytest.approx(of_splits.mean)
        assert found.half_width  # the made-up results have equal values in both splits
        no_frequencies = values.estimate("label_frequency", measure)
        assert no_frequencies is not None and no_frequencies.half_width is None
    scores = {stage: {0: splits[0]} for stage, splits in values.scores.items()}
    part = IntervalResults(tmp_path, values.runs, {}, (), scores)
    mean, whole = part.estimate("best", MAP), values.estimate("best", MAP)
    assert mean is not None and whole is not None and mean.mean == whole.mean and mean.half_width is None
    assert values.pairs("best", "cls") == values.pairs("best", "always_yes") == whole.seeds
    chance = values.difference(("best", MAP), ("always_yes", MAP)), values.estimate("always_yes", MAP)
    assert chance[0] is not None and chance[1] is not None and chance[0].half_width
    assert chance[0].mean == pytest.approx(whole.mean - chance[1].mean) and chance[0].seeds == whole.seeds
    difference = part.difference(("best", MAP), ("cls", MAP))
    assert difference is not None and difference.half_width is None


def kept_runs(split: SplitScores, number: int, kept: list[Replicate]) -> dict[str, dict[tuple[int, int], RunScores]]:
    return {
        name: {key: run for key, run in runs.items() if Replicate(number, *key) in kept}
        for name, runs in split.runs.items()
    }


@pytest.mark.parametrize(
    ("mean", "half_width", "expected"),
    [
        (0.9, 0.04, "met"),
        (0.9, 0.06, "not shown"),
        (0.8, 0.04, "missed"),
        (0.9, None, "not shown"),
        (0.9, 0.05, "not shown"),
    ],
)
def test_an_aim_is_met_by_the_interval(mean: float, half_width: float | None, expected: str) -> None:
    assert verdict(Estimate(mean, half_width, 3), 0.85) == expected
    assert verdict(None, 0.85) == "not shown"


def test_an_interval_that_resampling_knows_no_better_shows_nothing() -> None:
    near = Estimate(0.242, 0.232, 27, 0.008)
    assert (near.side_of(0), near._replace(error=0.0).side_of(0), near._replace(mean=-0.25).side_of(0)) == (0, 1, -1)
    assert "**" not in difference_cell(near) and difference_cell(near._replace(error=0.0)) == "**+24.2 ± 23.2**"
    assert verdict(near, 0.0) == "not shown"


def test_parts_of_a_sweep_are_one_table_on_a_page(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    module = import_module("result_sweeps")
    monkeypatch.setattr(module, "DATA", tmp_path / "data")
    places = load_sweep(sweep, TABLE12).folders
    for (name, key), folder in places.items():
        shutil.copytree(folder, tmp_path / "runs" / f"part_of_seed{key.seed}" / name / key.folder_name)
    for part in (tmp_path / "runs").iterdir():
        write_table(Table12Config(str(part), str(tmp_path / "data" / "rotations" / part.name), None))
    write_table(Table12Config(str(sweep), str(tmp_path / "data" / "whole"), None))
    (merged, about), (whole, of_whole) = map(module.table12_sweep, ("rotations", "whole"))
    for measure in (F1, MAP, "few_shot.ood_on_ood.model.accuracy"):
        for method in ("cls", "best", "always_yes"):
            assert merged.estimate(method, measure) == whole.estimate(method, measure), (method, measure)
        assert merged.difference(("best", measure), ("cls", measure)) == whole.difference(
            ("best", measure), ("cls", measure)
        )
    assert merged.note(["best"]) == whole.note(["best"]) and [*map(list, about["pairs"])] == of_whole["pairs"]
    for name in ("cls", "best"):  # two sweeps with other methods over the same runs
        methods = tmp_path / "methods" / name
        shutil.copytree(sweep / name, methods / name)
        write_table(Table12Config(str(methods), str(tmp_path / "data" / f"of_{name}"), None))
    joined, of_joined = module.table12_sweep("of_best+of_cls")
    assert list(joined.runs) == list(whole.runs) and of_joined["pairs"] == about["pairs"]
    assert about["pairs"] == [("best", "cls"), ("cls", "always_yes"), ("best", "always_yes")]
    assert joined.difference(("best", MAP), ("cls", MAP)) == whole.difference(("best", MAP), ("cls", MAP))
    with pytest.raises(module.ResultError, match=r"runs of each sweep of of_best\+nowhere, but got none of nowhere"):
        module.table12_sweep("of_best+nowhere")
    with pytest.raises(module.ResultError, match=r"two parts have cls/seed0, seed0_draw1"):
        module._merged([(merged, about), (whole, of_whole)], tmp_path)
    for change, message in (({"teacher": "other"}, "one teacher"), ({"settings": {"x": {"cls": "2"}}}, "one x of cls")):
        other = {**of_whole, "settings": {"x": {"cls": "1"}}}, {**of_whole, "settings": {}, **change}
        with pytest.raises(module.ResultError, match=message):
            module._merged([(merged, other[0]), (IntervalResults(tmp_path, {}, {}), other[1])], tmp_path)


def test_splits_of_the_classes_of_images_are_covered_without_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    module = import_module("result_sweeps")
    monkeypatch.setattr(module, "DATA", tmp_path)
    measure, head = "zero_shot.ood.accuracy", "method,object_split,seed,draw,stage,cell,metric,value\n"
    of_splits = ((0.50, 0.52, 0.54), (0.30, 0.32, 0.34))
    lines = [
        f"{name},{split},{seed},0,zero_shot,ood,accuracy,{value + more:.2f}\n"
        for split, values in enumerate(of_splits)
        for name, more in (("cls", 0.0), ("mse", -0.1))
        for seed, value in enumerate(values)
    ]
    (tmp_path / "images" / "photos").mkdir(parents=True)
    (tmp_path / "images" / "photos" / "values.csv").write_text(head + "".join(lines))
    sweep = module.image_sweep("photos")
    found = sweep.estimate("cls", measure)
    assert found is not None and found.mean == pytest.approx(0.42) and found.seeds == 6
    one_split = estimate(list(of_splits[0]))
    assert found.half_width is not None and one_split.half_width is not None
    assert found.half_width > 5 * one_split.half_width  # the splits lie 20 points apart, the seeds 2
    difference = sweep.difference(("cls", measure), ("mse", measure))
    assert difference is not None and difference.mean == pytest.approx(0.1)
    assert difference.half_width == pytest.approx(0.0, abs=1e-9)  # in every run the same
    assert "2 class splits, 3 seeds" in sweep.note(["cls"])
