"""Sweeps over splits of the classes of single images: what their intervals cover, and the small file of answers."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.image_data import paint_classes
from helpers.image_runs import config, make_toys, trained
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.images.image_answers import ANSWERS_FILE, load_answers
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_report import draw_classes
from pickclutter_lang.experiments.images.image_results import load_runs, read_numbers, write_numbers
from pickclutter_lang.experiments.images.sweep_answers import SWEEP_ANSWERS_FILE, read_answers, scores_of
from pickclutter_lang.experiments.images.table_sweep import TableSweepConfig, plan_image_tables, write_image_tables
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate
from pickclutter_lang.metrics.bootstrap import HierarchicalBootstrap

OOD = "few_shot.ood.accuracy"


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides of tiny runs on a folder of eight classes, of which each split draws four."""
    root = tmp_path_factory.mktemp("toys")
    images = paint_classes(root / "images", [f"class {letter}" for letter in "abcdefgh"], 12)
    return [*make_toys(root), "dataset=image_folder", f"data.root={images}"]


@pytest.fixture(scope="module")
def sweep(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two losses over two splits of the classes, two seeds each, as the command makes them."""
    out = tmp_path_factory.mktemp("sweep")
    for loss in ("cls", "mse"):
        for replicate in (Replicate(split, seed) for split in (0, 1) for seed in (0, 1)):
            own = [f"data.seed={replicate.object_split}", f"seed={replicate.seed}", f"objective.{loss}=1"]
            folder = out / loss / replicate.folder_name
            evaluate_images(trained(*toys, *own, f"name={loss}", f"out={folder}"))
    return out


def test_intervals_cover_splits_seeds_images_and_classes(sweep: Path, tmp_path: Path) -> None:
    runs = load_runs(sweep)
    unseen = [set(runs.runs["cls"][Replicate(split)]["data"]["unseen"]) for split in (0, 1)]
    assert unseen[0] & unseen[1] and unseen[0] != unseen[1]  # they share some
    command = runs.command("table=1", runs.replicates("cls"))
    assert "class_splits=[0,1] seeds=[0,1]" in command and "class_splits" not in runs.command("table=1", [Replicate()])
    assert runs.replicates("cls") == tuple(Replicate(split, seed) for split in (0, 1) for seed in (0, 1))
    of_splits = [np.mean([v for v in runs.values("cls", OOD)[2 * n : 2 * n + 2] if v is not None]) for n in (0, 1)]
    found = runs.estimate("cls", OOD)
    assert found is not None and found.mean == pytest.approx(np.mean(of_splits)) and found.seeds == 4
    assert found.half_width
    note = runs.note(["cls", "mse"])
    assert "accuracies of the teacher, zero-shot, few-shot and by retrieval cover 2 class splits, 2 seeds, " in note
    assert note.endswith("those of other numbers: over 2 class splits, 2 seeds (hierarchical bootstrap).")
    teacher = runs.estimate(None, "teacher.ood.accuracy")
    assert teacher is not None and teacher.half_width
    write_numbers(runs, tmp_path)
    read = read_numbers(tmp_path)
    for measure in (OOD, "zero_shot.id.accuracy", "zero_shot.ood.accuracy", "features.train.mse"):
        left, right = ("mse", measure), ("cls", measure)
        for one, other in (
            (runs.estimate(*left), read.estimate(*left)),
            (runs.difference(left, right), read.difference(left, right)),
        ):
            assert one is not None and other is not None and one.mean == pytest.approx(other.mean, abs=1e-5)
            assert one.half_width == pytest.approx(other.half_width, abs=1e-5)
    assert read.note(["cls"]) == runs.note(["cls"])


def test_decisions_are_the_answers_of_each_run(sweep: Path, tmp_path: Path) -> None:
    write_numbers(load_runs(sweep), tmp_path)
    path = tmp_path / SWEEP_ANSWERS_FILE
    scores = scores_of(read_answers(path), path)
    saved = load_answers(sweep / "mse" / "split1_seed1")
    assert saved is not None
    for stage, part in (("few_shot", "ood"), ("zero_shot", "all"), ("zero_shot", "id")):
        split, images = scores[f"{stage}.{part}"][1], saved.of(part)
        answers = saved.stages[stage][part]["predicted"]
        assert split.scenes == tuple(images["images"])
        recalls = []
        for name in split.classes:
            of_class = [n for n, label in enumerate(images["labels"]) if saved.classes[label] == name]
            recalls.append(np.mean([answers[n] == images["labels"][n] for n in of_class]))
        found = HierarchicalBootstrap({1: split}, 50).estimate("mse", "recall")
        of_seeds = [run.predicted[:, 0].tolist() for run in split.runs["mse"].values()]
        assert of_seeds[1] == saved.right(stage, part)
        alone = replace(split, runs={"mse": {(1, 0): split.runs["mse"][1, 0]}})
        exact = HierarchicalBootstrap({1: alone}, 50).estimate("mse", "recall")
        assert found is not None and exact is not None and exact.mean == pytest.approx(np.mean(recalls))
    first = path.read_bytes()
    write_numbers(load_runs(sweep), tmp_path)
    assert path.read_bytes() == first


def test_two_stages_of_a_run_are_compared_on_the_same_images(sweep: Path, tmp_path: Path) -> None:
    runs = load_runs(sweep)
    left, right = ("cls", OOD), ("cls", "retrieval.ood.accuracy")
    found, swapped = runs.difference(left, right), runs.difference(right, left)
    ours, theirs = runs.estimate(*left), runs.estimate(*right)
    assert found is not None and swapped is not None and ours is not None and theirs is not None
    assert found.mean == pytest.approx(ours.mean - theirs.mean) and found.half_width
    assert swapped.mean == pytest.approx(-found.mean) and swapped.half_width == pytest.approx(found.half_width)
    shutil.copytree(sweep / "cls" / "seed0", tmp_path / "cls" / "seed0")
    alone = load_runs(tmp_path).difference(left, right)
    assert alone is not None and alone.half_width is not None and alone.seeds == 1  # images and classes vary
    other_images = runs.difference(left, ("cls", "zero_shot.id.accuracy"))
    assert other_images is not None and other_images.seeds == 4


def test_a_choice_of_the_classes_may_differ_between_splits(toys: list[str], tmp_path: Path) -> None:
    few = [*toys, "data.max_classes=2", "data.max_per_class=8"]
    for split in (0, 1):
        folder = tmp_path / "cls" / Replicate(split).folder_name
        evaluate_images(trained(*few, f"data.seed={split}", "objective.cls=1", "name=cls", f"out={folder}"))
    found = load_runs(tmp_path).estimate("cls", OOD)
    assert found is not None and found.seeds == 2


def test_charts_show_a_class_where_it_is_unseen(sweep: Path) -> None:
    saved = {Replicate(split): load_answers(sweep / "cls" / Replicate(split).folder_name) for split in (0, 1)}
    first, second = (one for one in saved.values() if one is not None)
    figure = draw_classes({"cls": {Replicate(0): first, Replicate(1): second}})
    labels = [text.get_text() for axis in figure.axes for text in axis.get_yticklabels() + axis.get_xticklabels()]
    starred = {text.replace("*", "").strip() for text in labels if "*" in text}
    assert starred == first.unseen_names | second.unseen_names


def test_the_command_knows_its_finished_runs_and_writes_a_table_of_all(
    sweep: Path, toys: list[str], tmp_path: Path
) -> None:
    out = shutil.copytree(sweep, tmp_path / "out")
    grid = TableSweepConfig("1", None, [0, 1], str(out), 1, [], [0, 1])
    grid.validate()
    jobs = plan_image_tables(grid, lambda some: config(*toys, *some))
    done = {job.name for job in jobs if job.done}
    assert done == {f"{loss}/{folder}" for loss in ("cls", "mse") for folder in
                    ("seed0", "seed1", "split1_seed0", "split1_seed1")}  # fmt: skip
    page = write_image_tables(grid)[0].read_text()
    assert "| L_cls | `cls` | 4 |" in page and "cover 2 class splits, 2 seeds" in page
    assert (out / SWEEP_ANSWERS_FILE).is_file() and (out / "values.csv").is_file()
    (out / "cls" / "seed0" / ANSWERS_FILE).unlink()  # as of a run of an earlier version
    page = write_image_tables(grid)[0].read_text()
    assert "over 2 class splits, 2 seeds (hierarchical bootstrap); images and classes are not covered" in page
    assert "1 runs saved no answers, such as" in page and "cls/seed0" in page
    assert not (out / SWEEP_ANSWERS_FILE).exists()


def test_other_images_in_a_split_are_refused(sweep: Path, tmp_path: Path) -> None:
    out = shutil.copytree(sweep, tmp_path / "out")
    path = out / "mse" / "split1_seed0" / ANSWERS_FILE
    content = json.loads(gzip.decompress(path.read_bytes()))
    content["images"]["ood"]["images"][0] = "another"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    with pytest.raises(MismatchError, match="class split 1 on the same images"):
        load_runs(out)


def change(content: Any, *keys: Any, value: Any) -> None:
    *path, last = keys
    for key in path:
        content = content[key]
    content[last] = value


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: change(c, "runs", 0, "object_split", value=7), "lacks the images of '7'"),
        (lambda c: change(c, "runs", 0, "stages", "few_shot", "ood", 0, value=99), "expected indices of 8 classes"),
        (lambda c: change(c, "splits", "0", "parts", "ood", "labels", 0, value=-1), "expected indices of 8 classes"),
        (lambda c: c["splits"]["0"]["parts"]["id"]["images"].pop(), "expected ids of"),
        (lambda c: c["runs"][0]["stages"]["few_shot"]["ood"].pop(), "expected an answer for each of"),
    ],
)
def test_damaged_answers_are_named(sweep: Path, tmp_path: Path, damage: Callable[[Any], None], message: str) -> None:
    write_numbers(load_runs(sweep), tmp_path)
    path = tmp_path / SWEEP_ANSWERS_FILE
    content = json.loads(gzip.decompress(path.read_bytes()))
    damage(content)
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    with pytest.raises(CheckpointError, match=message):
        read_numbers(tmp_path)


@pytest.mark.parametrize(
    ("splits", "overrides", "message"),
    [
        ([0, 0], [], "class_splits as a list without repeats"),
        ([-1], [], "class_splits of 0 to 4294967295, but got -1"),
        ([0], ["data.seed=3"], r"expected class_splits=\[3\], which sets data.seed, but got data.seed=3"),
    ],
)
def test_wrong_splits_are_named(splits: list[int], overrides: list[str], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        TableSweepConfig("1", None, [0], "runs", 1, overrides, splits).validate()


def test_a_split_in_a_file_is_refused(toys: list[str], tmp_path: Path) -> None:
    grid = TableSweepConfig("1", None, [0], str(tmp_path), 1, [])
    with pytest.raises(InvalidArgumentError, match=r"class_splits=\[5\] instead of data.seed=5 in a file"):
        plan_image_tables(grid, lambda some: config(*toys, "data.seed=5", *some))
