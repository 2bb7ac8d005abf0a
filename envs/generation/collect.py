"""Collects a scene store: configuration, resuming, progress, and the files that describe the store."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, SceneStore, ShardEntry, read_manifest, scene_fields
from pickclutter_lang.datasets.scenes.contact_sheet import SHEET_FILE, write_contact_sheet
from pickclutter_lang.datasets.scenes.dataset_card import DATASET_CARD_FILE, write_dataset_card
from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER
from pickclutter_lang.datasets.scenes.maniskill_episodes import EPISODES_FILE, write_episodes
from pickclutter_lang.datasets.scenes.shards import check_shard
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.generation.shard_worker import SourceFactory, WorkerSpec, make_shard_function
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, catalog_bytes
from pickclutter_lang.objects.object_sets import ObjectSet, load_object_set
from pickclutter_lang.objects.own_sets import OwnSet
from pickclutter_lang.utils.io import atomic_write, clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.worker_pool import WorkerPool

if TYPE_CHECKING:
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

_PACKAGES = ("pickclutter-lang", "sapien", "mani_skill2", "numpy")


@dataclass(frozen=True)
class Collected:
    """A complete store: `made` shards are new, `kept` existed, `damaged` of the new ones replaced bad ones."""

    store: SceneStore
    made: int
    kept: int
    damaged: int


def collect(config: CollectConfig) -> Collected:
    """Collect scenes with the simulator, or complete what an earlier call with the same settings left.

    :raises MissingExtraError, RendererError, MissingAssetsError: when scenes cannot be made here
    :raises MismatchError: when the folder holds scenes made with other settings
    :raises DatasetError: when the folder cannot be written or the disk is full
    :raises LockedError: when another process collects into the folder
    :raises WorkerError: when workers keep dying
    """
    from pickclutter_lang.envs.renderer import prepare_renderer

    config.validate()
    route = prepare_renderer()
    objects = load_object_set(
        config.objects,
        config.objects_root,
        object_split=config.object_split,
        kinds=config.kinds,
        instances=config.instances,
    )
    objects = replace(objects, root=objects.root.resolve())
    manifest = plan(config, objects, {**package_versions(), "renderer": f"{route.kind}: {route.detail}"})
    make_source = partial(simulator_source, objects, config.clutter)
    catalog = catalog_bytes(objects.entries) if isinstance(objects, OwnSet) else None
    return collect_store(Path(config.out), manifest, make_source, config.workers, catalog)


def simulator_source(objects: ObjectSet, config: PileConfig) -> SceneGenerator:
    """Return the simulator as a source of scenes; called in each worker."""
    # sapien 2.2.2 imports pkg_resources, which warns on every worker's first import.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    return SceneGenerator(objects, config)


def plan(config: CollectConfig, objects: ObjectSet, versions: dict[str, str]) -> Manifest:
    """Return the manifest of a store that is still empty."""
    clutter, instances = config.clutter, objects.instances
    of_set: dict[str, Any] = {"instances": instances, "object_split": config.object_split} if instances else {}
    if isinstance(objects, OwnSet):
        catalog = hashlib.sha256(catalog_bytes(objects.entries)).hexdigest()
        of_set = {"catalog": catalog, "object_split": config.object_split}
    return Manifest(
        split=config.split,
        seed=config.seed,
        scenes=config.scenes,
        shard_size=config.shard_size,
        settings={**clutter.settings(), **of_set},
        fields=scene_fields(clutter.cameras, clutter.graspable, instances > 0, clutter.camera.moved),
        object_set=objects.name,
        object_fingerprint=objects.fingerprint,
        objects=tuple(ObjectEntry(item.model_id, item.name, item.split) for item in objects.catalog),
        versions=versions,
    )


def package_versions() -> dict[str, str]:
    """Return the versions of the packages on which the content of a scene depends."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def collect_store(
    folder: Path, manifest: Manifest, make_source: SourceFactory, workers: int = 0, catalog: bytes | None = None
) -> Collected:
    """Make the shards that a store lacks; the content is the same for any number of workers and any interruption.

    :param make_source: makes the source of scenes in each worker; it must survive `spawn`
    :param workers: processes, 0 for one per CPU core
    :param catalog: content of `catalog.yaml`, whose hash the manifest has; None of sets of the package
    """
    folder = folder.absolute()
    create_dir(folder)
    create_dir(folder / SHARD_FOLDER)
    with dir_lock(folder):
        for place in (folder, folder / SHARD_FOLDER):
            clean_temp_files(place)
        valid, damaged = _valid_shards(folder, manifest)
        if catalog is not None:
            atomic_write(folder / CATALOG_FILE, catalog)
        valid_files = {entry.file for entry in valid}
        missing = [n for n in range(manifest.shard_count) if f"{n:05d}.h5" not in valid_files]
        if missing:
            manifest.with_shards(valid).write(folder)
            size = min(workers or len(os.sched_getaffinity(0)), len(missing))
            _make(WorkerSpec(make_source, folder, manifest), valid, missing, size)
        _describe(folder, rewrite=bool(missing))
    return Collected(SceneStore.open(folder), len(missing), len(valid), damaged)


def _describe(folder: Path, rewrite: bool) -> None:
    """Write the files that describe the store, if they are missing or shards are new."""
    for name, write in (
        (DATASET_CARD_FILE, write_dataset_card),
        (SHEET_FILE, write_contact_sheet),
        (EPISODES_FILE, write_episodes),
    ):
        if rewrite or not (folder / name).is_file():
            write(folder)


def _valid_shards(folder: Path, manifest: Manifest) -> tuple[list[ShardEntry], int]:
    """Return the shards of an earlier run that are intact, and how many are not."""
    if not (folder / MANIFEST_FILE).is_file():
        return [], 0
    before = read_manifest(folder)
    before.check_compatible(manifest, folder)
    valid = [entry for entry in before.shards if check_shard(folder, entry, manifest.layout) is None]
    differ = [name for name, value in manifest.versions.items() if before.versions.get(name) != value]
    if len(valid) < manifest.shard_count and differ:
        differences = "; ".join(f"{n} is {before.versions.get(n)} there, {manifest.versions[n]} here" for n in differ)
        raise MismatchError(
            f"the store at {folder} was begun with other versions: {differences}; its scenes would not match: "
            "use those versions, choose another folder, or delete that one"
        )
    return valid, len(before.shards) - len(valid)


def _make(spec: WorkerSpec, valid: Sequence[ShardEntry], missing: Sequence[int], workers: int) -> None:
    entries, manifest = list(valid), spec.manifest
    with ProgressBar("scenes", sum(len(manifest.shard_range(n)) for n in missing)) as bar:
        pool: WorkerPool[int, ShardEntry] = WorkerPool(
            partial(make_shard_function, spec), workers, "shard {:05d}.h5".format, bar.advance
        )
        try:
            with pool:
                for _, entry in pool.imap_unordered(missing):
                    entries.append(entry)
                    manifest.with_shards(entries).write(spec.folder)
        finally:
            clean_temp_files(spec.folder / SHARD_FOLDER)
