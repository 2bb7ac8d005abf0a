"""Tables 1-11 and Figures 1, 2b, 4: their runs, pages from constructed results, sweeps of tiny runs."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray
from omegaconf import OmegaConf

from helpers.forkserver import run_python
from helpers.image_data import paint_classes, toy_views
from helpers.image_results import make_result, write_result, write_space
from helpers.image_runs import config, make_toys, trained
from helpers.paths import ROOT, SCRIPTS
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.errors import (
    CheckpointError,
    DatasetError,
    InvalidArgumentError,
    MismatchError,
    MissingAssetsError,
    MissingExtraError,
    PickClutterError,
)
from pickclutter_lang.experiments.images import image_figures
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_figures import Space, embed, load_space, write_figure
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_tables import (
    BEST,
    ENRICHED,
    FIGURES,
    RUNS,
    TABLES,
    command,
    load_image_runs,
    summary,
    write_table,
)
from pickclutter_lang.experiments.images.table_sweep import (
    TableSweep,
    plan_image_tables,
    run_overrides,
    write_image_tables,
)
from pickclutter_lang.experiments.sweep import Job
from pickclutter_lang.language.descriptions import BLIND, DescriptionSet, load_descriptions
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.results.paper_tables import AVERAGE, DATA_SETS, PAPER
from pickclutter_lang.results.record import RESULT_FILE, Replicate, read_record
from pickclutter_lang.results.scores import Scores

ACCURACIES: dict[str, list[tuple[float, float | None, float]]] = {
    "closed_set": [(0.50, None, 0.30), (0.56, None, 0.28), (0.53, None, 0.29)],
    "cls": [(0.60, 0.20, 0.40), (0.62, 0.24, 0.41), (0.64, 0.22, 0.45)],
    "cls+im_cst": [(0.61, 0.30, 0.42), (0.60, 0.35, 0.38), (0.66, 0.31, 0.45)],
}
OOD = "few_shot.ood.accuracy"


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


@pytest.mark.parametrize("number", ["1", "5"])
def test_averages_are_those_of_the_columns(number: str) -> None:
    other = []
    for name, columns in PAPER[number].items():
        for place, average in enumerate(columns[AVERAGE]):
            values: list[Any] = [columns[data][place] for data in DATA_SETS]
            if average is None or None in values:
                assert average is None
            elif abs(np.mean(values) - average) > 0.0501:
                other.append((name, place))
    assert other == ([("cls+im_cst+mse", 1)] if number == "1" else [])  # as the docstring says


def test_every_run_is_one_of_the_command() -> None:
    for name in ("closed_set", "best+semantic+captions+prompt", "vit_b_32+cls", "best+semantic+filtered_im_cst"):
        compose_config(ImageTrainConfig, "train_image_student", RUNS[name])
    keys = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} - {"student"}
    structured = OmegaConf.structured(ImageTrainConfig)
    assert all(OmegaConf.select(structured, key, default="none") != "none" for key in keys)
    given = {text.split("=")[1] for run in RUNS.values() for text in run if text.startswith("text.descriptions=")}
    assert given == {"own", *BLIND}  # no table says how the package's objects look
    assert not any(load_descriptions(style).images_seen for style in given - {"own"})


def test_the_teacher_of_table_1_is_prompted_with_names_alone(folder: Path, tmp_path: Path) -> None:
    for seed in range(4):
        enriched = make_result("best+semantic", seed)
        enriched["config"]["text"]["descriptions"] = "own"
        enriched["metrics"]["teacher"] = {part: {"accuracy": 0.1} for part in ("id", "ood")}
        write_result(folder, enriched)
    assert row_of(page(folder, "1", tmp_path), "teacher, zero-shot")[3] == "90.0 ± 0.0 / 80.0 ± 0.0"


def test_three_numbers_with_intervals_the_best_in_bold(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    half = 100 * scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem([0.20, 0.24, 0.22])
    title, run, seeds, cell = row_of(text, "`cls`")
    assert (title, run, seeds) == ("L_cls", "`cls`", "3")
    assert f"/ 22.0 ± {half:.1f} /" in cell
    best = row_of(text, "`cls+im_cst`")[3]
    assert [part.split(" ±")[0] for part in best.split(" / ")] == ["**62.3", "**32.0", "41.7"]
    assert cell.split(" / ")[2].startswith("**42.0 ± ") and cell.count("**") == 2
    assert row_of(text, "`closed_set`")[3].split(" / ")[1] == "NA"
    assert row_of(text, "chance")[3] == "25.0 / 20.0 / 20.0"
    assert row_of(text, "`mse`")[2:] == ["0", "NA / NA / NA"] and "Not finished: `mse`, `cls+mse`" in text
    assert f"pickclutter reproduce-tables table=1 dataset=object_views out={folder} seeds=[0,1,2]" in text
    rows = csv_rows(tmp_path / "table1.csv")
    [row] = [r for r in rows if (r["row"], r["minus"], r["measure"]) == ("cls", "", "zero_shot.ood.accuracy")]
    assert float(row["mean"]) == pytest.approx(0.22) and row["values"] == "0.200000 0.240000 0.220000"
    [row] = [r for r in rows if (r["row"], r["measure"]) == ("cls", "few_shot.all.accuracy")]
    assert float(row["mean"]) == pytest.approx(0.21)


def test_differences_are_paired_by_seed_and_bold_where_they_exclude_0(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    half = 100 * scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem([0.10, 0.11, 0.09])
    _, seeds, cell = row_of(text, "`cls+im_cst` - `cls`")
    first, second, third = cell.split(" / ")
    assert seeds == "3" and second == f"**+10.0 ± {half:.1f}**" and "**" not in first + third
    assert row_of(text, "`cls` - `closed_set`")[2].split(" / ")[1] == "NA"
    (folder / "cls" / "seed1" / "result.json").unlink()
    assert row_of(page(folder, "1", tmp_path), "`cls+im_cst` - `cls`")[1] == "2"


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    write_result(tmp_path, make_result("cls", 4, (0.6, 0.2, 0.4)))
    write_result(tmp_path, make_result("closed_set", 4, (0.5, None, 0.5)))
    text = page(tmp_path, "1", tmp_path)
    assert row_of(text, "`cls`")[2:] == ["1", "**60.0** / 20.0 / 40.0"]
    assert row_of(text, "`cls` - `closed_set`")[1:] == ["1", "+10.0 / NA / -10.0"]


def test_paper_figures_follow_their_columns_on_its_data_sets(tmp_path: Path) -> None:
    for name in ("cls", "cls+im_cst", "cls+im_cst+vlprox+mse"):
        write_result(tmp_path, make_result(name, 0, data="caltech_birds"))
    text = page(tmp_path, "1", tmp_path)
    assert row_of(text, "`cls`")[4] == "*61.0 / 14.2 / 34.9*" and row_of(text, "chance")[4] == ""
    assert row_of(text, "teacher, zero-shot")[4] == "*70.0 / 70.5*"
    assert row_of(text, "`cls+im_cst+vlprox+mse`")[4] == ""  # the paper's are next to the row without L_mse
    assert row_of(text, "`cls+im_cst` - `cls`")[3] == "*-0.1 / +6.2 / +2.7*"
    for name in ("mse", "cls+mse", "cls+im_cst+vlprox", "best+semantic"):
        write_result(tmp_path / "a", make_result(name, 0, data="flower102"))
    text = page(tmp_path / "a", "3", tmp_path)
    assert row_of(text, "`cls+mse`")[3:7] == ["0.250 / 0.250", "*0.030 / 0.004*", "0.30 / 0.30", "*0.13 / 0.06*"]
    text = page(tmp_path / "a", "11", tmp_path)
    assert row_of(text, "few-shot on X_ood1")[3:] == ["**60.0**", "*62.79*", "**19.0**", "*18.24*"]
    assert row_of(text, "`after` - `before`")[2:] == ["+35.0", "*+37.68*", "+1.0", "*+0.23*"]


@pytest.mark.parametrize("number", TABLES)
def test_every_table_can_be_written(everything: Path, tmp_path: Path, number: str) -> None:
    text = page(everything, number, tmp_path)
    assert text.startswith(f"# Table {number}: ") and "nan" not in text and "Not finished" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == (2 if TABLES[number].pairs else 1)
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1, lines
    rows = csv_rows(tmp_path / f"table{number}.csv")
    assert {row["row"] for row in rows} == {row.name for row in TABLES[number].rows}
    assert {row["measure"] for row in rows if not row["mean"]} <= {"zero_shot.all.accuracy", "text.captions.cosine"}
    if number == "4":
        assert row_of(text, "chance")[3:] == ["0.50 / 0.50", "1.50 / 1.50", "5.00 / 5.00"]
    if number == "11":
        assert row_of(text, "chance")[3:] == ["33.3", "50.0"]  # halves of 3 and 2 classes


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("data.content", "other"),
        ("data.unseen", ["unseen 0", "x"]),
        ("data.train", 20),
        ("teacher.fingerprint", "g"),
        ("config.distill.epochs", 7),
        ("config.text.template", "x"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(folder: Path, where: str, value: object) -> None:
    result = make_result("mse", 0)
    *path, last = where.split(".")
    target: dict[str, Any] = result
    for key in path:
        target = target[key]
    target[last] = value
    write_result(folder, result)
    with pytest.raises(MismatchError, match=where.removeprefix("config.")):
        load_image_runs(folder)


def test_paths_and_another_student_are_no_difference(folder: Path) -> None:
    result = make_result("vit_b_32+cls", 0)  # trained for longer
    result["config"]["data"]["root"], result["config"]["num_threads"] = "elsewhere", 8
    write_result(folder, result)
    assert "vit_b_32+cls" in load_image_runs(folder).records


def test_what_is_not_there_or_damaged_is_named(folder: Path, tmp_path: Path) -> None:
    runs = load_image_runs(folder)
    text = summary(read_record(folder / "closed_set" / "seed0", "images"))
    assert "50.0 / NA / 30.0; " in text and text.endswith("90.0 / 80.0")
    with pytest.raises(CheckpointError, match=r"table=8 dataset=object_views out=\S+ seeds=\[0,1,2\]"):
        write_table(runs, "8", tmp_path)
    for content in ("{", '{"schema": 2}', '{"schema": 4, "kind": "scenes"}'):
        (folder / "cls" / "seed0" / "result.json").write_text(content)
        with pytest.raises(CheckpointError, match=r"cls/seed0/result\.json"):
            load_image_runs(folder)
    with pytest.raises(CheckpointError):
        load_image_runs(tmp_path / "nothing")


def test_figure_1_has_bars_and_the_papers_figures(tmp_path: Path) -> None:
    for seed, x in enumerate([(0.6, 0.10, 0.30), (0.6, 0.14, 0.32)]):
        write_result(tmp_path, make_result("cls", seed, x, data="food101"))
        write_result(tmp_path, make_result("best+semantic", seed, x, data="food101"))
    assert write_figure(load_image_runs(tmp_path), "1", tmp_path).read_bytes().startswith(b"\x89PNG")
    rows = {(row["run"], row["measure"][:4]): row for row in csv_rows(tmp_path / "figure1.csv")}
    assert float(rows["cls", "zero"]["mean"]) == pytest.approx(0.12) and rows["cls", "zero"]["paper"] == "0.161"
    assert rows["best+semantic", "few_"]["paper"] == "0.437" and rows["best+semantic", "few_"]["seeds"] == "2"
    assert rows["cls+im_cst+vlprox", "zero"]["mean"] == "" and rows["cls+im_cst+vlprox", "zero"]["paper"] == "0.320"


def test_figure_4_has_every_eigenvalue(everything: Path, tmp_path: Path) -> None:
    write_figure(load_image_runs(everything), "4", tmp_path)
    rows = csv_rows(tmp_path / "figure4.csv")
    assert [float(row["mean"]) for row in rows if row["texts"] == "names"] == [2.0, 1.0, 0.5, 0.25]
    [first] = [row for row in rows if (row["texts"], row["number"]) == ("descriptions", "1")]
    assert float(first["mean"]) == pytest.approx(2.55) and float(first["half_width"]) > 0
    assert {row["texts"] for row in rows} == {"names", "descriptions"}  # no captions in these runs


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
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError):
        write_figure(load_image_runs(everything), "2b", tmp_path)


@pytest.mark.slow
def test_an_image_map_places_texts_near_their_images(tmp_path: Path) -> None:
    pytest.importorskip("umap")
    write_space(tmp_path / "space.npz", seed=0, noise=0.1, per_class=30)
    space = load_space(tmp_path / "space.npz", 5)
    images, texts = embed(space)
    assert np.array_equal(images, embed(space)[0])
    middles = np.stack([images[space.labels == label].mean(axis=0) for label in range(5)])
    assert np.linalg.norm(texts[:, None] - middles, axis=-1).argmin(axis=1).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(InvalidArgumentError):
        embed(Space(np.ones((3, 4), "f4"), np.zeros(3, int), np.ones((1, 4), "f4")))


def test_missing_or_damaged_feature_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    with pytest.raises(CheckpointError, match="space"):
        load_space(path, 5)
    write_space(path, seed=0, noise=1)
    with pytest.raises(CheckpointError, match="space"):
        load_space(path, 7)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="space"):
        load_space(path, 5)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides that point to views of objects and to an untrained teacher."""
    return make_toys(tmp_path_factory.mktemp("toys"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides of tiny runs on a folder of eight classes, of which each split draws four."""
    root = tmp_path_factory.mktemp("photos")
    images = paint_classes(root / "images", [f"class {letter}" for letter in "abcdefgh"], 12)
    return [*make_toys(root), "dataset=image_folder", f"data.root={images}"]


@pytest.fixture(scope="module")
def sweep(photos: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two losses over two splits of the classes, two seeds each, as the command makes them."""
    out = tmp_path_factory.mktemp("sweep")
    for loss in ("cls", "mse"):
        for replicate in (Replicate(split, seed) for split in (0, 1) for seed in (0, 1)):
            own = [f"data.seed={replicate.object_split}", f"seed={replicate.seed}", f"objective.{loss}=1"]
            evaluate_images(
                trained(*photos, *own, f"name={loss}", f"out={out / loss / replicate.folder_name}")
            )  # fmt: skip
    return out


def test_intervals_cover_splits_seeds_images_and_classes(sweep: Path, photos: list[str], tmp_path: Path) -> None:
    out = shutil.copytree(sweep, tmp_path / "out")
    grid = TableSweep("1", seeds=[0, 1], class_splits=[0, 1], out=str(out))
    grid.validate()
    done = {job.name for job in plan_image_tables(grid, lambda some: config(*photos, *some)) if job.done}
    folders = ("seed0", "seed1", "split1_seed0", "split1_seed1")
    assert done == {f"{loss}/{name}" for loss in ("cls", "mse") for name in folders}
    text = write_image_tables(grid)[0].read_text()
    assert "| L_cls | `cls` | 4 |" in text and "cover 2 class splits, 2 seeds" in text
    runs = load_image_runs(sweep)
    assert "class_splits=[0,1] seeds=[0,1]" in command(runs, "table=1", runs.replicates("cls"))
    of_splits = [np.mean([v for v in runs.values("cls", OOD)[2 * n : 2 * n + 2] if v is not None]) for n in (0, 1)]
    found, teacher = runs.estimate("cls", OOD), runs.estimate(None, "teacher.ood.accuracy")
    assert found is not None and found.mean == pytest.approx(np.mean(of_splits)) and found.runs == 4
    assert found.half_width and teacher is not None and teacher.half_width
    left, right = ("cls", OOD), ("cls", "retrieval.ood.accuracy")  # two stages of a run on the same images
    found, swapped = runs.difference(left, right), runs.difference(right, left)
    assert found is not None and swapped is not None and found.half_width
    assert swapped.mean == pytest.approx(-found.mean) and swapped.half_width == pytest.approx(found.half_width)
    path = out / "mse" / "split1_seed0"
    scores = Scores.load(path)
    scores.columns["items"][0] = "another"
    scores.save(path)
    with pytest.raises(MismatchError, match="split1_seed0"):
        load_image_runs(out)


def test_a_choice_of_the_classes_may_differ_between_splits(photos: list[str], tmp_path: Path) -> None:
    few = [*photos, "data.max_classes=2", "data.max_per_class=8"]
    for split in (0, 1):
        folder = tmp_path / "cls" / Replicate(split).folder_name
        evaluate_images(trained(*few, f"data.seed={split}", "objective.cls=1", "name=cls", f"out={folder}"))
    found = load_image_runs(tmp_path).estimate("cls", OOD)
    assert found is not None and found.runs == 2


@pytest.mark.slow
def test_every_table_and_figure_from_runs_of_two_classes_a_side(toys: list[str], tmp_path: Path) -> None:
    shared = [*toys, "data.max_classes=2", "data.max_per_class=6"]
    for name, overrides in RUNS.items():
        student = ["student.name=timm/vit_tiny_patch16_224"] if "student=vit_b_32" in overrides else []
        evaluate_images(trained(*shared, *overrides, *student, f"name={name}", f"out={tmp_path / name / 'seed0'}"))
    written = write_image_tables(TableSweep("all", "all", seeds=0, out=str(tmp_path)))
    assert len(written) == len(TABLES) + len(FIGURES)
    for number, table in TABLES.items():
        assert "Not finished" not in (tmp_path / f"table{number}.md").read_text()
        rows = csv_rows(tmp_path / f"table{number}.csv")
        assert {row["row"] for row in rows if not row["minus"]} == {row.name for row in table.rows}
        assert any(row["mean"] for row in rows)


@pytest.mark.slow
def test_the_command_writes_a_table_and_skips_finished_runs(toys: list[str], tmp_path: Path) -> None:
    line = [
        str(SCRIPTS / "reproduce_tables.py"), "table=3", "seeds=[0]", f"out={tmp_path / 'out'}",
        *(one for one in toys if not one.startswith("num_threads")),
    ]  # fmt: skip
    done = run_python(line)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Table 3: .*\n\| .*(\n\|.*){3}", done.stdout, re.MULTILINE) and "table3.md" in done.stdout
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob(RESULT_FILE)}
    assert len(before) == 2
    again = run_python(line)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    other = run_python([*line, "distill.lr=0.5"])
    assert other.returncode == 2 and "distill.lr: 0.002 / 0.5" in other.stderr
    toy_views(tmp_path / "other", objects=6, views=17)
    elsewhere = run_python([*line, f"data.root={tmp_path / 'other'}"])
    assert elsewhere.returncode == 2 and "data.content" in elsewhere.stderr
    damaged = next(iter(before))
    damaged.write_text(json.dumps({"schema": 0}))
    refused = run_python(line)
    assert refused.returncode == 2 and str(damaged) in refused.stderr


@pytest.mark.parametrize(
    ("chosen", "key"),
    [
        ({}, "table"),
        ({"table": "13"}, "13"),
        ({"table": [1, 13]}, "13"),
        ({"figure": "3"}, "3"),
        ({"table": "1", "seeds": [0, 0]}, "seeds"),
        ({"table": "1", "workers": 0}, "workers"),
        ({"table": "1", "overrides": ["seed=4"]}, "seed=4"),
        ({"table": "2", "overrides": ["objective.im_cst=1"]}, r"objective\.im_cst=1"),
        ({"table": "1", "overrides": ["objective={vlprox: 1.0}"]}, "objective="),
        ({"table": "1", "class_splits": [0, 0]}, "class_splits"),
        ({"table": "1", "class_splits": [-1]}, "class_splits"),
        ({"table": "1", "overrides": ["data.seed=3"]}, "class_splits"),
    ],
)
def test_an_invalid_sweep_is_named(chosen: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidArgumentError, match=key):
        TableSweep(out="runs", **chosen).validate()


def test_runs_that_tables_share_are_planned_once_and_their_data_is_opened_once(toys: list[str], tmp_path: Path) -> None:
    reports: list[str] = []
    grid = TableSweep("all", "all", seeds=[0, 1], out=str(tmp_path))
    names = [job.name for job in plan_image_tables(grid, lambda some: config(*toys, *some), reports.append)]
    assert len(names) == len(set(names)) == 2 * len(RUNS)
    assert len(reports) == 1 and "6 classes" in reports[0]
    few = TableSweep([1, "5"])
    assert set(few.runs) == {*TABLES["1"].runs, *TABLES["5"].runs}


def test_what_is_missing_is_named_before_any_run(toys: list[str], tmp_path: Path) -> None:
    grid = TableSweep("1", seeds=[0], out=str(tmp_path / "out"))
    with pytest.raises(DatasetError, match="nowhere"):
        plan_image_tables(grid, lambda some: config(*toys, f"data.root={tmp_path / 'nowhere'}", *some))
    with pytest.raises(PickClutterError, match="nobody"):
        plan_image_tables(grid, lambda some: config(*toys, f"teacher.checkpoint={tmp_path / 'nobody'}", *some))
    with pytest.raises(InvalidArgumentError, match="class_splits"):
        plan_image_tables(grid, lambda some: config(*toys, "data.seed=5", *some))


def described(path: Path, word: str, style: str = "standard") -> Path:
    """Write descriptions of the toy objects."""
    texts = {item.name: f"which is {word}" for item in paper_catalog()}
    DescriptionSet("toys", style, "none", "", "", "none", "a test", texts).save(path)
    return path


def test_texts_are_checked_before_any_run(toys: list[str], tmp_path: Path) -> None:
    def plan(table: str, *overrides: str) -> list[Job]:
        grid = TableSweep(table, seeds=[0], out=str(tmp_path / "out"), overrides=[*overrides])
        return plan_image_tables(grid, lambda some: config(*toys, *some))

    (tmp_path / "none.jsonl").write_text(json.dumps({"id": "nobody", "text": "a"}))
    with pytest.raises(InvalidArgumentError, match="captions"):
        plan("5", f"data.captions={tmp_path / 'none.jsonl'}")
    long = described(tmp_path / "long.json", "very " * 100)
    with pytest.raises(InvalidArgumentError, match=r"text\.truncate"):
        plan("5", f"data.descriptions={long}")
    assert plan("5", f"data.descriptions={long}", "text.truncate=true")
    with pytest.raises(MissingAssetsError, match=r"standard\.json"):
        plan("7", f"text.style_dir={tmp_path}")
    for style in ("standard", "succinct", "detailed", "distinct"):
        described(tmp_path / f"{style}.json", style)
    with pytest.raises(InvalidArgumentError, match=r"succinct"):
        plan("7", f"text.style_dir={tmp_path}")
    for style in ("succinct", "detailed", "distinct"):
        described(tmp_path / f"{style}.json", style, style)
    assert plan("7", f"text.style_dir={tmp_path}")
    seen = DescriptionSet.load(tmp_path / "distinct.json")
    replace(seen, images_seen=True).save(tmp_path / "distinct.json")
    with pytest.raises(InvalidArgumentError, match="distinct"):
        plan("7", f"text.style_dir={tmp_path}")


def test_other_texts_or_settings_than_finished_runs_have_are_refused(toys: list[str], tmp_path: Path) -> None:
    def plan(table: str, *overrides: str) -> list[Job]:
        grid = TableSweep(table, seeds=[0, 1], out=str(tmp_path / "out"), overrides=[*overrides])
        return plan_image_tables(grid, lambda some: config(*toys, *some))

    red, blue = (described(tmp_path / f"{word}.json", word) for word in ("red", "blue"))
    for name in (ENRICHED, BEST):
        folder = tmp_path / "out" / name / "seed0"
        overrides = (*RUNS[name], f"data.descriptions={red}", f"name={name}", f"out={folder}")
        evaluate_images(trained(*toys, *overrides))
    for table in ("6", "10"):
        assert [job.done for job in plan(table, f"data.descriptions={red}")] == [True, False]
    with pytest.raises(InvalidArgumentError, match=r"distill\.epochs"):
        plan("9", f"data.descriptions={red}", "distill.epochs=2")
    with pytest.raises(MismatchError, match=r"data\.texts"):
        plan("10", f"data.descriptions={blue}")
    with pytest.raises(MismatchError, match="descriptions"):
        plan("6", f"data.descriptions={blue}")
    again = trained(
        *toys, *RUNS[BEST], f"data.descriptions={blue}", f"name={BEST}", f"out={tmp_path / 'out' / BEST / 'seed0'}"
    )
    evaluate_images(again)  # nothing is trained again: it uses no description
    assert [job.done for job in plan("6", f"data.descriptions={blue}")] == [True, False]


def test_a_vit_is_trained_with_its_recipe_for_any_other_student(toys: list[str], tmp_path: Path) -> None:
    paths = [one for one in toys if one.startswith(("data.root", "teacher"))]
    overrides = [*paths, "recipe=paper_resnet", "student.name=torchvision/resnet50", "student.dropout=false"]
    grid = TableSweep("all", seeds=[0], out=str(tmp_path), overrides=overrides)
    jobs = plan_image_tables(grid, lambda some: config(*some))
    vit: dict[str, Any] = {job.name: job.config for job in jobs if "vit" in job.name}
    assert len(vit) == 4
    for run in vit.values():
        assert run.student.name == "timm/vit_base_patch32_224"
        assert run.distill.optimizer == "adamw" and run.crops.rand_augment and not run.student.dropout
    others: list[Any] = [job.config for job in jobs if "vit" not in job.name]
    assert {run.student.name for run in others} == {"torchvision/resnet50"}
    assert {run.distill.optimizer for run in others} == {"sgd"}


@pytest.mark.parametrize(("dataset", "repeats"), [("food101", 3), ("sun397", 3), ("flower102", 5)])
def test_a_vit_passes_over_large_sets_three_times(dataset: str, repeats: int) -> None:
    run = next(name for name, overrides in RUNS.items() if "student=vit_b_32" in overrides)
    shared = ["recipe=paper_resnet", f"dataset={dataset}", "data.root=somewhere"]
    assert config(*run_overrides(run, shared)).epoch_repeats == repeats
    assert config(*run_overrides(run, [*shared, "epoch_repeats=2"])).epoch_repeats == 2
    assert config(*run_overrides("cls", shared)).epoch_repeats == (1 if repeats == 3 else repeats)


@pytest.mark.parametrize("recipe", ["cpu", "smoke", "paper_resnet", "paper_vit"])
@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "dataset").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_data_set_and_recipe_is_a_complete_configuration(path: Path, recipe: str) -> None:
    chosen = config(f"dataset={path.stem}", f"recipe={recipe}", "data.root=somewhere", "objective.cls=1")
    assert chosen.data.name == path.stem and chosen.data.root == "somewhere"
    if path.stem == "flower102":
        with pytest.raises(InvalidArgumentError, match=r"data\.root"):
            config("dataset=flower102", "objective.cls=1")
