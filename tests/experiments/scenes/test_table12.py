"""Table 12 over seeds, from constructed results with known means and intervals."""

from __future__ import annotations

import csv
import re
import shutil
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from helpers.forkserver import run_python
from helpers.scene_runs import config as scene_config
from helpers.scene_runs import names_of_objects
from helpers.sweep_results import make_result, write_result
from pickclutter_lang.commands.distillation import reproduce_table12
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.run_charts import interval_of
from pickclutter_lang.experiments.scenes import table12_charts, table12_sweep
from pickclutter_lang.experiments.scenes.result_table import description_note, metric_table
from pickclutter_lang.experiments.scenes.table12 import (
    Table12Config,
    check_pairs,
    default_pairs,
    read_tables,
    write_table,
)
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.experiments.scenes.table12_tables import class_tables, measures_of, score_table
from pickclutter_lang.experiments.sweeps import sweep_runner
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.sweep_results import Selection, load_sweep
from pickclutter_lang.experiments.sweeps.sweep_values import read_values, values_of, write_values
from pickclutter_lang.experiments.sweeps.tables import comparison_rows, table_rows
from pickclutter_lang.utils.statistics import Estimate, estimate

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


def written(folder: Path) -> tuple[IntervalResults, dict[str, Any]]:
    write_table(Table12Config(str(folder), None, None))
    return read_tables(folder)


def f1_rows(folder: Path) -> list[str]:
    values, _ = written(folder)
    return table_rows(values, score_table(values, "", "f1")).splitlines()


def test_mean_and_interval() -> None:
    values = F1["cls"]
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
    found = estimate(values)
    assert found.half_width is not None
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high))
    assert estimate([0.4]) == Estimate(0.4, None, 1)
    with pytest.raises(InvalidArgumentError):
        estimate([])


def test_methods_are_in_the_papers_order_with_its_figures(grid_folder: Path) -> None:
    lines = f1_rows(grid_folder)
    assert [row.split("`")[1] for row in lines[2:7]] == list(F1)
    half = 100 * scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem(F1["cls"])
    cell = f"43.0 ± {half:.1f}"
    assert f"| 3 | {cell} / {cell} / {cell} | *94.0 / 94.4* |" in lines[3]
    assert "*NA / 35.9*" in lines[2] and "*11.7 / 50.7*" in lines[4] and "*" not in lines[5]
    assert lines[7].startswith("| all-negative | 1 | 30.0 / 30.0 / 30.0 |")


@pytest.mark.parametrize("other", ["object split", "own objects"])
def test_figures_of_the_paper_stand_beside_its_unseen_objects_alone(tmp_path: Path, other: str) -> None:
    for split, method in product((0, 1), ("cls", "cls_imcst_semantic")):
        result = make_result(method, 0, 0.4, object_split=split if other == "object split" else 0)
        for stage in result["metrics"].values() if other == "own objects" else ():
            for cell in ("ood_on_ood", "all_on_ood"):
                stage[cell]["classes"]["my mug"] = stage[cell]["classes"].pop("pear")
        assert ("paper:" in metric_table(result, "f1")) is (split == 0 and other == "object split")
        if split == 0 or other == "object split":
            write_result(tmp_path, result)
    text = write_table(Table12Config(str(tmp_path), None, None)).read_text()
    assert "*paper*" not in text and "The rows of the paper" not in text and "The paper's figures are not shown" in text
    assert {row["paper"] for row in csv.DictReader((tmp_path / "table12.csv").open())} == {""}
    if other == "object split":
        kept = Selection(object_splits=[0])
        text = write_table(Table12Config(str(tmp_path), None, None, kept)).read_text()
        assert "*paper*" in text and "The rows of the paper" in text and "are not shown" not in text


def test_chance_results_of_a_closed_set_are_marked(grid_folder: Path) -> None:
    rows = f1_rows(grid_folder)
    assert rows[2].count("†") == 1 and "†" not in rows[3]
    page = (grid_folder / "table12.md").read_text()
    assert "† chance by construction" in page and page.count("†") > 10


def test_comparisons_pair_equal_seeds(grid_folder: Path) -> None:
    grid = load_sweep(grid_folder, TABLE12)
    differences = np.subtract(F1["best"], F1["cls_imcst_semantic"])
    half = scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem(differences)
    found = grid.difference(
        ("best", "few_shot.ood_on_ood.model.f1"), ("cls_imcst_semantic", "few_shot.ood_on_ood.model.f1")
    )
    assert found == pytest.approx((differences.mean(), half, 3, 0))
    assert default_pairs([*grid.runs]) == [
        ("cls", "closed_set"),
        ("cls_imcst_semantic", "cls"),
        ("best", "cls_imcst_semantic"),
        ("best", "best_no_region"),
        ("cls_imcst_semantic", "always_yes"),
        ("best", "always_yes"),
    ]
    values, _ = written(grid_folder)
    rows = comparison_rows(values, score_table(values, "", "f1", pairs=default_pairs([*grid.runs]))).splitlines()
    assert f"**+10.0 ± {100 * half:.1f}**" in rows[4] and "**" not in rows[5]  # an ablation within the noise
    assert rows[7].startswith("| `best` - all-positive | 3 |") and "**" in rows[7]


