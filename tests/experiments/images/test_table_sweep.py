"""Sweeps over single-image runs: planning, every table with tiny runs, every configuration."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.forkserver import run_python
from helpers.image_data import toy_views
from helpers.image_runs import config, make_toys, trained
from helpers.paths import ROOT
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    MismatchError,
    MissingAssetsError,
    PickClutterError,
)
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.table_specs import BEST, ENRICHED, FIGURES, RUNS, TABLES
from pickclutter_lang.experiments.images.table_sweep import (
    TableSweepConfig,
    _overrides,
    plan_image_tables,
    write_image_tables,
)
from pickclutter_lang.experiments.result import RESULT_FILE
from pickclutter_lang.experiments.sweeps.sweep_runner import Job
from pickclutter_lang.experiments.sweeps.sweep_values import read_values
from pickclutter_lang.language.descriptions import BLIND, DescriptionSet, load_descriptions
from pickclutter_lang.objects.catalog import paper_catalog


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides that point to views of objects and to an untrained teacher."""
    return make_toys(tmp_path_factory.mktemp("toys"))


@pytest.mark.slow
def test_every_table_and_figure_from_runs_of_two_classes_a_side(toys: list[str], tmp_path: Path) -> None:
    shared = [*toys, "data.max_classes=2", "data.max_per_class=6"]
    for name, overrides in RUNS.items():
        student = ["student.name=timm/vit_tiny_patch16_224"] if "student=vit_b_32" in overrides else []
        evaluate_images(trained(*shared, *overrides, *student, f"name={name}", f"out={tmp_path / name / 'seed0'}"))
    grid = TableSweepConfig("all", "all", [0], str(tmp_path), 1, [])
    written = write_image_tables(grid)
    assert len(written) == len(TABLES) + len(FIGURES) + 1
    page = written[-1].read_text()
    assert page.count("<svg") == len(FIGURES) + 2  # and the bars and margins of the classes
    assert all(f">Table {number}: " in page for number in TABLES)
    assert "teacher" in read_values(tmp_path / "values.csv").runs
    for number, table in TABLES.items():
        assert "Not finished" not in (tmp_path / f"table{number}.md").read_text()
        if table.rows:
            rows = list(csv.DictReader((tmp_path / f"table{number}.csv").open()))
            assert {row["row"] for row in rows if not row["minus"]} == {row.name for row in table.rows}
            assert any(row["mean"] for row in rows)


@pytest.mark.slow
def test_the_command_writes_a_table_and_skips_finished_runs(toys: list[str], tmp_path: Path) -> None:
    command = [
        "-m", "pickclutter_lang.commands", "reproduce-tables", "table=3", "seeds=[0]", f"out={tmp_path / 'out'}",
        *(one for one in toys if not one.startswith("num_threads")),
    ]  # fmt: skip
    done = run_python(command)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Table 3: .*\n\| .*(\n\|.*){3}", done.stdout, re.MULTILINE) and "table3.md" in done.stdout
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob(RESULT_FILE)}
    assert len(before) == 2
    again = run_python(command)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    other = run_python([*command, "distill.lr=0.5"])
    assert other.returncode == 2
    assert "distill.lr: 0.002 / 0.5" in other.stderr
    toy_views(tmp_path / "other", objects=6, views=17)
    elsewhere = run_python([*command, f"data.root={tmp_path / 'other'}"])
    assert elsewhere.returncode == 2
    assert "other data" in elsewhere.stderr
    damaged = next(iter(before))
    damaged.write_text(json.dumps({"schema": 0}))
    refused = run_python(command)
    assert refused.returncode == 2
    assert str(damaged) in refused.stderr


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({}, "table=1"),
        ({"table": "13"}, "13"),
        ({"table": []}, "table=1"),
        ({"table": [1, 13]}, "13"),
        ({"figure": "3"}, "3"),
        ({"table": "1", "seeds": [0, 0]}, "seeds"),
        ({"table": "1", "workers": 0}, "workers"),
        ({"table": "1", "overrides": ["seed=4"]}, r"seeds=\[0,1,2\] for their seeds, but got seed=4"),
        ({"table": "2", "overrides": ["objective.im_cst=1"]}, "objective.im_cst=1"),
        ({"table": "5", "overrides": ["text.descriptions=own"]}, "text.descriptions=own"),
        ({"table": "1", "overrides": ["objective={vlprox: 1.0}"]}, "objective="),
        ({"table": "1", "overrides": ["text={descriptions: own}"]}, "text="),
    ],
)
def test_an_invalid_sweep_is_named(chosen: dict[str, Any], message: str) -> None:
    values = {"table": None, "figure": None, "seeds": [0], "out": "runs", "workers": 1, "overrides": []} | chosen
    with pytest.raises(InvalidArgumentError, match=message):
        TableSweepConfig(**values).validate()


