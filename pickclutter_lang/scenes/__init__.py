"""Scenes on disk: the store, its card and contact sheet, the importer, and ManiSkill2's episodes."""

from pickclutter_lang.scenes.manifest import Manifest, ShardEntry, StoreObject, read_manifest
from pickclutter_lang.scenes.schema import Layout, SceneRow, simulator_fields
from pickclutter_lang.scenes.shards import write_shard
from pickclutter_lang.scenes.store import SceneStore, verify_store

__all__ = [
    "Layout",
    "Manifest",
    "SceneRow",
    "SceneStore",
    "ShardEntry",
    "StoreObject",
    "read_manifest",
    "simulator_fields",
    "verify_store",
    "write_shard",
]
