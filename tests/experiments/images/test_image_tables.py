"""Tables 1-11 and Figures 1, 2b, 4: their runs, pages from constructed results, sweeps of tiny runs."""

from __future__ import annotations

import csv
import itertools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from numpy.typing import NDArray

from helpers.forkserver import run_python
from helpers.image_results import make_result, write_result
from helpers.image_runs import config, make_toys, trained
from helpers.paths import PROGRAM, ROOT
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    MismatchError,
)
from pickclutter_lang.experiments.images import image_figures
from pickclutter_lang.experiments.images.config import ReproduceTablesConfig
from pickclutter_lang.experiments.images.image_figures import Space, write_figure
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_tables import (
    BEST,
    ENRICHED,
    FIGURES,
    RUNS,
    TABLES,
    load_image_runs,
    write_table,
)
from pickclutter_lang.experiments.images.table_sweep import plan_image_tables, run_overrides
from pickclutter_lang.experiments.sweep import Job
from pickclutter_lang.language.descriptions import DescriptionSet
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.results.paper_tables import PAPER
from pickclutter_lang.results.record import RESULT_FILE

ACCURACIES: dict[str, list[tuple[float, float | None, float]]] = {
    "closed_set": [(0.50, None, 0.30), (0.56, None, 0.28), (0.53, None, 0.29)],
    "cls": [(0.60, 0.20, 0.40), (0.62, 0.24, 0.41), (0.64, 0.22, 0.45)],
    "cls+im_cst": [(0.61, 0.30, 0.42), (0.60, 0.35, 0.38), (0.66, 0.31, 0.45)],
}
OF_EACH_KIND = (
    "closed_set", "cls", "cls+mse", BEST, ENRICHED, "best+captions", "best+semantic+prompt", "best+standard",
    "vit_b_32+cls",
)  # fmt: skip
"""Runs of which every table has one, and every figure all."""
WRITE_ALL = """
from pickclutter_lang.experiments.images.config import ReproduceTablesConfig
from pickclutter_lang.experiments.images.table_sweep import write_image_tables
print(*(path.name for path in write_image_tables(ReproduceTablesConfig("all", "all", out="."))))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of Table 1, three seeds each."""
    for name, values in ACCURACIES.items():
        for seed, x in enumerate(values):
            write_result(tmp_path / "runs", make_result(name, seed, x))
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every run, two seeds each."""
    runs = tmp_path_factory.mktemp("everything")
    for name, seed in itertools.product(RUNS, (0, 1)):
        write_result(runs, make_result(name, seed, (0.6 + seed / 10, 0.2 + seed / 10, 0.4)))
    return runs


def page(runs: Path, number: str, out: Path) -> str:
    return write_table(load_image_runs(runs), number, out).read_text()


def row_of(text: str, name: str) -> list[str]:
    """The cells of the first line that names a run."""
    found = next(row for row in text.splitlines() if row.startswith("|") and name in row)
    return [cell.strip() for cell in found.strip("|").split("|")]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_every_paper_figure_has_its_row_and_every_run_its_table() -> None:
    without = {"1": {"teacher_rn50"}, "2": {"mse_rn50"}}  # needs CLIP's ResNet50
    for number, table in TABLES.items():
        rows = {row.name for row in table.rows}
        assert set(PAPER.get(number, {})) - rows == without.get(number, set())
        for row in table.rows:
            cells = row.measures or tuple(column.measures for column in table.columns)
            assert len(cells) == len(table.columns) and all(cells)
            for data, values in PAPER[number].get(row.name, {}).items():
                measures = [measure for cell in cells for measure in cell]
                assert len(values) == (2 if number == "2" else len(measures)), (number, data)
    used = {run for table in TABLES.values() for run in table.runs} | set().union(*FIGURES.values())
    assert used == set(RUNS)
    assert len({frozenset(overrides) for overrides in RUNS.values()}) == len(RUNS)


def test_three_numbers_with_intervals_the_best_in_bold(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    half = 100 * scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem([0.20, 0.24, 0.22])
    _, seeds, cell = row_of(text, "`cls`")
    assert seeds == "3" and f"/ 22.0 ± {half:.1f} /" in cell
    best = row_of(text, "`cls+im_cst`")[2]
    assert [part.split(" ±")[0] for part in best.split(" / ")] == ["**62.3", "**32.0", "41.7"]
    assert row_of(text, "`closed_set`")[2].split(" / ")[1] == "NA"
    assert row_of(text, "chance")[2] == "25.0 / 20.0 / 20.0"
    assert row_of(text, "`mse`")[1:] == ["0", "NA / NA / NA"]
    rows = csv_rows(tmp_path / "table1.csv")
    [row] = [r for r in rows if (r["row"], r["minus"], r["measure"]) == ("cls", "", "zero_shot.ood.accuracy")]
    assert float(row["mean"]) == pytest.approx(0.22) and row["values"] == "0.200000 0.240000 0.220000"


def test_differences_are_paired_by_seed_and_bold_where_they_exclude_0(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    half = 100 * scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem([0.10, 0.11, 0.09])
    _, seeds, cell = row_of(text, "`cls+im_cst` - `cls`")
    first, second, third = cell.split(" / ")
    assert seeds == "3" and second == f"**+10.0 ± {half:.1f}**" and "**" not in first + third
    assert row_of(text, "`cls` - `closed_set`")[2].split(" / ")[1] == "NA"
    (folder / "cls" / "seed1" / "result.json").unlink()
    assert row_of(page(folder, "1", tmp_path), "`cls+im_cst` - `cls`")[1] == "2"


def test_paper_figures_follow_their_columns_on_its_data_sets(tmp_path: Path) -> None:
    for name in ("cls", "cls+im_cst", "cls+im_cst+vlprox+mse"):
        write_result(tmp_path, make_result(name, 0, data="caltech_birds"))
    text = page(tmp_path, "1", tmp_path)
    assert row_of(text, "`cls`")[3] == "*61.0 / 14.2 / 34.9*" and row_of(text, "chance")[3] == ""
    assert row_of(text, "teacher, zero-shot")[3] == "*70.0 / 70.5*"
    assert row_of(text, "`cls+im_cst+vlprox+mse`")[3] == ""  # the paper's are next to the row without L_mse
    assert row_of(text, "`cls+im_cst` - `cls`")[3] == "*-0.1 / +6.2 / +2.7*"


@pytest.mark.parametrize("number", TABLES)
def test_every_table_can_be_written(everything: Path, tmp_path: Path, number: str) -> None:
    text = page(everything, number, tmp_path)
    assert "nan" not in text and "Not finished" not in text
    rows = csv_rows(tmp_path / f"table{number}.csv")
    assert {row["row"] for row in rows} == {row.name for row in TABLES[number].rows}
    assert {row["measure"] for row in rows if not row["mean"]} <= {"zero_shot.all.accuracy", "text.captions.cosine"}
    chance = {"4": ["0.50 / 0.50", "1.50 / 1.50", "5.00 / 5.00"], "11": ["33.3", "50.0"]}  # 11: of 3 and 2 classes
    assert number not in chance or row_of(text, "chance")[-len(chance[number]) :] == chance[number]


@pytest.mark.parametrize("where", ["data.content", "teacher.fingerprint", "config.distill.epochs"])
def test_runs_that_cannot_be_compared_are_refused(folder: Path, where: str) -> None:
    result = make_result("mse", 0)
    *path, last = where.split(".")
    target: dict[str, Any] = result
    for key in path:
        target = target[key]
    target[last] = 7
    write_result(folder, result)
    with pytest.raises(MismatchError, match=where.removeprefix("config.")):
        load_image_runs(folder)


def test_figure_1_has_bars_and_the_papers_figures(tmp_path: Path) -> None:
    for seed, x in enumerate([(0.6, 0.10, 0.30), (0.6, 0.14, 0.32)]):
        write_result(tmp_path, make_result("cls", seed, x, data="food101"))
    assert write_figure(load_image_runs(tmp_path), "1", tmp_path).is_file()
    rows = {(row["run"], row["measure"][:4]): row for row in csv_rows(tmp_path / "figure1.csv")}
    assert float(rows["cls", "zero"]["mean"]) == pytest.approx(0.12) and rows["cls", "zero"]["paper"] == "0.161"


def test_figure_2b_names_images_and_texts(everything: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_two(space: Space) -> tuple[NDArray[Any], NDArray[Any]]:
        return space.students[:, :2], space.texts[:, :2]

    with monkeypatch.context() as patch:
        patch.setattr(image_figures, "embed", first_two)
        write_figure(load_image_runs(everything), "2b", tmp_path)
    rows = csv_rows(tmp_path / "figure2b.csv")
    assert len(rows) == 2 * (5 * 12 + 5) and {row["run"] for row in rows} == {BEST, ENRICHED}
    [text] = [row for row in rows if (row["run"], row["kind"], row["class"]) == ("best+semantic", "text", "unseen 1")]
    assert (float(text["x"]), float(text["y"])) == (0, 1)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides that point to views of objects and to an untrained teacher."""
    return make_toys(tmp_path_factory.mktemp("toys"))