def test_a_method_can_be_compared_with_what_sees_no_image(grid_folder: Path) -> None:
    page = write_table(Table12Config(str(grid_folder), None, ["best - always_yes"])).read_text()
    assert page.count("| `best` - all-positive | 3 |") == 2
    with pytest.raises(InvalidArgumentError, match=r"such as .* of .*best, .*always_yes.*, but got 'best - chance'"):
        write_table(Table12Config(str(grid_folder), None, ["best - chance"]))
    values, _ = read_tables(grid_folder)
    table = score_table(values, "", "f1", pairs=[("best", "cls"), ("best", "always_maybe")])
    assert len(comparison_rows(values, table).splitlines()) == 3  # a row that a sweep lacks is left out


def test_a_missing_seed_is_left_out_of_the_pairs(grid_folder: Path) -> None:
    shutil.rmtree(grid_folder / "cls" / "seed0")
    grid = load_sweep(grid_folder, TABLE12)
    found = grid.difference(
        ("cls_imcst_semantic", "zero_shot.id_on_id.model.f1"), ("cls", "zero_shot.id_on_id.model.f1")
    )
    assert found is not None and found.mean == pytest.approx(0.10) and found.seeds == 2
    assert any("| `cls` | 2 |" in row for row in f1_rows(grid_folder))


