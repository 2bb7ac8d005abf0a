"""Sweeps over splits of the classes of single images: what their intervals cover, and the small file of answers."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.image_runs import config, make_toys, trained
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.images.image_answers import ANSWERS_FILE, load_answers
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_results import load_runs, read_numbers, write_numbers
from pickclutter_lang.experiments.images.sweep_answers import read_answers, scores_of
from pickclutter_lang.experiments.images.table_sweep import TableSweepConfig, plan_image_tables, write_image_tables
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate

OOD = "few_shot.ood.accuracy"


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"))


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
    assert runs.class_splits == (0, 1) and "class_splits=[0,1]" in runs.command("table=1", (0, 1))
    assert runs.replicates("cls") == tuple(Replicate(split, seed) for split in (0, 1) for seed in (0, 1))
    of_splits = [np.mean([v for v in runs.values("cls", OOD)[2 * n : 2 * n + 2] if v is not None]) for n in (0, 1)]
    found = runs.estimate("cls", OOD)
    assert found is not None and found.mean == pytest.approx(np.mean(of_splits)) and found.seeds == 4
    assert found.half_width
    note = runs.note(["cls", "mse"])
    assert "zero-shot, few-shot and retrieval accuracies cover 2 class splits, 2 seeds, " in note
    assert note.endswith("those of other numbers: over 2 class splits, 2 seeds (hierarchical bootstrap). "
                         "One few-shot draw: not covered.")  # fmt: skip
    teacher = runs.estimate(None, "teacher.ood.accuracy")
    assert teacher is not None and teacher.half_width
    write_numbers(runs, tmp_path)
    read = read_numbers(tmp_path)
    for measure in (OOD, "zero_shot.id.accuracy", "zero_shot.ood.accuracy", "features.train.mse"):
        for one, other in ((runs.estimate("mse", measure), read.estimate("mse", measure)),
                           (runs.difference(("mse", measure), ("cls", measure)),
                            read.difference(("mse", measure), ("cls", measure)))):  # fmt: skip
            assert one is not None and other is not None
            assert one.half_width == pytest.approx(other.half_width, abs=1e-5) and one.mean == pytest.approx(
                other.mean, abs=1e-5
            )
    assert read.note(["cls"]) == runs.note(["cls"])


def test_decisions_are_the_answers_of_each_run(sweep: Path, tmp_path: Path) -> None:
    write_numbers(load_runs(sweep), tmp_path)
    path = tmp_path / ANSWERS_FILE
    scores = scores_of(read_answers(path), path)
    saved = load_answers(sweep / "mse" / "split1_seed1")
    assert saved is not None
    for stage, part in (("few_shot", "ood"), ("zero_shot", "all"), ("zero_shot", "id")):
        split, images = scores[f"{stage}.{part}"][1], saved.of(part)
        run, answers = split.runs["mse"][1, 0], saved.stages[stage][part]["predicted"]
        assert split.scenes == tuple(images["images"])
        for n, (label, answer) in enumerate(zip(images["labels"], answers, strict=True)):
            assert [name for name, true in zip(split.classes, split.targets[n], strict=True) if true] == [
                saved.classes[label]
            ]
            assert [name for name, chosen in zip(split.classes, run.predicted[n], strict=True) if chosen] == [
                name for name in split.classes if name == saved.classes[answer]
            ]
    first = path.read_bytes()
    write_numbers(load_runs(sweep), tmp_path)
    assert path.read_bytes() == first


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
    assert (out / ANSWERS_FILE).is_file() and (out / "values.csv").is_file()
    (out / "cls" / "seed0" / ANSWERS_FILE).unlink()  # as of a run of an earlier version
    page = write_image_tables(grid)[0].read_text()
    assert "over 2 class splits, 2 seeds (hierarchical bootstrap); images and classes are not covered" in page
    assert not (out / ANSWERS_FILE).exists()


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
        (lambda c: change(c, "runs", 0, "stages", "few_shot", "ood", 0, value=99), "expected indices of 6 classes"),
        (lambda c: change(c, "splits", "0", "parts", "ood", "labels", 0, value=-1), "expected indices of 6 classes"),
        (lambda c: c["splits"]["0"]["parts"]["id"]["images"].pop(), "expected ids of"),
        (lambda c: c["runs"][0]["stages"]["few_shot"]["ood"].pop(), "expected an answer for each of"),
    ],
)
def test_damaged_answers_are_named(sweep: Path, tmp_path: Path, damage: Callable[[Any], None], message: str) -> None:
    write_numbers(load_runs(sweep), tmp_path)
    path = tmp_path / ANSWERS_FILE
    content = json.loads(gzip.decompress(path.read_bytes()))
    damage(content)
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    with pytest.raises(CheckpointError, match=message):
        read_numbers(tmp_path)


@pytest.mark.parametrize(
    ("splits", "overrides", "message"),
    [
        ([0, 0], [], "class_splits as a list without repeats"),
        ([-1], [], "-1"),
        ([0], ["data.seed=1"], r"expected class_splits=\[0,1\], which sets data.seed, but got data.seed=1"),
    ],
)
def test_wrong_splits_are_named(splits: list[int], overrides: list[str], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        TableSweepConfig("1", None, [0], "runs", 1, overrides, splits).validate()