@pytest.mark.slow
def test_every_table_and_figure_from_runs_of_two_classes_a_side(tmp_path: Path) -> None:
    shared = make_toys(tmp_path / "toys", objects=4, views=10)
    for name in OF_EACH_KIND:
        overrides = RUNS[name]
        student = ["student.name=timm/test_vit"] if "student=vit_b_32" in overrides else []
        evaluate_images(trained(*shared, *overrides, *student, f"name={name}", f"out={tmp_path / name / 'seed0'}"))
    # UMAP places 20 images sooner than numba compiles it.
    done = run_python(["-c", WRITE_ALL], tmp_path, {**os.environ, "NUMBA_DISABLE_JIT": "1"})
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == len(TABLES) + len(FIGURES)
    for number, table in TABLES.items():
        rows = csv_rows(tmp_path / f"table{number}.csv")
        assert {row["row"] for row in rows if not row["minus"]} == {row.name for row in table.rows}
        assert any(row["mean"] for row in rows)


@pytest.mark.slow
def test_the_command_writes_a_table_and_skips_finished_runs(toys: list[str], tmp_path: Path) -> None:
    line = [
        *PROGRAM, "reproduce-tables", "table=3", "seeds=[0]", f"out={tmp_path / 'out'}",
        *(one for one in toys if not one.startswith("num_threads")),
    ]  # fmt: skip
    done = run_python(line)
    assert done.returncode == 0, done.stderr
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob(RESULT_FILE)}
    assert len(before) == 2
    again = run_python(line)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("chosen", "key"),
    [
        ({}, "table"),
        ({"table": "13"}, "13"),
        ({"figure": "3"}, "3"),
        ({"table": "1", "seeds": [0, 0]}, "seeds"),
        ({"table": "1", "class_splits": [-1]}, "class_splits"),
        ("seed=4", "seed=4"),
        ("objective.im_cst=1", r"objective\.im_cst=1"),
        ("data.seed=3", "class_splits"),
    ],
)
def test_an_invalid_sweep_is_named(chosen: dict[str, Any] | str, key: str) -> None:
    overrides = [chosen] if isinstance(chosen, str) else []
    values = {"table": "2"} if isinstance(chosen, str) else chosen
    with pytest.raises(InvalidArgumentError, match=key):
        plan_image_tables(ReproduceTablesConfig(out="runs", **values), overrides, lambda some: config(*some))


