"""Hand-made results of benchmark runs: numbers that are known, in the form of `result.json`, as real files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.experiments.images.image_tables import RUNS

CLASSES = 4  # of Y_id; Y_ood has one more
CONFIG: dict[str, Any] = {
    "seed": 0, "out": "", "num_threads": 1, "device": "cpu",
    "data": {"name": "object_views", "root": "views", "cache": "cache", "image_size": 64},
    "teacher": {"name": "pocket", "checkpoint": None, "cache": "cache"},
    "student": {"name": "timm/resnet18.tv_in1k", "pretrained": False},
    "objective": {"similarity": "cosine"}, "text": {"template": "a photo of {name}", "descriptions": None},
    "distill": {"epochs": 3}, "few_shot": {"epochs": 2},
}  # fmt: skip


def accuracy(value: float | None) -> dict[str, Any] | None:
    return None if value is None else {"accuracy": value, "top1": value, "images": 50}


def make_result(
    name: str, seed: int, x: tuple[float, float | None, float] = (0.6, 0.2, 0.4), data: str = "object_views"
) -> dict[str, Any]:
    """A result of the accuracies `x`: X_id, zero-shot X_ood, few-shot X_ood."""
    overrides = RUNS[name]
    config = copy.deepcopy(CONFIG) | {"seed": seed, "out": f"runs/{name}/seed{seed}"}
    config["objective"] |= {o.split("=")[0][10:]: 1.0 for o in overrides if o.startswith("objective.")}
    config["data"]["name"] = data
    if "student=vit_b_32" in overrides:
        config |= {"student": {"name": "timm/vit_base_patch32_224"}, "distill": {"epochs": 9}}
    features = {
        "mse": 0.5, "degrees": 41.41, "relative_match": 0.25,
        "neighbour_overlap": {"3": 0.3, "5": 0.4, "10": 0.5}, "alignment_inversions": {"2": 0.1, "3": 0.4, "5": 2.0},
    }  # fmt: skip
    x1, x2, x3 = x
    metrics = {
        "teacher": {"id": accuracy(0.9), "ood": accuracy(0.8)},
        "zero_shot": {"id": accuracy(x1), "ood": accuracy(x2), "all": None},
        "few_shot": {"id": accuracy(x1), "ood": accuracy(x3), "all": accuracy(x3 / 2)},
        "retrieval": {"ood": accuracy(x3 - 0.1)},
        "features": {"train": features, "ood": copy.deepcopy(features)},
    }
    metrics["text"] = {
        "names": {"cosine": 0.5, "eigenvalues": [2.0, 1.0, 0.5, 0.25]},
        "descriptions": {"cosine": 0.4 + seed / 100, "eigenvalues": [2.5 + seed / 10, 2.0, 1.5, 1.0]},
    }
    if "continual_split=true" in overrides:
        values = {"ood1_before": 0.25, "ood1_after": 0.6, "ood2_before": 0.18, "ood2_after": 0.19}
        metrics["continual"] = {key: accuracy(value) for key, value in values.items()}
    return {
        "schema": 4, "kind": "images", "name": name, "seed": seed, "config": config,
        "git_revision": "abc", "parameters": 11_000_000,
        "data": {
            "name": data, "content": "c0ffee", "seen": [f"known {n}" for n in range(CLASSES)],
            "unseen": [f"unseen {n}" for n in range(CLASSES + 1)], "train": 400, "id": 170, "ood": 600, "fewshot": 25,
        },
        "teacher": {"name": "pocket", "fingerprint": "f"}, "metrics": metrics,
        "seconds": {"distill": 300.0}, "peak_memory_mb": 700.0, "space_texts": {"names": "abc"},
        "history": {
            "distill": [{"phase": "distill", "epoch": 1, "loss": 2.0, "seconds": 300.0, "validation": {"accuracy": x1}}]
        },
    }  # fmt: skip


def write_result(folder: Path, result: dict[str, Any]) -> Path:
    """Write a result and its space."""
    path: Path = folder / result["name"] / f"seed{result['seed']}" / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(result))
    write_space(path.parent / "space.npz", result["seed"], noise=0.1 if "semantic" in result["name"] else 1.0)
    return path


def write_space(path: Path, seed: int, noise: float, per_class: int = 12) -> None:
    """Write features of images in crowds around their class's text."""
    labels = np.repeat(np.arange(CLASSES + 1), per_class)
    texts = np.eye(CLASSES + 1, 16, dtype=np.float32)
    crowd = np.random.default_rng(seed).normal(size=(len(labels), 16))
    np.savez(path, students=(texts[labels] + noise * crowd).astype(np.float32), texts=texts, labels=labels)
