"""Collects a scene store: its plan, its shards in several processes, resuming, and the files that describe it."""

from __future__ import annotations

import hashlib
import socket
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pickclutter_lang.datasets.scenes import (
    Manifest,
    ObjectEntry,
    SceneStore,
    ShardEntry,
    read_manifest,
    scene_fields,
    write_shard,
)
from pickclutter_lang.datasets.scenes.description import describe_store
from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER
from pickclutter_lang.datasets.scenes.shards import bytes_damage
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.simulator import simulator
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, catalog_bytes
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.io import atomic_write, check_vacant, clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.plugins import installed_version
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar

if TYPE_CHECKING:
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

_UNLISTED = 0.01
"""Share of the shards that the manifest may lack while others are made, which a kill loses. Were it written for each,
a collection would take time by the square of its size."""


class SceneSource(Protocol):
    """What makes scenes: the same scene for the same arguments, whatever it made before."""

    def generate(self, seed: int, split: str, index: int) -> Mapping[str, Any]:
        """Return the row of the store for the scene of (seed, split, index)."""
        ...


class Collected(NamedTuple):
    """A complete store: `made` shards are new, `kept` existed, `damaged` of the new ones replaced bad ones."""

    folder: Path
    manifest: Manifest
    made: int
    kept: int
    damaged: int

    @property
    def store(self) -> SceneStore:
        """The store, opened."""
        return SceneStore.open(self.folder)


def collect(config: CollectConfig) -> Collected:
    """Collect scenes with the simulator, or complete what an earlier call with the same settings left.

    :raises MissingExtraError, RendererError, MissingAssetsError: when scenes cannot be made here
    :raises MismatchError: when the folder holds scenes made with other settings
    :raises DatasetError: when the folder cannot be written or the disk is full
    :raises LockedError: when another process collects into the folder
    :raises WorkerError: when workers keep dying
    """
    config.validate()
    versions = current_versions()
    objects = config.load_objects(config.object_split)
    objects = replace(objects, root=objects.root.resolve())
    manifest = plan(config, objects, versions)
    make_source = partial(simulator_source, objects, config, manifest)
    catalog = None if objects.own_catalog is None else catalog_bytes(objects.own_catalog)
    return collect_store(Path(config.out), manifest, make_source, config, catalog)


def simulator_source(objects: ObjectSet, config: PileConfig, manifest: Manifest) -> SceneGenerator:
    """Return the simulator as a source of scenes; called in each worker, which may be another machine.

    :raises MismatchError: when this machine's packages or renderer are not those of the manifest
    """
    # sapien 2.2.2 imports pkg_resources, which warns on every worker's first import.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    manifest.check_versions(current_versions(), f"the store that {socket.gethostname()} works on")
    return SceneGenerator(objects, config)


def plan(config: CollectConfig, objects: ObjectSet, versions: dict[str, str]) -> Manifest:
    """Return the manifest of a store that is still empty."""
    instances = objects.instances
    of_set: dict[str, Any] = {}
    if objects.own_catalog is not None:
        catalog = hashlib.sha256(catalog_bytes(objects.own_catalog)).hexdigest()
        of_set = {"catalog": catalog, "object_split": config.object_split}
    if objects.distractors:
        names = {kind.model_id: kind.name for kind in objects.distractors}
        of_set |= {"instances": instances, "distractor_kinds": names}
    elif instances:
        of_set = {"instances": instances, "object_split": config.object_split}
    return Manifest(
        split=config.split,
        seed=config.seed,
        scenes=config.scenes,
        shard_size=config.shard_size,
        settings={**config.settings(), **of_set},
        fields=scene_fields(config.cameras, config.graspable, instances > 0, config.camera.moved),
        object_set=objects.name,
        object_fingerprint=objects.fingerprint,
        objects=tuple(ObjectEntry(item.model_id, item.name, item.split) for item in objects.catalog),
        versions=versions,
    )