@pytest.mark.slow
def test_runs_that_tables_share_are_planned_once_and_their_data_is_opened_once(toys: list[str], tmp_path: Path) -> None:
    reports: list[str] = []
    grid = ReproduceTablesConfig("all", "all", [0], [0, 1], out=str(tmp_path))
    names = [job.name for job in plan_image_tables(grid, [], lambda some: config(*toys, *some), reports.append)]
    assert len(names) == len(set(names)) == 2 * len(RUNS) and {"cls/seed0", "cls/split1_seed0"} <= {*names}
    assert len(reports) == 2  # a split of the classes each


def described(path: Path, word: str, style: str = "standard") -> Path:
    """Write descriptions of the toy objects."""
    texts = {item.name: f"which is {word}" for item in paper_catalog()}
    DescriptionSet("toys", style, "none", "", "", "none", "a test", texts).save(path)
    return path


def test_texts_are_checked_before_any_run(toys: list[str], tmp_path: Path) -> None:
    def plan(table: str, *overrides: str) -> list[Job]:
        grid = ReproduceTablesConfig(table, seeds=[0], out=str(tmp_path / "out"))
        return plan_image_tables(grid, overrides, lambda some: config(*toys, *some))

    long = described(tmp_path / "long.json", "very " * 100)
    with pytest.raises(InvalidArgumentError, match=r"text\.truncate"):
        plan("5", f"data.descriptions={long}")
    assert plan("5", f"data.descriptions={long}", "text.truncate=true")
    with pytest.raises(DatasetError, match=r"standard\.json"):
        plan("7", f"text.style_dir={tmp_path}")
    for style in ("standard", "succinct", "detailed", "distinct"):
        described(tmp_path / f"{style}.json", style, style)
    assert plan("7", f"text.style_dir={tmp_path}")
    seen = DescriptionSet.load(tmp_path / "distinct.json")
    replace(seen, images_seen=True).save(tmp_path / "distinct.json")
    with pytest.raises(InvalidArgumentError, match="distinct"):
        plan("7", f"text.style_dir={tmp_path}")


