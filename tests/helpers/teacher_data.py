"""Scenes and views of flat colored squares, from which a pocket teacher learns a little within seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, scene_fields, write_shard
from pickclutter_lang.datasets.scenes.manifest import SHARD_FOLDER
from pickclutter_lang.objects.catalog import paper_catalog

SIDE, SCENES = 48, 12
COLORS = {"banana": (230, 200, 20), "apple": (190, 20, 20), "master chef can": (20, 40, 200)}
CATALOG = paper_catalog()


def write_scenes(folder: Path, seed: int, split: str = "teacher") -> Path:
    """Write a store of flat colored squares that stand for three objects."""
    rng = np.random.default_rng(seed)
    names = list(COLORS)
    fields = scene_fields(("hand",), graspable=False)
    manifest = Manifest(
        split=split,
        seed=seed,
        scenes=SCENES,
        shard_size=SCENES,
        settings={"cameras": ["hand"], "image_size": SIDE, "graspable": False},
        fields=fields,
        object_set="proxy",
        object_fingerprint="none",
        objects=tuple(ObjectEntry(i.model_id, i.name, i.split) for i in CATALOG),
    )
    rows = []
    for index in range(SCENES):
        present = rng.permutation(3)[: rng.integers(1, 4)]
        row: dict[str, Any] = {
            n: np.zeros(manifest.layout.field(n).shape, manifest.layout.field(n).dtype) for n in fields
        }
        row["index"] = np.int64(index)
        row["actors"][:] = -1
        row["hand_rgb"][:] = 60
        for instance_id, object_number in enumerate(present):
            y, x = 4 + 20 * (instance_id // 2), 4 + 20 * (instance_id % 2)
            label_index = CATALOG.index(names[object_number])
            row["actors"][instance_id] = label_index
            row["hand_rgb"][y : y + 16, x : x + 16] = COLORS[names[object_number]]
            row["hand_segmentation"][y : y + 16, x : x + 16] = instance_id + 1
            row["present"][label_index] = row["visible"][label_index] = True
        rows.append(row)
    (folder / SHARD_FOLDER).mkdir(parents=True)
    manifest.with_shards([write_shard(folder, 0, rows, manifest.layout)]).write(folder)
    return folder


def write_views(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = [{"model_id": CATALOG.find(name).model_id} for name in COLORS]
    rows.append({"shape": "ball", "category": "ball", "colours": ["green"], "pattern": "plain", "material": "foam"})
    colors = [*COLORS.values(), (30, 160, 40)]
    object_index = np.arange(12) % 4
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
        {"objects": "proxy", "views_per_object": 3}
        | dict.fromkeys(("random_objects", "views_per_random_object", "size", "seed"), 1),
    )
    return folder
