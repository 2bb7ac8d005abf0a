"""Table 12 over seeds and splits, from constructed results with known means and intervals, and what runs must share."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from helpers.forkserver import run_python
from helpers.paths import PROGRAM
from helpers.sweep_results import make_result, write_result
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.experiments.scenes.table12 import (
    score_tables,
    with_baselines,
    write_table,
)
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.results.runs import Runs, load_runs
from pickclutter_lang.results.scores import Cell, Scores
from pickclutter_lang.results.tables import table_rows

F1 = {
    "closed_set": [0.30, 0.36, 0.33],
    "cls": [0.40, 0.44, 0.45],
    "cls_imcst_semantic": [0.50, 0.52, 0.57],
    "best": [0.60, 0.63, 0.66],
    "best_no_region": [0.58, 0.66, 0.60],
}


@pytest.fixture
def grid_folder(tmp_path: Path) -> Path:
    for method, values in F1.items():
        for seed, value in enumerate(values):
            write_result(tmp_path, make_result(method, seed, value))
    return tmp_path


def loaded(folder: Path) -> Runs:
    return with_baselines(load_runs(folder, TABLE12))


def f1_rows(runs: Runs) -> list[str]:
    return table_rows(runs, score_tables(runs)[0]).splitlines()


def test_methods_are_in_the_papers_order_with_its_figures_and_intervals(grid_folder: Path) -> None:
    rows = f1_rows(loaded(grid_folder))
    names = [row.split("|")[1].strip() for row in rows[2:]]
    assert names == [*(f"`{name}`" for name in F1), "all-negative", "all-positive", "label frequency"]
    values = F1["cls"]
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
    assert f"{100 * np.mean(values):.1f} ± {50 * (high - low):.1f}" in rows[3]
    assert "*NA / 35.9*" in rows[2] and "11.7 / 50.7" in rows[4]  # of the paper
    assert rows[2].count("†") == 1 and "†" not in rows[3]  # a closed set's zero-shot Y_ood is chance


@pytest.mark.parametrize("other", ["split", "objects"])
def test_figures_of_the_paper_stand_beside_its_unseen_objects_alone(tmp_path: Path, other: str) -> None:
    result = make_result("cls", 0, 0.4, object_split=int(other == "split"))
    for stage in result["metrics"].values() if other == "objects" else ():
        for cell in (one for one in stage.values() if isinstance(one, dict)):
            cell["classes"] = {f"my {name}": row for name, row in cell["classes"].items()}
    write_result(tmp_path, result)
    assert "paper" not in f1_rows(loaded(tmp_path))[0]


def test_scores_per_scene_are_resampled_and_shared_by_methods(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = ("banana", "mug")
    scenes = tuple(f"s{n}" for n in range(40))
    targets = rng.random((40, 2)) < 0.4
    for method, shift in (("cls", 0.2), ("best", 0.5)):
        for seed in range(2):
            path = write_result(tmp_path, make_result(method, seed, 0.4)).parent
            scores = np.clip(rng.random((40, 2)) * 0.6 + shift * targets, 0, 1).astype(np.float32)
            cell = Cell(scenes, labels, scores, targets, scores > 0.5)
            Scores.of_cells([(("few_shot", "ood_on_ood"), cell)]).save(path)
    runs = loaded(tmp_path)
    measure = "few_shot.ood_on_ood.model.map"
    one = runs.estimate("cls", measure)
    other = runs.estimate("cls", "few_shot.id_on_ood.model.map")
    assert one is not None and other is not None and one.mean == pytest.approx(other.mean)
    assert one.half_width and one.half_width > 0 and other.half_width == 0  # two equal seeds
    assert "40 scenes, 2 classes" in runs.note(["cls"])
    change = runs.difference(("best", measure), ("always_yes", measure))
    assert change is not None and change.half_width and change.half_width > 0


def test_page_and_csv_agree(grid_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("out")
    page = write_table(str(grid_folder), str(out))
    lines = list(csv.DictReader((out / "table12.csv").open()))
    place = ("cls", "", "few_shot.ood_on_ood.model.f1")
    row = next(line for line in lines if (line["row"], line["minus"], line["measure"]) == place)
    assert row["values"] == "0.400000 0.440000 0.450000" and row["runs"] == "3"
    assert "43.0 ±" in page.read_text() and (out / "report.html").is_file()


def change(result: dict[str, Any], where: str, value: object) -> None:
    *path, last = where.split(".")
    for key in path:
        result = result[key]
    result[last] = value


@pytest.mark.parametrize(
    ("method", "where", "value"),
    [
        ("cls", "config.distill.epochs", 9),
        ("cls", "data.train.content", "x"),
        ("cls", "teacher.fingerprint", "g"),
        ("best", "config.distill.epochs", 9),
        ("best", "data.ood.content", "other"),
    ],
)
def test_runs_on_other_terms_are_refused(tmp_path: Path, method: str, where: str, value: object) -> None:
    write_result(tmp_path, make_result("cls", 0, 0.4))
    other = make_result(method, 1, 0.4)
    change(other, where, value)
    write_result(tmp_path, other)
    with pytest.raises(MismatchError, match=where.removeprefix("config.")):
        load_runs(tmp_path, TABLE12)


def test_a_table_of_finished_runs_is_of_those_that_are_asked_for(tmp_path: Path) -> None:
    for split, seed in np.ndindex(3, 2):
        write_result(tmp_path, make_result("cls", seed, 0.4, object_split=split))
    other = make_result("best", 0, 0.4, object_split=1)
    change(other, "config.distill.epochs", 9)  # it could not be in one table with the others
    write_result(tmp_path, other)
    command = [*PROGRAM, "reproduce-table12", "tables_only=true", f"out={tmp_path}"]
    chosen = ["methods=[cls]", "object_splits=[1,2]", f"tables={tmp_path / 'table'}"]
    done = run_python([*command, *chosen], tmp_path)
    assert done.returncode == 0, done.stderr
    row = next(csv.DictReader((tmp_path / "table" / "table12.csv").open()))
    assert row["row"] == "cls" and row["runs"] == "4"