def test_runs_that_tables_share_are_planned_once(toys: list[str], tmp_path: Path) -> None:
    grid = TableSweepConfig("all", "all", [0, 1], str(tmp_path), 2, [])
    jobs = plan_image_tables(grid, lambda overrides: config(*toys, *overrides))
    names = [job.name for job in jobs]
    assert len(names) == len(set(names)) == 2 * len(RUNS)


def test_missing_images_are_named_before_any_run(toys: list[str], tmp_path: Path) -> None:
    grid = TableSweepConfig("1", None, [0], str(tmp_path / "out"), 1, [])
    with pytest.raises(DatasetError, match="nowhere"):
        plan_image_tables(grid, lambda some: config(*toys, f"data.root={tmp_path / 'nowhere'}", *some))
    with pytest.raises(PickClutterError, match="nobody"):
        plan_image_tables(grid, lambda some: config(*toys, f"teacher.checkpoint={tmp_path / 'nobody'}", *some))


def described(path: Path, word: str, style: str = "standard") -> Path:
    """Write descriptions of the toy objects."""
    texts = {item.name: f"which is {word}" for item in paper_catalog()}
    DescriptionSet("toys", style, "none", "", "", "none", "a test", texts).save(path)
    return path


def test_texts_are_checked_before_any_run(toys: list[str], tmp_path: Path) -> None:
    def plan(table: str, *overrides: str) -> list[Job]:
        grid = TableSweepConfig(table, None, [0], str(tmp_path / "out"), 1, list(overrides))
        return plan_image_tables(grid, lambda some: config(*toys, *some))

    (tmp_path / "none.jsonl").write_text(json.dumps({"id": "nobody", "text": "a"}))
    with pytest.raises(InvalidArgumentError, match="captions of images"):
        plan("5", f"data.captions={tmp_path / 'none.jsonl'}")
    long = described(tmp_path / "long.json", "very " * 100)
    with pytest.raises(InvalidArgumentError, match=r"at most .* tokens.*text\.truncate=true"):
        plan("5", f"data.descriptions={long}")
    assert plan("5", f"data.descriptions={long}", "text.truncate=true")
    with pytest.raises(MissingAssetsError, match=r"style=standard .*out=.*standard\.json"):
        plan("7", f"text.style_dir={tmp_path}")
    for style in ("standard", "succinct", "detailed", "distinct"):
        described(tmp_path / f"{style}.json", style)
    with pytest.raises(InvalidArgumentError, match=r"expected succinct descriptions in .* these are standard"):
        plan("7", f"text.style_dir={tmp_path}")
    for style in ("succinct", "detailed", "distinct"):
        described(tmp_path / f"{style}.json", style, style)
    assert plan("7", f"text.style_dir={tmp_path}")
    seen = DescriptionSet.load(tmp_path / "distinct.json")
    replace(seen, images_seen=True).save(tmp_path / "distinct.json")
    with pytest.raises(InvalidArgumentError, match=r"from the names alone in .*choose text\.descriptions=distinct"):
        plan("7", f"text.style_dir={tmp_path}")


def test_other_texts_than_finished_runs_have_are_refused(toys: list[str], tmp_path: Path) -> None:
    def plan(table: str, *overrides: str) -> list[Job]:
        grid = TableSweepConfig(table, None, [0, 1], str(tmp_path / "out"), 1, list(overrides))
        return plan_image_tables(grid, lambda some: config(*toys, *some))

    red, blue = (described(tmp_path / f"{word}.json", word) for word in ("red", "blue"))
    for name in (ENRICHED, BEST):
        folder = tmp_path / "out" / name / "seed0"
        overrides = (*RUNS[name], f"data.descriptions={red}", f"name={name}", f"out={folder}")
        evaluate_images(trained(*toys, *overrides))
    for table in ("6", "10"):
        assert [job.done for job in plan(table, f"data.descriptions={red}")] == [True, False]
    with pytest.raises(MismatchError, match=r"other data .*data\.texts: "):
        plan("10", f"data.descriptions={blue}")
    with pytest.raises(MismatchError, match=r"\(descriptions differ\).*delete its result.json"):
        plan("6", f"data.descriptions={blue}")
    again = trained(
        *toys, *RUNS[BEST], f"data.descriptions={blue}", f"name={BEST}", f"out={tmp_path / 'out' / BEST / 'seed0'}"
    )
    evaluate_images(again)  # nothing is trained again: it uses no description
    assert [job.done for job in plan("6", f"data.descriptions={blue}")] == [True, False]