def test_bars_of_objects_have_the_intervals_of_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw that all object splits share does not average out over them, of unseen objects and of seen ones."""
    of_draw = (0.4, 0.44, 0.45)
    drawn: dict[str, Any] = {}
    for split, draw in np.ndindex(2, 3):
        result = make_result("cls", 0, 0.4, object_split=split, few_shot_draw=draw)
        for cell in ("ood_on_ood", "all_on_ood"):
            for row in result["metrics"]["few_shot"][cell]["classes"].values():
                row["average_precision"] = of_draw[draw]
        write_result(tmp_path, result)
    monkeypatch.setattr(table12_charts, "draw_bars", lambda series, unseen, label: drawn.update(series))
    results = load_sweep(tmp_path, TABLE12)
    table12_charts.draw_objects(results)
    assert [*drawn["cls"]] == [*names_of_objects("id"), *names_of_objects("ood")]
    values = IntervalResults(tmp_path, values_of(results, measures_of).runs, {})
    for name, bar in drawn["cls"].items():
        half = scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem(of_draw)  # as of one split
        assert bar == pytest.approx((np.mean(of_draw), np.mean(of_draw) - half, np.mean(of_draw) + half), rel=0.02)
        if name in names_of_objects("ood"):
            found = values.estimate("cls", f"few_shot.ood_on_ood.classes.{name}.average_precision")
            assert bar == interval_of(found)


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    write_result(tmp_path, make_result("cls", 4, 0.4))
    text = write_table(Table12Config(str(tmp_path), None, None)).read_text()
    assert "| `cls` | 1 | 40.0 / 40.0 / 40.0 |" in text and "Seeds: cls: 4." in text


def test_the_page_has_the_same_rows_with_every_run_and_its_hashes(grid_folder: Path) -> None:
    write_table(Table12Config(str(grid_folder), None, None))
    page = (grid_folder / "report.html").read_text()
    rows = [re.sub(r"<.*?>", "", row) for row in re.findall(r"<tr>\s*(.*?)\s*</tr>", page, re.DOTALL)]
    text = (grid_folder / "table12.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert len(lines) > 20
    for line in lines:
        cells = [re.sub(r"[`*]", "", cell).strip() for cell in line.strip("|").split(" | ")]
        assert cells in [[cell.strip() for cell in row.split("\n")] for row in rows]
    assert page.count("<svg") == 2 and ">dice</text>" in page and str(grid_folder / "cls" / "seed0") in page


def test_page_csv_and_image_agree(grid_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("table")
    text = write_table(Table12Config(str(grid_folder), str(out), ["best - cls"])).read_text()
    for expected in (
        "## F1 per scene, %",
        "## Recall",
        names_of_objects("ood")[0],
        "million parameters",
        "| 5.2 | 301 | 60 |",
    ):
        assert expected in text
    rows = list(csv.DictReader((out / "table12.csv").open()))
    [row] = [
        row for row in rows if (row["row"], row["minus"], row["measure"]) == ("cls", "", "few_shot.ood_on_ood.model.f1")
    ]
    assert float(row["mean"]) == pytest.approx(0.43) and row["runs"] == "3" and row["paper"] == "0.328"
    assert row["values"] == "0.400000 0.440000 0.450000"
    assert {(row["row"], row["minus"]) for row in rows if row["minus"]} == {("best", "cls")}
    assert len({row["row"] for row in rows if ".ood_on_ood.classes." in row["measure"]}) == 12
    with Image.open(out / "table12.png") as image:
        assert np.asarray(image.convert("RGB")).std() > 10


def test_a_cell_without_a_positive_is_not_drawn(tmp_path: Path) -> None:
    result = make_result("cls", 0, 0.4)
    for stage in result["metrics"].values():
        cell = stage["ood_on_ood"]
        for row in (*cell.values(), *cell["classes"].values()):
            row |= dict.fromkeys({"f1", "map", "precision", "recall", "average_precision"} & row.keys())
    write_result(tmp_path, result)
    page = write_table(Table12Config(str(tmp_path), None, None))
    assert "| all-positive | 1 | 30.0 / 30.0 / 30.0 |" in page.read_text() and "NA / NA / NA" in page.read_text()
    assert page.with_name("report.html").is_file()


def change(result: dict[str, Any], where: str, value: object) -> None:
    *path, last = where.split(".")
    for key in path:
        result = result[key]
    result[last] = value


@pytest.mark.parametrize(
    ("where", "value", "named"),
    [
        ("config.distill.epochs", 9, "distill.epochs: 3 / 9"),
        ("config.objective.im_cst", 0.5, "objective.im_cst: 1.0 / 0.5"),
        ("config.data.image_size", 96, "data.image_size: 128 / 96"),
        ("data.train.content", "x", "data.train.content: train / x"),
        ("teacher.fingerprint", "g", "teacher.fingerprint: f / g"),
    ],
)
def test_seeds_of_one_method_that_differ_in_more_are_refused(
    tmp_path: Path, where: str, value: float | str, named: str
) -> None:
    write_result(tmp_path, make_result("cls", 0, 0.4))
    other = make_result("cls", 1, 0.4)
    change(other, where, value)
    write_result(tmp_path, other)
    with pytest.raises(MismatchError, match=named) as raised:
        load_sweep(tmp_path, TABLE12)
    assert "seed0" in str(raised.value) and "seed1" in str(raised.value)


@pytest.mark.parametrize("where", ["config.distill.epochs", "config.student.name", "data.ood.content"])
def test_methods_on_other_terms_are_refused(tmp_path: Path, where: str) -> None:
    write_result(tmp_path, make_result("cls", 0, 0.4))
    other = make_result("best", 0, 0.4)
    change(other, where, "other")
    write_result(tmp_path, other)
    with pytest.raises(MismatchError, match=where.removeprefix("config.")):
        load_sweep(tmp_path, TABLE12)


@pytest.mark.parametrize("method", ["cls", "best"])
def test_texts_that_differ_are_refused_and_those_of_earlier_runs_not_compared(tmp_path: Path, method: str) -> None:
    write_result(tmp_path, make_result("cls", 0, 0.4))  # from before texts were compared
    texts = {"succinct": {"content": "a", "images_seen": False}, "mine.json": {"content": "b", "images_seen": False}}
    write_result(tmp_path, make_result("cls", 1, 0.4) | {"descriptions": texts})
    write_result(tmp_path, make_result("cls_imcst", 0, 0.4) | {"descriptions": {"succinct": texts["succinct"]}})
    assert load_sweep(tmp_path, TABLE12).seeds("cls") == (0, 1)
    edited = {"mine.json": {"content": "c", "images_seen": False}}
    write_result(tmp_path, make_result(method, 2, 0.4) | {"descriptions": edited})
    with pytest.raises(MismatchError, match=r"descriptions\.mine\.json: [bc] / [bc]"):
        load_sweep(tmp_path, TABLE12)


def test_what_methods_set_may_differ_and_is_listed(tmp_path: Path) -> None:
    for method, weight in (("cls", 0.0), ("cls_imcst", 1.0)):
        write_result(tmp_path, make_result(method, 0, 0.4, objective={"im_cst": weight}, scenes=method, num_threads=2))
    assert "| `objective.im_cst` | 0.0 | 1.0 |" in write_table(Table12Config(str(tmp_path), None, [])).read_text()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["out={tmp}/nowhere"], "CheckpointError: expected finished runs under"),
        (["out={tmp}", "compare=[best]"], "InvalidArgumentError: expected compare to hold pairs"),
        (["out={tmp}", "compare=[cls - none]"], "but got 'cls - none'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(grid_folder: Path, overrides: list[str], message: str) -> None:
    script = ["-m", "pickclutter_lang.commands", "reproduce-table12", "tables_only=true"]
    command = [*script, *(o.format(tmp=grid_folder) for o in overrides)]
    done = run_python(command, grid_folder)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_table_of_finished_runs_is_of_those_that_are_asked_for(tmp_path: Path) -> None:
    for split, seed in np.ndindex(3, 2):
        write_result(tmp_path, make_result("cls", seed, 0.4, object_split=split))
    other = make_result("best", 0, 0.4, object_split=1)
    change(other, "config.distill.epochs", 9)  # it could not be in one table with the others
    write_result(tmp_path, other)
    command = [
        "-m",
        "pickclutter_lang.commands",
        "reproduce-table12",
        "tables_only=true",
        f"out={tmp_path}",
        "methods=[cls]",
    ]
    done = run_python([*command, "object_splits=[1,2]", f"tables={tmp_path / 'table'}"], tmp_path)
    assert done.returncode == 0, done.stderr
    values = read_values(tmp_path / "table" / "values.csv")
    keys = [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert [replicate[:2] for replicate in values.replicates("cls")] == keys and "best" not in values.runs
    none = run_python([*command, "draws=[3]"], tmp_path)
    assert none.returncode == 2 and len(none.stderr.strip().splitlines()) == 1
    assert f"expected finished runs of methods=['cls'] draws=[3] under {tmp_path}, but got best/split1_" in none.stderr


def test_a_comparison_is_checked_before_anything_is_trained(tmp_path: Path) -> None:
    write_result(tmp_path, make_result("best", 0, 0.4))
    for pair in ("cls - none", "cls-best-cls"):
        with pytest.raises(
            InvalidArgumentError, match=f"pairs such as 'cls_imcst - cls' of cls, best, .*, but got '{pair}'"
        ):
            check_pairs(Table12Config(str(tmp_path), None, [pair]), ["cls"])
    check_pairs(Table12Config(str(tmp_path), None, ["best - cls"]), ["cls"])
    script = ["-m", "pickclutter_lang.commands", "reproduce-table12", f"out={tmp_path / 'none'}", "compare=[best]"]
    done = run_python([*script, f"scenes={tmp_path / 'none'}"], tmp_path)
    assert done.returncode == 2 and "expected compare to hold pairs" in done.stderr


def test_failed_runs_are_named_before_a_table_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_result(tmp_path, make_result("cls", 0, 0.4))
    failure = sweep_runner.Failure("cls/seed1", "exit status 1", tmp_path / "cls-seed1.log", "the disk is full")
    job = sweep_runner.Job("cls/seed0", path.parent, [], scene_config())
    monkeypatch.setattr(table12_sweep, "plan_table12", lambda *_: [job])
    monkeypatch.setattr(sweep_runner, "run_sweep", lambda *_: [failure])
    monkeypatch.setattr(sys, "argv", ["reproduce_table12", f"out={tmp_path}", "compare=[cls_imcst - cls]"])
    with pytest.raises(SystemExit):
        reproduce_table12()
    shown = capsys.readouterr().err
    assert 0 < shown.index("the disk is full") < shown.index("but got 'cls_imcst - cls'")


def test_a_name_with_a_dot_keeps_its_numbers(tmp_path: Path) -> None:
    result = make_result("cls", 0, 0.5)
    for stage in ("zero_shot", "few_shot", "retrieval"):
        classes = result["metrics"][stage]["ood_on_ood"]["classes"]
        classes["dr. pepper 50%"] = {**classes.pop("pear"), "average_precision": 0.123}
    write_result(tmp_path / "grid", result)
    values = values_of(load_sweep(tmp_path / "grid", TABLE12), measures_of)
    write_values(tmp_path / "values.csv", values)
    assert "classes.dr%2E pepper 50%25.average_precision" in (tmp_path / "values.csv").read_text()
    for found in (values, read_values(tmp_path / "values.csv")):
        table = class_tables(found)[0]
        names = [row.title for row in table.rows]
        assert "dr. pepper 50%" in names and "pear" not in names and len(names) == 12
        (support,), (precision, *_) = (table.rows[names.index("dr. pepper 50%")].measures or ())[:2]
        means = [found.estimate("cls", measure) for measure in (support, precision)]
        assert [one and one.mean for one in means] == [7, 0.123]


def test_a_closed_set_has_no_descriptions() -> None:
    result = make_result("closed_set", 0, 0.5, prompts={"closed_set": True, "descriptions": "blind"})
    assert description_note([result]) == "Labels are names alone, without descriptions."


def test_the_teachers_keys_need_a_trained_head() -> None:
    with pytest.raises(InvalidArgumentError, match=r"expected objective\.im_cst above 0 with retrieval\.keys=teacher"):
        scene_config("method=cls", "retrieval.keys=teacher").validate()
