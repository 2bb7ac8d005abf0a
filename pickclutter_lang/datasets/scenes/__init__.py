"""Scenes on disk: the store, its dataset card and contact sheet, the importer, and ManiSkill2's episodes."""

from pickclutter_lang.datasets.scenes.manifest import (
    Manifest,
    ObjectEntry,
    SceneRow,
    ShardEntry,
    read_manifest,
    scene_fields,
)
from pickclutter_lang.datasets.scenes.shards import write_shard
from pickclutter_lang.datasets.scenes.store import SceneStore, verify_store

__all__ = [
    "Manifest",
    "ObjectEntry",
    "SceneRow",
    "SceneStore",
    "ShardEntry",
    "read_manifest",
    "scene_fields",
    "verify_store",
    "write_shard",
]