def current_versions() -> dict[str, str]:
    """Return the versions of the packages and the renderer on which the content of a scene depends.

    :raises MissingExtraError, RendererError: when scenes cannot be made here
    """
    from pickclutter_lang.envs.renderer import prepare_renderer

    return {**package_versions(), "renderer": prepare_renderer()}


def package_versions() -> dict[str, str]:
    """Return the versions of the packages on which the content of a scene depends, the simulator among them."""
    names = "pickclutter-lang", "sapien", simulator().package, "numpy"
    return {name: installed_version(name) or "absent" for name in names}


def collect_store(
    folder: Path,
    manifest: Manifest,
    make_source: Callable[[], SceneSource],
    pool: PoolConfig,
    catalog: bytes | None = None,
) -> Collected:
    """Make the shards that a store lacks; the content is the same for any pool and any interruption.

    :param make_source: makes the source of scenes in each worker; it must survive `spawn`
    :param pool: who makes them
    :param catalog: content of `catalog.yaml`, whose hash the manifest has; None of sets of the package
    :raises DatasetError: when the folder holds something else
    """
    folder = folder.absolute()
    check_vacant(folder, MANIFEST_FILE, (SHARD_FOLDER, CATALOG_FILE))
    create_dir(folder)
    create_dir(folder / SHARD_FOLDER)
    with dir_lock(folder):
        for place in (folder, folder / SHARD_FOLDER):
            clean_temp_files(place)
        valid, damaged = _valid_shards(folder, manifest)
        if catalog is not None:
            atomic_write(folder / CATALOG_FILE, catalog)
        there = {entry.first for entry in valid}
        missing = [n for n in range(manifest.shard_count) if manifest.shard_range(n).start not in there]
        if missing:
            manifest.with_shards(valid).write(folder)
            _make(folder, manifest, partial(_shard_function, make_source, folder, manifest), valid, missing, pool)
        describe_store(folder, rewrite=bool(missing))
    return Collected(folder, read_manifest(folder), len(missing), len(valid), damaged)


def _valid_shards(folder: Path, manifest: Manifest) -> tuple[list[ShardEntry], int]:
    """Return the shards of an earlier run that are intact, and how many are not."""
    if not (folder / MANIFEST_FILE).is_file():
        return [], 0
    before = read_manifest(folder)
    before.check_compatible(manifest, folder)
    valid = [entry for entry in before.shards if bytes_damage(folder / SHARD_FOLDER / entry.file, entry) is None]
    if len(valid) < manifest.shard_count:
        before.check_versions(manifest.versions, f"the store at {folder}")
    return valid, len(before.shards) - len(valid)


def _make(
    folder: Path,
    manifest: Manifest,
    make_function: Callable[[], Callable[[int], ShardEntry]],
    valid: Sequence[ShardEntry],
    missing: Sequence[int],
    pool: PoolConfig,
) -> None:
    """Make the missing shards, and list them in the manifest from time to time and at the end."""
    entries = list(valid)
    listed = len(valid)
    with ProgressBar("scenes", sum(len(manifest.shard_range(number)) for number in missing)) as bar:
        try:
            with closing(pool.map(make_function, missing)) as results:
                for _, entry in results:
                    bar.advance(entry.rows)
                    entries.append(entry)
                    if len(entries) - listed > listed * _UNLISTED:
                        manifest.with_shards(entries).write(folder)
                        listed = len(entries)
        finally:
            clean_temp_files(folder / SHARD_FOLDER)
            if listed < len(entries):
                manifest.with_shards(entries).write(folder)


def _shard_function(
    make_source: Callable[[], SceneSource], folder: Path, manifest: Manifest
) -> Callable[[int], ShardEntry]:
    """Return, in a worker, what makes and writes the shard of a number."""
    source = make_source()

    def make(number: int) -> ShardEntry:
        rows = [source.generate(manifest.seed or 0, manifest.split, index) for index in manifest.shard_range(number)]
        return write_shard(folder, number, rows, manifest)

    return make
