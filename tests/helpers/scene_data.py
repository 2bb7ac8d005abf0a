"""Scenes without the simulator: random ones, and toys that a student learns within seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, SceneRow, SceneStore, scene_fields, write_shard
from pickclutter_lang.kinds.kind_set import LEARNING_SPLITS
from pickclutter_lang.objects.catalog import paper_catalog, unseen_objects
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, catalog_bytes, write_catalog
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.utils.constants import MAX_ACTORS

OBJECTS = tuple(ObjectEntry(item.model_id, item.name, item.split) for item in paper_catalog())


def random_row(manifest: Manifest, index: int) -> SceneRow:
    rng = np.random.default_rng([manifest.seed or 0, index])
    size = int(manifest.settings["image_size"])
    count = int(rng.integers(2, MAX_ACTORS + 1))
    row = {f.name: np.zeros(f.shape, f.dtype) for f in manifest.forms}
    row.setdefault("actors", np.zeros(MAX_ACTORS, np.int16))  # a store may be without
    row["index"] = np.array(index, np.int64)
    row["actors"][:] = -1
    row["actors"][:count] = rng.choice(len(manifest.objects), count, replace=False)
    if manifest.distractor_kinds:
        row["instances"][:] = -1
    row["present"][row["actors"][:count]] = True
    row["visible"][row["actors"][: count - 1]] = True
    row["scales"][:count] = 1
    row["poses"][:count] = rng.normal(size=(count, 7)) / 10
    row["poses"][:count, 3:] /= np.linalg.norm(row["poses"][:count, 3:], axis=1, keepdims=True)
    row["pixels"][: count - 1] = rng.integers(10, 99, count - 1)
    row["rep_pts"][:] = np.nan
    row["rep_pts"][: count - 1] = rng.normal(size=(count - 1, 16, 3))
    if "graspable" in row:
        row["graspable"][row["actors"][: count // 2]] = True
        row["grasp_poses"][:] = np.nan
        row["grasp_poses"][: count // 2] = rng.normal(size=(count // 2, 7))
    for camera in manifest.settings["cameras"]:
        row[f"{camera}_rgb"][:] = rng.integers(0, 255, (size, size, 3))
        row[f"{camera}_depth"][:] = rng.integers(300, 900, (size, size))
        row[f"{camera}_segmentation"] = rng.integers(0, count + 1, (size, size)).astype(np.uint8)
    return row


def make_manifest(scenes: int = 11, shard_size: int = 4, seed: int = 0, size: int = 16, **changes: Any) -> Manifest:
    """Make a manifest; with `entries` that of a store of one's own objects, whose `catalog.yaml` has them.

    With `instances` its objects are instances of kinds; with `distractors` instances of these kinds lie beside them.
    """
    cameras = changes.pop("cameras", ("hand",))
    without = changes.pop("without", ())
    catalog = list(paper_catalog().with_unseen(unseen_objects(changes.pop("object_split", 0))))
    settings: dict[str, Any] = {"cameras": list(cameras), "image_size": size}
    if entries := changes.pop("entries", ()):
        catalog = [entry.catalog_object() for entry in entries]
        settings |= {"catalog": hashlib.sha256(catalog_bytes(entries)).hexdigest(), "object_split": 0}
    fields = tuple(name for name in scene_fields(cameras, changes.pop("graspable", True)) if name not in without)
    if kinds := changes.pop("distractors", ()):
        settings |= {"distractors": 0.5, "distractor_kinds": {kind: kind for kind in kinds}, "instances": 3}
        fields = (*fields, "instances")
    if instances := changes.pop("instances", 0):
        settings |= {"instances": instances, "object_split": 0}
        fields = (*fields, "instances")
    return Manifest(
        split=changes.pop("split", "train"),
        seed=seed,
        scenes=scenes,
        shard_size=shard_size,
        settings=settings,
        fields=fields,
        object_set="proxy",
        object_fingerprint="0" * 64,
        objects=tuple(ObjectEntry(item.model_id, item.name, item.split) for item in catalog),
        **changes,
    )


def make_store(
    folder: Path, manifest: Manifest | None = None, row: Callable[[Manifest, int], SceneRow] = random_row
) -> Manifest:
    """Write the scenes of a manifest, each made of it and its index."""
    manifest = manifest or make_manifest()
    (folder / "shards").mkdir(parents=True)
    entries = []
    for number in range(manifest.shard_count):
        rows = [row(manifest, index) for index in manifest.shard_range(number)]
        entries.append(write_shard(folder, number, rows, manifest))
    manifest = manifest.with_shards(entries)
    manifest.write(folder)
    return manifest


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