def test_the_data_report_is_printed_once(toys: list[str], tmp_path: Path) -> None:
    reports: list[str] = []
    grid = TableSweepConfig("1", None, [0, 1], str(tmp_path), 1, [])
    plan_image_tables(grid, lambda some: config(*toys, *some), reports.append)
    assert len(reports) == 1 and "6 classes" in reports[0]


def test_no_table_tells_the_package_how_its_objects_look() -> None:
    given = {text.split("=")[1] for run in RUNS.values() for text in run if text.startswith("text.descriptions=")}
    assert given == {"own", *BLIND}
    assert not any(load_descriptions(style).images_seen for style in given - {"own"})


def test_tables_of_a_list_are_planned_together() -> None:
    grid = TableSweepConfig([1, "5"], None, [0], "runs", 2, [])
    assert set(grid.runs) == {*TABLES["1"].runs, *TABLES["5"].runs}


def test_a_vit_is_trained_with_its_recipe_for_any_other_student(toys: list[str], tmp_path: Path) -> None:
    paths = [one for one in toys if one.startswith(("data.root", "teacher"))]
    overrides = [*paths, "recipe=paper_resnet", "student.name=torchvision/resnet50", "student.dropout=false"]
    grid = TableSweepConfig("all", None, [0], str(tmp_path), 1, overrides)
    jobs = plan_image_tables(grid, lambda some: config(*some))
    vit: dict[str, Any] = {job.name: job.config for job in jobs if "vit" in job.name}
    assert len(vit) == 4
    for run_config in vit.values():
        assert run_config.student.name == "timm/vit_base_patch32_224"
        assert (
            run_config.distill.optimizer == "adamw" and run_config.crops.rand_augment and not run_config.student.dropout
        )
    others: list[Any] = [job.config for job in jobs if "vit" not in job.name]
    assert {run_config.student.name for run_config in others} == {"torchvision/resnet50"}
    assert {run_config.distill.optimizer for run_config in others} == {"sgd"}


@pytest.mark.parametrize(("dataset", "repeats"), [("food101", 3), ("sun397", 3), ("flower102", 5)])
def test_a_vit_passes_over_large_sets_three_times(dataset: str, repeats: int) -> None:
    run = next(name for name, overrides in RUNS.items() if "student=vit_b_32" in overrides)
    shared = ["recipe=paper_resnet", f"dataset={dataset}", "data.root=somewhere"]
    assert config(*_overrides(run, shared)).epoch_repeats == repeats
    assert config(*_overrides(run, [*shared, "epoch_repeats=2"])).epoch_repeats == 2
    assert config(*_overrides("cls", shared)).epoch_repeats == (1 if repeats == 3 else repeats)


def test_incomparable_settings_are_refused_before_training(toys: list[str], tmp_path: Path) -> None:
    evaluate_images(trained(*toys, *RUNS["cls"], "name=cls", f"out={tmp_path / 'cls' / 'seed0'}"))
    grid = TableSweepConfig("9", None, [0], str(tmp_path), 1, ["distill.epochs=2"])
    with pytest.raises(MismatchError, match=r"distill\.epochs: 1 / 2"):
        plan_image_tables(grid, lambda some: config(*toys, *some))


@pytest.mark.parametrize("recipe", ["cpu", "smoke", "paper_resnet", "paper_vit"])
@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "dataset").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_data_set_and_recipe_is_a_complete_configuration(path: Path, recipe: str) -> None:
    chosen = config(f"dataset={path.stem}", f"recipe={recipe}", "data.root=somewhere", "objective.cls=1")
    assert chosen.data.name == path.stem and chosen.data.root == "somewhere"


def test_a_data_set_without_a_path_requires_one() -> None:
    with pytest.raises(InvalidArgumentError, match=r"data\.root"):
        config("dataset=flower102", "objective.cls=1")
