"""Toy scene stores that a student learns within seconds: each object is a square of a fixed color."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from helpers.scene_rows import OBJECTS, make_manifest, make_store, random_row
from pickclutter_lang.datasets.scenes import Manifest, SceneRow, SceneStore
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, write_catalog
from pickclutter_lang.objects.kinds.kind_set import LEARNING_SPLITS
from pickclutter_lang.objects.object_sets import MAX_INSTANCES

COLORS = np.random.default_rng(7).integers(40, 256, (len(OBJECTS), 3))
SIZES = {"train": 24, "id": 8, "ood": 10, "fewshot": 6}


def toy_row(manifest: Manifest, index: int) -> SceneRow:
    """A scene with two or three objects: each a cell of a 4x4 grid. A distractor has one too."""
    row = random_row(manifest, index)
    seen_only = manifest.split in ("train", "id")
    label_indices = [n for n, item in enumerate(manifest.objects) if item.split == "id" or not seen_only]
    rng = np.random.default_rng([manifest.seed or 0, len(manifest.split), index])
    actors = rng.choice(label_indices, int(rng.integers(2, 4)), replace=False)
    row["actors"][:] = -1
    labeled = actors
    if manifest.distractor_kinds:
        drawn = len(manifest.objects) + rng.integers(len(manifest.distractor_kinds))
        actors = np.append(labeled, drawn)
        row["instances"][len(labeled)] = index if manifest.split in LEARNING_SPLITS else MAX_INSTANCES + index
    row["actors"][: len(actors)] = actors
    if manifest.has_instances:
        seed = 0 if manifest.split in LEARNING_SPLITS else MAX_INSTANCES
        row["instances"][:] = np.where(row["actors"] < 0, -1, seed)
    for label in ("present", "visible", "graspable"):
        row[label][:] = False
        row[label][labeled] = True
    for camera in manifest.settings["cameras"]:
        image_size = manifest.settings["image_size"]
        row[f"{camera}_rgb"][:], row[f"{camera}_segmentation"][:] = 20, 0
        cells = rng.choice(16, len(actors), replace=False)
        for instance_id, (actor, cell) in enumerate(zip(actors, cells, strict=True)):
            y, x = (int(n) * image_size // 4 for n in divmod(cell, 4))
            square = np.s_[y : y + image_size // 4, x : x + image_size // 4]
            row[f"{camera}_rgb"][square] = COLORS[actor % len(COLORS)]
            row[f"{camera}_segmentation"][square] = instance_id + 1
    return row


def make_toy_store(folder: Path, split: str, scenes: int, seed: int = 0, size: int = 32, **changes: Any) -> SceneStore:
    manifest = make_manifest(scenes=scenes, shard_size=8, seed=seed, size=size, split=split, **changes)
    make_store(folder, manifest, toy_row)
    if "entries" in changes:
        write_catalog(folder / CATALOG_FILE, changes["entries"])
    return SceneStore.open(folder)


def make_toy_stores(folder: Path, **changes: Any) -> Path:
    for split, scenes in SIZES.items():
        make_toy_store(folder / split, split, scenes, **changes)
    return folder


def change_field(folder: Path, field: str, value: Any = None) -> None:
    """Set a field of a store to one value everywhere; None: take it out, as if the store had been made without it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    if value is None:
        manifest["fields"].remove(field)
    for entry in manifest["shards"]:
        shard = folder / "shards" / entry["file"]
        with h5py.File(shard, "r+") as file:
            if value is None:
                del file[field]
            else:
                file[field][...] = value
        data = shard.read_bytes()
        entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    path.write_text(json.dumps(manifest))