def test_a_vit_is_trained_with_its_recipe_for_any_other_student(toys: list[str], tmp_path: Path) -> None:
    paths = [one for one in toys if one.startswith(("data.root", "teacher"))]
    overrides = [*paths, "recipe=paper_resnet", "student.name=timm/resnet50.tv2_in1k", "student.dropout=false"]
    grid = ReproduceTablesConfig("all", seeds=[0], out=str(tmp_path), vit_recipe="paper_vit")
    jobs: list[Any] = plan_image_tables(grid, overrides, lambda some: config(*some))
    assert sum("vit" in job.name for job in jobs) == 4
    for job in jobs:
        expected = ("timm/vit_base_patch32_224", "adamw") if "vit" in job.name else ("timm/resnet50.tv2_in1k", "sgd")
        assert (job.config.student.name, job.config.distill.optimizer) == expected


@pytest.mark.parametrize(("dataset", "repeats"), [("food101", 3), ("flower102", 5)])
def test_a_vit_passes_over_large_sets_three_times(dataset: str, repeats: int) -> None:
    shared = ["recipe=paper_resnet", f"dataset={dataset}", "data.root=somewhere"]
    assert config(*run_overrides("vit_b_32+cls", shared, "paper_vit")).epoch_repeats == repeats
    assert config(*run_overrides("vit_b_32+cls", [*shared, "epoch_repeats=2"], "paper_vit")).epoch_repeats == 2
    of_all = 1 if repeats == 3 else repeats
    assert config(*run_overrides("cls", shared, "paper_vit")).epoch_repeats == of_all
    assert config(*run_overrides("vit_b_32+cls", shared)).epoch_repeats == of_all


def test_every_data_set_is_a_complete_configuration() -> None:
    for path in (ROOT / "configs" / "dataset").glob("*.yaml"):
        chosen = config(f"dataset={path.stem}", "recipe=paper_vit", "data.root=somewhere", "objective.cls=1")
        assert chosen.data.name == path.stem and chosen.data.root == "somewhere"
