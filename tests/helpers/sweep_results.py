"""Hand-made results of a grid: numbers that are known, in the form of `result.json`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from helpers.scene_runs import names_of_objects
from pickclutter_lang.experiments.scenes.scene_protocol import EVALUATION_CELLS
from pickclutter_lang.results.record import SCHEMA, Replicate

STAGES = ("zero_shot", "few_shot", "retrieval")
CONFIG: dict[str, Any] = {
    "method": "", "seed": 0, "out": "", "scenes": "scenes", "num_threads": 1, "device": "cpu",
    "selection_metric": "map", "precision": "float32",
    "data": {
        "train": "scenes/train", "target_label": "graspable", "cameras": ["hand"], "depth": False, "image_size": 128,
    },
    "teacher": {"name": "pocket", "checkpoint": None, "cache": "scenes/cache"},
    "student": {"name": "toy"},
    "prompts": {"descriptions": None},
    "objective": {"im_cst": 1.0},
    "distill": {"epochs": 3, "batch_size": 8},
    "few_shot": {"epochs": 2, "batch_size": 8},
}  # fmt: skip
ROW = {"accuracy": 0.8, "f1": 0.5, "precision": 0.6, "recall": 0.4, "map": 0.55}
TRIVIAL = {"accuracy": 0.7, "f1": 0.3, "precision": 0.2, "recall": 0.9, "map": 0.2}


def make_result(
    method: str, seed: int, f1: float, *, object_split: int = 0, few_shot_draw: int = 0, **cfg: Any
) -> dict[str, Any]:
    """A result whose F1 is `f1` in every cell of every stage."""
    names = {"id": names_of_objects("id"), "ood": names_of_objects("ood")}
    stages: dict[str, Any] = {}
    for stage in STAGES:
        stages[stage] = {"id_threshold": 0.4}
        for cell, (_, splits) in EVALUATION_CELLS.items():
            row = {"average_precision": 0.5, "f1": f1, "precision": 0.5, "recall": 0.5, "support": 7}
            stages[stage][cell] = {
                "model": {**ROW, "f1": f1},
                "model_at_half": {**ROW, "f1": f1 / 2},
                "model_matched_fpr": {**ROW, "f1": f1 / 3},
                **{name: dict(TRIVIAL) for name in ("always_no", "always_yes", "label_frequency")},
                "classes": {name: dict(row) for split in splits for name in names[split]},
            }
    config = copy.deepcopy(CONFIG) | {"method": method, "seed": seed, "out": f"runs/{method}/{seed}"} | cfg
    return {
        "schema": SCHEMA, "kind": "scenes", "name": method, "config": config,
        "seed": seed, "object_split": object_split, "few_shot_draw": few_shot_draw,
        "git_revision": "abc", "parameters": 5_200_000,
        "data": {
            "train": {"scenes": 50, "content": f"train{object_split or ''}"},
            "id": {"scenes": 50, "content": f"id{object_split or ''}"},
            "ood": {"scenes": 50, "content": "ood"},
            "fewshot": {"scenes": 50, "content": f"fewshot{few_shot_draw or ''}"},
        },
        "teacher": {"name": "pocket", "fingerprint": "f"}, "metrics": stages, "peak_memory_mb": 700.0,
        "seconds": {"distill": 300.0 + seed, "few_shot": 60.0, "evaluation": 5.0},
        "history": {
            "distill": [{"phase": "distill", "epoch": 1, "loss": 2.0, "seconds": 300.0, "validation": dict(ROW)}],
            "few_shot": [{"phase": "few_shot", "epoch": 1, "loss": 1.0, "seconds": 60.0}],
        },
    }  # fmt: skip


def write_result(folder: Path, result: dict[str, Any]) -> Path:
    path: Path = folder / result["config"]["method"] / Replicate.of_record(result).folder_name / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(result))
    return path
