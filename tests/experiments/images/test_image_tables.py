"""Tables and figures of the image-classification tables, from constructed results with known numbers."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from omegaconf import OmegaConf

from helpers.image_results import make_result, write_result
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_figures import write_figure
from pickclutter_lang.experiments.images.image_results import load_runs, measures_of, summary, teacher_rows
from pickclutter_lang.experiments.images.image_tables import write_table
from pickclutter_lang.experiments.images.table_specs import FIGURES, RUNS, TABLES, table_of
from pickclutter_lang.experiments.result import read_result
from pickclutter_lang.experiments.sweeps.sweep_values import read_values, values_of, write_values
from pickclutter_lang.experiments.sweeps.tables import comparison_rows, table_rows
from pickclutter_lang.results.paper_tables import PAPER

ACCURACIES: dict[str, list[tuple[float, float | None, float]]] = {
    "closed_set": [(0.50, None, 0.30), (0.56, None, 0.28), (0.53, None, 0.29)],
    "cls": [(0.60, 0.20, 0.40), (0.62, 0.24, 0.41), (0.64, 0.22, 0.45)],
    "cls+im_cst": [(0.61, 0.30, 0.42), (0.60, 0.35, 0.38), (0.66, 0.31, 0.45)],
}


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
    return write_table(load_runs(runs), number, out).read_text()


def row_of(text: str, name: str) -> list[str]:
    """The cells of the first line that names a run."""
    found = next(row for row in text.splitlines() if row.startswith("|") and name in row)
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_the_teacher_of_table_1_is_prompted_with_names_alone(folder: Path, tmp_path: Path) -> None:
    for seed in range(4):
        enriched = make_result("best+semantic", seed)
        enriched["config"]["text"]["descriptions"] = "own"
        enriched["metrics"]["teacher"] = {part: {"accuracy": 0.1} for part in ("id", "ood")}
        write_result(folder, enriched)
    assert row_of(page(folder, "1", tmp_path), "teacher, zero-shot")[3] == "90.0 ± 0.0 / 80.0 ± 0.0"


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


def test_runs_differ_in_what_they_set() -> None:
    assert len({frozenset(overrides) for overrides in RUNS.values()}) == len(RUNS)
    assert RUNS["cls+im_cst"] == ("objective.cls=1", "objective.im_cst=1")
    assert "text.n_ctx=8" in RUNS["best+semantic+prompt"] and "text.descriptions=own" in RUNS["best+semantic+prompt"]
    assert TABLES["5"].rows[0].run == "cls+im_cst+vlprox" and set(TABLES["3"].runs) < set(TABLES["1"].runs)


def test_every_run_is_one_of_the_script() -> None:
    for name in ("closed_set", "best+semantic+captions+prompt", "vit_b_32+cls", "best+semantic+filtered_im_cst"):
        compose_config(ImageTrainConfig, "train_image_student", RUNS[name])
    keys = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} - {"student"}
    config = OmegaConf.structured(ImageTrainConfig)
    assert all(OmegaConf.select(config, key, default="none") != "none" for key in keys)


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
    assert row_of(text, "teacher, zero-shot")[3] == "90.0 ± 0.0 / 80.0 ± 0.0"
    assert row_of(text, "chance")[3] == "25.0 / 20.0 / 20.0"


def test_runs_that_are_not_finished_are_named(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    assert "Not finished: `mse`, `cls+mse`, `im_cst`" in text
    assert row_of(text, "`mse`")[2:] == ["0", "NA / NA / NA"]
    with pytest.raises(CheckpointError, match=r"table=8 dataset=object_views out=\S+ seeds=\[0,1,2\]"):
        write_table(load_runs(folder), "8", tmp_path)
    assert not (tmp_path / "table8.md").exists()


def test_the_table_shows_its_provenance(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    assert f"pickclutter reproduce-tables table=1 dataset=object_views out={folder} seeds=[0,1,2]" in text
    assert "4 classes in Y_id and 5 in Y_ood; 400 training, 170 X_id, 600 X_ood and 25 few-shot images" in text
    assert "Teacher `pocket`, student `torchvision/resnet18`." in text
    assert "not one of the paper's data sets" in text and "*paper*" not in text


def test_differences_are_paired_by_seed_and_bold_where_they_exclude_0(folder: Path, tmp_path: Path) -> None:
    text = page(folder, "1", tmp_path)
    differences = [0.10, 0.11, 0.09]
    half = 100 * scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem(differences)
    _, seeds, cell = row_of(text, "`cls+im_cst` - `cls`")
    first, second, third = cell.split(" / ")
    assert seeds == "3" and second == f"**+10.0 ± {half:.1f}**" and "**" not in first + third
    assert row_of(text, "`cls` - `closed_set`")[2].split(" / ")[1] == "NA"
    (folder / "cls" / "seed1" / "result.json").unlink()
    assert row_of(page(folder, "1", tmp_path), "`cls+im_cst` - `cls`")[1] == "2"


def test_csv_has_every_number(folder: Path, tmp_path: Path) -> None:
    page(folder, "1", tmp_path)
    rows = csv_rows(tmp_path / "table1.csv")
    [row] = [r for r in rows if (r["row"], r["minus"], r["measure"]) == ("cls", "", "zero_shot.ood.accuracy")]
    assert float(row["mean"]) == pytest.approx(0.22) and row["runs"] == "3" and row["paper"] == ""
    assert row["values"] == "0.200000 0.240000 0.220000"
    [row] = [r for r in rows if (r["row"], r["measure"]) == ("cls", "few_shot.all.accuracy")]
    assert float(row["mean"]) == pytest.approx(0.21)
    [row] = [r for r in rows if (r["row"], r["minus"]) == ("cls+im_cst", "cls") and "zero_shot.ood" in r["measure"]]
    assert float(row["mean"]) == pytest.approx(0.10)


def test_numbers_come_back_from_their_file(everything: Path, tmp_path: Path) -> None:
    runs = load_runs(everything)
    write_values(tmp_path / "values.csv", values_of(runs, measures_of, teacher_rows(runs)))
    read = read_values(tmp_path / "values.csv")
    for table in TABLES.values():
        whole = table_of(table.number, "object_views", 4, 5)
        assert table_rows(read, whole) == table_rows(runs, whole), table.number
        assert comparison_rows(read, whole) == comparison_rows(runs, whole), table.number


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    write_result(tmp_path, make_result("cls", 4, (0.6, 0.2, 0.4)))
    write_result(tmp_path, make_result("closed_set", 4, (0.5, None, 0.5)))
    text = page(tmp_path, "1", tmp_path)
    assert row_of(text, "`cls`")[2:] == ["1", "**60.0** / 20.0 / 40.0"]
    assert row_of(text, "`cls` - `closed_set`")[1:] == ["1", "+10.0 / NA / -10.0"]
    assert "seeds=[4]\n" in text


def test_paper_figures_are_shown_on_its_data_sets(tmp_path: Path) -> None:
    for name in ("cls", "cls+im_cst", "cls+im_cst+vlprox+mse"):
        write_result(tmp_path, make_result(name, 0, data="caltech_birds"))
    text = page(tmp_path, "1", tmp_path)
    assert row_of(text, "`cls`")[4] == "*61.0 / 14.2 / 34.9*" and row_of(text, "chance")[4] == ""
    assert row_of(text, "teacher, zero-shot")[4] == "*70.0 / 70.5*"
    assert row_of(text, "`cls+im_cst+vlprox+mse`")[4] == ""  # the paper's are next to the row without L_mse
    assert row_of(text, "`cls+im_cst` - `cls`")[3] == "*-0.1 / +6.2 / +2.7*"
    assert "4122 / 1740 / 5926 images" in text
    text = page(tmp_path, "2", tmp_path)
    assert "no figures of CaltechBirds in this table" in text and "*paper*" not in text


def test_paper_figures_follow_their_columns(tmp_path: Path) -> None:
    for name in ("mse", "cls+mse", "cls+im_cst+vlprox", "best+semantic"):
        write_result(tmp_path / "a", make_result(name, 0, data="flower102"))
    text = page(tmp_path / "a", "3", tmp_path)
    assert row_of(text, "`cls+mse`")[3:7] == ["0.250 / 0.250", "*0.030 / 0.004*", "0.30 / 0.30", "*0.13 / 0.06*"]
    text = page(tmp_path / "a", "11", tmp_path)
    assert row_of(text, "few-shot on X_ood1")[3:] == ["**60.0**", "*62.79*", "**19.0**", "*18.24*"]
    assert row_of(text, "`after` - `before`")[2:] == ["+35.0", "*+37.68*", "+1.0", "*+0.23*"]
    assert row_of(page(tmp_path / "a", "6", tmp_path), "names alone")[3:] == ["0.5000", "*0.5156*"]
    write_result(tmp_path / "b", make_result("mse", 0, data="food101"))
    text = page(tmp_path / "b", "2", tmp_path)
    assert row_of(text, "`mse`")[3:] == ["0.50 / 41.4", "*0.24 / 28.4*", "0.50 / 41.4", ""]


def test_rows_equal_after_rounding_are_all_the_best(tmp_path: Path) -> None:
    write_result(tmp_path, make_result("mse", 0, (0.60004, 0.2, 0.4)))
    write_result(tmp_path, make_result("cls+mse", 0, (0.6, 0.3, 0.4)))
    text = page(tmp_path, "1", tmp_path)
    assert row_of(text, "`mse`")[3] == "**60.0** / 20.0 / **40.0**"
    assert row_of(text, "`cls+mse`")[3] == "**60.0** / **30.0** / **40.0**"


def test_guesses_about_the_order_of_texts(everything: Path, tmp_path: Path) -> None:
    assert row_of(page(everything, "4", tmp_path), "chance")[3:] == ["0.50 / 0.50", "1.50 / 1.50", "5.00 / 5.00"]
    assert row_of(page(everything, "11", tmp_path), "chance")[3:] == ["33.3", "50.0"]  # halves of 3 and 2 classes


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


def test_pages_are_the_same_when_written_again(everything: Path, tmp_path: Path) -> None:
    first = page(everything, "5", tmp_path / "a")
    assert page(everything, "5", tmp_path / "b") == first


def change(result: dict[str, Any], where: str, value: object) -> None:
    *path, last = where.split(".")
    for key in path:
        result = result[key]
    result[last] = value


@pytest.mark.parametrize(
    ("where", "value", "named"),
    [
        ("data.content", "other", "data.content: c0ffee / other"),
        ("data.unseen", ["unseen 0", "x"], "data.unseen: 5 / 2 values, 1 of them the same"),
        ("data.train", 20, "data.train: 400 / 20"),
        ("teacher.fingerprint", "g", "teacher.fingerprint: f / g"),
        ("config.distill.epochs", 7, "distill.epochs: 3 / 7"),
        ("config.objective.similarity", "x", "objective.similarity: cosine / x"),
        ("config.text.template", "x", "text.template: a photo of {name} / x"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(folder: Path, where: str, value: object, named: str) -> None:
    result = make_result("mse", 0)
    change(result, where, value)
    write_result(folder, result)
    with pytest.raises(MismatchError, match=named) as caught:
        load_runs(folder)
    assert "mse/seed0" in str(caught.value) and "closed_set/seed0" in str(caught.value)


def test_paths_and_another_student_are_no_difference(folder: Path) -> None:
    result = make_result("vit_b_32+cls", 0)  # trained for longer
    change(result, "config.data.root", "elsewhere")
    change(result, "config.num_threads", 8)
    write_result(folder, result)
    assert "vit_b_32+cls" in load_runs(folder).runs


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "is damaged"),
        ("[]", "damaged .expected object, but got array"),
        ('{"schema": 2}', "schema 4 .* but got 2"),
        ('{"schema": 4, "kind": "scenes"}', "a result on images .* but it is on scenes"),
        (
            '{"schema": 4, "kind": "images", "name": "cls", "seed": 0}',
            r"\$: expected the key teacher, but it is missing",
        ),
    ],
)
def test_damaged_results(folder: Path, content: str, named: str) -> None:
    (folder / "cls" / "seed0" / "result.json").write_text(content)
    with pytest.raises(CheckpointError, match=named):
        load_runs(folder)


def test_a_line_sums_up_a_run(folder: Path) -> None:
    text = summary(read_result(folder / "closed_set" / "seed0", "images"))
    assert "50.0 / NA / 30.0; " in text and text.endswith("90.0 / 80.0")


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there are none; make them"):
        load_runs(tmp_path / "nothing")


def test_unknown_table_numbers_are_refused(folder: Path, tmp_path: Path) -> None:
    for call in (write_table, write_figure):
        with pytest.raises(InvalidArgumentError, match="'13'"):
            call(load_runs(folder), "13", tmp_path)
