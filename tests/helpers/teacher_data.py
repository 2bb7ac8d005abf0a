"""Scenes and views of flat colored squares, from which a pocket teacher learns a little within seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from helpers.scene_data import make_manifest, make_store
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.datasets.scenes import Manifest, SceneRow
from pickclutter_lang.objects.catalog import paper_catalog

SIDE, SCENES = 48, 12
COLORS = {"banana": (230, 200, 20), "apple": (190, 20, 20), "master chef can": (20, 40, 200)}
CATALOG = paper_catalog()


def colored_row(manifest: Manifest, index: int) -> SceneRow:
    """Return a scene of one to three flat colored squares, each of which stands for an object."""
    rng = np.random.default_rng([manifest.seed or 0, index])
    row: SceneRow = {form.name: np.zeros(form.shape, form.dtype) for form in manifest.forms}
    row["index"] = np.array(index, np.int64)
    row["actors"][:] = -1
    row["hand_rgb"][:] = 60
    for instance_id, name in enumerate(rng.permutation(list(COLORS))[: rng.integers(1, 4)]):
        y = 4 + 20 * (instance_id // 2)
        x = 4 + 20 * (instance_id % 2)
        row["actors"][instance_id] = label_index = CATALOG.index(name)
        row["hand_rgb"][y : y + 16, x : x + 16] = COLORS[name]
        row["hand_segmentation"][y : y + 16, x : x + 16] = instance_id + 1
        row["present"][label_index] = row["visible"][label_index] = True
    return row


def write_scenes(folder: Path, seed: int, split: str = "teacher") -> Path:
    """Write a store of such scenes."""
    settings: dict[str, Any] = {"scenes": SCENES, "shard_size": SCENES, "size": SIDE, "graspable": False}
    make_store(folder, make_manifest(seed=seed, split=split, **settings), colored_row)
    return folder


def write_views(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = [{"model_id": CATALOG.find(name).model_id} for name in COLORS]
    colors = [*COLORS.values()]
    object_index = np.arange(12) % 3
    rgb = np.full((12, 32, 32, 3), 60, np.uint8)
    mask = np.zeros((12, 32, 32), bool)
    for n, object_number in enumerate(object_index):
        y, x = rng.integers(4, 12, 2)
        rgb[n, y : y + 16, x : x + 16], mask[n, y : y + 16, x : x + 16] = colors[object_number], True
    write_object_views(
        folder,
        rgb,
        mask,
        object_index.astype(np.int32),
        rows,
        {"objects": "proxy", "views_per_object": 3} | dict.fromkeys(("size", "seed"), 1),
    )
    return folder
