"""A `result.json` with all the damage that is taken at once: what reads it still writes its report."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.image_results import make_result as make_image_result
from helpers.scene_runs import names_of_objects
from helpers.sweep_results import STAGES, make_result
from helpers.writing_commands import TORTURE
from pickclutter_lang.experiments.images.image_report import write_report as write_image_report
from pickclutter_lang.experiments.images.image_results import IMAGE_TABLES
from pickclutter_lang.experiments.images.image_results import summary as image_summary
from pickclutter_lang.experiments.result import RESULT_FILE, check_result, read_result
from pickclutter_lang.experiments.scenes.predictions import Predictions, save_examples, save_predictions
from pickclutter_lang.experiments.scenes.scene_protocol import EVALUATION_CELLS
from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.experiments.sweeps.sweep_results import load_sweep

GONE = object()
DAMAGES = [GONE, "text", *([None, "", 5, -1, 0.5, True, [], {}, [{}], {"x": None}] if TORTURE else [])]
NAMES = {split: names_of_objects(split)[:2] for split in ("id", "ood")}
KEPT = ("schema", "kind")


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value, the outer ones first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths_of(inner, (*path, key))


def damaged(result: dict[str, Any], kind: str, value: Any) -> tuple[dict[str, Any], int]:
    """Put a value into every place where it is taken; return how many those are."""
    taken = 0
    for *outer, last in paths_of(copy.deepcopy(result)):
        owner: Any = result
        try:
            for key in outer:
                owner = owner[key]
            before = owner[last]
        except (KeyError, IndexError, TypeError):  # what it was in has gone
            continue
        if not isinstance(owner, dict) or last in KEPT:
            continue
        owner |= {last: copy.deepcopy(value)}
        if value is GONE:
            del owner[last]
        try:
            check_result(result, kind)
            taken += 1
        except ValueError:
            owner[last] = before
    return result, taken


def result_on_scenes() -> dict[str, Any]:
    """Return a result on four objects."""
    result = make_result("cls", 0, 0.5)
    for stage, cell in product(STAGES, EVALUATION_CELLS):
        classes = result["metrics"][stage][cell]["classes"]
        for name in {*classes} - {*NAMES["id"], *NAMES["ood"]}:
            del classes[name]
    return result


def write_predictions(folder: Path) -> None:
    """Write the predictions of a run of 12 scenes."""
    rng = np.random.default_rng(0)
    names = [*NAMES["id"], *NAMES["ood"]]
    unseen = torch.tensor([name in NAMES["ood"] for name in names])
    for stage in STAGES:
        for store in ("id", "ood"):
            values = torch.from_numpy(rng.random((12, len(names)), np.float32))
            made = Predictions(values, values > 0.6, names, unseen, [f"{n:05d}" for n in range(12)])
            save_predictions(folder / "predictions" / f"{stage}_{store}.npz", made)
        if stage != "retrieval":
            images, maps = np.zeros((2, 16, 16, 3), np.uint8), torch.rand(2, len(names), 4, 4)
            save_examples(folder / "predictions" / f"{stage}_examples.npz", [0, 1], images, maps)


@pytest.mark.parametrize("value", DAMAGES, ids=lambda value: "gone" if value is GONE else json.dumps(value))
def test_what_is_taken_of_a_result_on_scenes_has_its_report(value: Any, tmp_path: Path) -> None:
    result, taken = damaged(result_on_scenes(), "scenes", value)
    assert taken > 5
    (tmp_path / RESULT_FILE).write_text(json.dumps(result))
    write_predictions(tmp_path)
    assert write_report(tmp_path).is_file() and summary(read_result(tmp_path, "scenes"))
    assert load_sweep(tmp_path, TABLE12).first["seed"] >= 0


@pytest.mark.parametrize("value", DAMAGES, ids=lambda value: "gone" if value is GONE else json.dumps(value))
def test_what_is_taken_of_a_result_on_images_has_its_report(value: Any, tmp_path: Path) -> None:
    result, taken = damaged(make_image_result("cls", 0), "images", value)
    assert taken > 5
    (tmp_path / RESULT_FILE).write_text(json.dumps(result))
    assert write_image_report(tmp_path).is_file() and image_summary(read_result(tmp_path, "images"))
    assert load_sweep(tmp_path, IMAGE_TABLES).first["seed"] >= 0
