"""Collecting a scene store: settings, resuming, progress, and the files that describe it."""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pickclutter_lang.envs.sampling import SPLIT_OBJECTS, ClutterSettings, settings_from
from pickclutter_lang.envs.workers import Crew, Recipe, SourceFactory
from pickclutter_lang.errors import InvalidArgumentError, StoreError, StoreMismatchError
from pickclutter_lang.files import make_folder, remove_temporaries
from pickclutter_lang.objects.sets import ObjectSet, load_object_set
from pickclutter_lang.scenes import Manifest, SceneStore, ShardEntry, StoreObject, read_manifest, simulator_fields
from pickclutter_lang.scenes.card import CARD_FILE, write_card
from pickclutter_lang.scenes.contact_sheet import SHEET_FILE, write_contact_sheet
from pickclutter_lang.scenes.episodes import EPISODES_FILE, write_episodes
from pickclutter_lang.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER
from pickclutter_lang.scenes.shards import check_shard

if TYPE_CHECKING:
    from pickclutter_lang.envs.clutter import SceneMaker

_PACKAGES = ("pickclutter-lang", "sapien", "mani_skill2", "numpy")


@dataclass(frozen=True)
class CollectSettings(ClutterSettings):
    """What to collect: the settings of the piles, and which scenes of which objects go where.

    `split`: `train` and `id` pile up Y_id objects alone, `ood` and `fewshot` all; the scenes of two splits are
    never the same. `workers`: processes, 0 for one per CPU core. `shard_size`: scenes in a file of the store.
    """

    split: str = "train"
    scenes: int = 3000
    seed: int = 0
    objects: str = "proxy"
    objects_root: str | None = None
    out: str = MISSING
    workers: int = 0
    shard_size: int = 50

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        _ = self.clutter
        if self.split not in SPLIT_OBJECTS:
            raise InvalidArgumentError(f"expected split out of {', '.join(SPLIT_OBJECTS)}, but got {self.split!r}")
        for name, least in (("scenes", 1), ("seed", 0), ("workers", 0), ("shard_size", 1)):
            if getattr(self, name) < least:
                raise InvalidArgumentError(f"expected {name} of at least {least}, but got {getattr(self, name)}")

    @property
    def clutter(self) -> ClutterSettings:
        """The settings of the piles alone."""
        return settings_from({item.name: getattr(self, item.name) for item in fields(ClutterSettings)})


@dataclass(frozen=True)
class Collected:
    """A store that is whole: `made` shards are new, `kept` were there, `damaged` of the new ones replaced bad ones."""

    store: SceneStore
    made: int
    kept: int
    damaged: int


def collect(settings: CollectSettings) -> Collected:
    """Collect scenes with the simulator, or complete what an earlier call with the same settings left.

    :raises MissingExtraError, RendererError, MissingAssetsError: when scenes cannot be made here
    :raises StoreMismatchError: when the folder holds scenes made with other settings
    :raises StoreError: when the folder cannot be written, the disk is full, or workers keep dying
    """
    from pickclutter_lang.envs.renderer import prepare_renderer

    settings.validate()
    route = prepare_renderer()
    objects = load_object_set(settings.objects, settings.objects_root)
    objects = replace(objects, root=objects.root.resolve())
    manifest = plan(settings, objects, {**package_versions(), "renderer": f"{route.kind}: {route.detail}"})
    make_source = partial(simulator_source, objects, settings.clutter)
    return collect_store(Path(settings.out), manifest, make_source, settings.workers)


def simulator_source(objects: ObjectSet, settings: ClutterSettings) -> SceneMaker:
    """Return the simulator as a source of scenes; called in each worker."""
    # sapien 2.2.2 imports pkg_resources, which says so on every worker's first import.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    from pickclutter_lang.envs.clutter import SceneMaker

    return SceneMaker(objects, settings)


def plan(settings: CollectSettings, objects: ObjectSet, versions: dict[str, str]) -> Manifest:
    """Return the manifest of a store that is still empty."""
    clutter = settings.clutter
    return Manifest(
        split=settings.split,
        seed=settings.seed,
        scenes=settings.scenes,
        shard_size=settings.shard_size,
        settings=asdict(clutter),
        fields=simulator_fields(clutter.cameras, clutter.graspable),
        object_set=objects.name,
        object_fingerprint=objects.fingerprint,
        objects=tuple(StoreObject(item.model_id, item.name, item.split) for item in objects.catalogue),
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


def collect_store(folder: Path, manifest: Manifest, make_source: SourceFactory, workers: int = 0) -> Collected:
    """Make the shards that a store lacks; the content is the same for any number of workers and any interruption.

    :param make_source: makes the source of scenes in each worker; it must survive `spawn`
    :param workers: processes, 0 for one per CPU core
    """
    folder = folder.absolute()
    make_folder(folder)
    make_folder(folder / SHARD_FOLDER)
    with _alone(folder):
        for place in (folder, folder / SHARD_FOLDER):
            remove_temporaries(place)
        kept, damaged = _kept(folder, manifest)
        kept_files = {entry.file for entry in kept}
        lacking = [n for n in range(manifest.shard_count) if f"{n:05d}.h5" not in kept_files]
        if lacking:
            manifest.with_shards(kept).write(folder)
            crew_size = min(workers or len(os.sched_getaffinity(0)), len(lacking))
            _make(Recipe(make_source, folder, manifest), kept, lacking, crew_size)
        _describe(folder, anew=bool(lacking))
    return Collected(SceneStore.open(folder), len(lacking), len(kept), damaged)


def _describe(folder: Path, anew: bool) -> None:
    """Write the files that are made of the store itself, where they are not there or shards are new."""
    for name, write in (
        (CARD_FILE, write_card),
        (SHEET_FILE, write_contact_sheet),
        (EPISODES_FILE, write_episodes),
    ):
        if anew or not (folder / name).is_file():
            write(folder)


def _kept(folder: Path, manifest: Manifest) -> tuple[list[ShardEntry], int]:
    """Return the shards of an earlier run that are intact, and how many are not."""
    if not (folder / MANIFEST_FILE).is_file():
        return [], 0
    before = read_manifest(folder)
    before.check_same(manifest, folder)
    kept = [entry for entry in before.shards if check_shard(folder, entry, manifest.layout) is None]
    differ = [name for name, value in manifest.versions.items() if before.versions.get(name) != value]
    if len(kept) < manifest.shard_count and differ:
        shown = "; ".join(f"{n} is {before.versions.get(n)} there, {manifest.versions[n]} here" for n in differ)
        raise StoreMismatchError(
            f"the store at {folder} was begun with other versions: {shown}; its scenes would not go together: "
            "use those versions, choose another folder, or delete that one"
        )
    return kept, len(before.shards) - len(kept)


def _make(recipe: Recipe, kept: Sequence[ShardEntry], lacking: Sequence[int], workers: int) -> None:
    entries = list(kept)
    with _progress() as progress:
        task = progress.add_task("scenes", total=sum(len(recipe.manifest.shard_range(n)) for n in lacking))

        def note(entry: ShardEntry) -> None:
            entries.append(entry)
            recipe.manifest.with_shards(entries).write(recipe.folder)

        crew = Crew(recipe, workers, lambda: progress.advance(task), note, progress.console.print)
        try:
            crew.run(lacking)
        finally:
            remove_temporaries(recipe.folder / SHARD_FOLDER)


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} scenes/s" if task.speed else "starting")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=20,
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system frees when the process ends in whatever way."""
    handle: Any = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StoreError(f"another process is collecting scenes into {folder}; wait for it or end it") from error
    finally:
        os.close(handle)
