"""Scenes made by a generator in place of the simulator: valid, random, and cheap."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, SceneRow, scene_fields, write_shard
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import catalog_bytes
from pickclutter_lang.utils.constants import MAX_ACTORS

OBJECTS = tuple(ObjectEntry(item.model_id, item.name, item.split) for item in paper_catalog())


def random_row(manifest: Manifest, index: int) -> SceneRow:
    rng = np.random.default_rng([manifest.seed or 0, index])
    layout, size = manifest.layout, int(manifest.settings["image_size"])
    count = int(rng.integers(2, MAX_ACTORS + 1))
    row = {f.name: np.zeros(f.shape, f.dtype) for f in layout.fields}
    row.setdefault("actors", np.zeros(MAX_ACTORS, np.int16))  # a store may be without
    row["index"] = np.array(index, np.int64)
    row["actors"][:] = -1
    row["actors"][:count] = rng.choice(layout.columns, count, replace=False)
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
    catalog = list(paper_catalog(changes.pop("object_split", 0)))
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
        entries.append(write_shard(folder, number, rows, manifest.layout))
    manifest = manifest.with_shards(entries)
    manifest.write(folder)
    return manifest
