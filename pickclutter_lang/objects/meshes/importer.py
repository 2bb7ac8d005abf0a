"""Imports meshes into an object set on disk; what is there and unchanged is skipped, what broke is named."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull

from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.objects.catalog_file import (
    CATALOG_FILE,
    CatalogEntry,
    catalog_bytes,
    parse_catalog,
    read_catalog,
    write_catalog,
)
from pickclutter_lang.objects.meshes import UNITS, ModelSettings
from pickclutter_lang.objects.meshes.model import bounds, convex_parts, merged, placed, textured_surface
from pickclutter_lang.objects.meshes.reading import MAX_BYTES, read_mesh
from pickclutter_lang.objects.meshes.sources import (
    BrokenMesh,
    MeshSource,
    catalog_entry,
    find_sources,
    plain_entry,
    read_names,
)
from pickclutter_lang.objects.object_set import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.writer import collision_obj, model_db_entry, write_surface
from pickclutter_lang.utils.io import check_vacant, create_dir, write_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.reading import Text, read_file, read_json

STATE_FILE = "imported.json"
_BUILDING = ".building-"
_MODEL_FILES = ("collision.obj", "textured.mtl", "textured.obj", "texture_map.png")


@dataclass(frozen=True)
class ImportedModel:
    """An object that was imported: what it was made of, and what came of it."""

    files: dict[Text, Text]
    """Path below the root of its source of each file that was read -> sha256."""
    settings: dict[str, Any]
    size: tuple[float, float, float]
    """Meters."""
    density: float
    unit: Text
    faces: int
    texture: Text
    parts: int
    volume: float
    """Of all convex parts, cubic meters."""

    @property
    def mass(self) -> float:
        """Kilograms."""
        return self.volume * self.density

    def __str__(self) -> str:
        sides = " x ".join(f"{100 * side:.1f}" for side in self.size)
        made = f"{self.faces} triangles, {self.texture}, {self.parts} convex parts"
        return f"{sides} cm (unit {self.unit}), {made}, {1000 * self.mass:.0f} g"


@dataclass(frozen=True)
class ImportResult:
    """What a folder holds after an import, and what happened to each mesh: ids, and those that were not imported."""

    models: dict[str, ImportedModel]
    entries: dict[str, CatalogEntry]
    imported: list[str]
    skipped: list[str]
    broken: list[BrokenMesh]


@dataclass(frozen=True)
class _State:
    models: dict[Text, ImportedModel] = field(default_factory=dict)


@dataclass(frozen=True)
class _Task:
    source: MeshSource
    settings: ModelSettings
    folder: Path
    """Where the object is made, beside its place."""


def import_meshes(
    paths: Sequence[Path],
    out: Path,
    settings: ModelSettings,
    names: Path | None,
    defaults: Mapping[str, str],
    workers: int,
    report: Callable[[str], None] = lambda line: None,
) -> ImportResult:
    """Import meshes into a folder in ManiSkill2's layout with a catalog.

    :param paths: mesh files, and folders of Google Scanned Objects' or BOP's form
    :param out: a new folder, or one of earlier imports
    :param names: a file with names and attributes, see `read_names`
    :param defaults: split, license and source of objects that have none
    :param workers: number of processes
    :param report: called with a line for each object, as soon as it can be used
    :raises InvalidArgumentError: when no path is a mesh, or ids repeat
    :raises DatasetError: when the folder or an object's place holds something else, for words that a catalog cannot
        have, and when the disk does not take them
    """
    sources, broken = find_sources(paths)
    if not sources:
        raise InvalidArgumentError("; ".join(map(str, broken[:3])))
    given = {} if names is None else read_names(names, sources)
    check_vacant(out, STATE_FILE)
    try:
        with dir_lock(out):
            models = _read_state(out)
            entries = _entries(out, sources, models, given, defaults)
            tasks = []
            for source in sources:
                name = source.model_id
                place = out / "models" / source.model_id
                if place.is_symlink() or (place.exists() and name not in models):
                    raise DatasetError(
                        f"expected {place} to be made by an import, but it is another folder or a link; move it away"
                    )
                own = replace(settings, density=given.get(name, {}).get("density", settings.density))
                tasks.append(_Task(source, own, place.with_name(f"{_BUILDING}{name}")))
            skipped = [task.source.model_id for task in tasks if _is_unchanged(task, models, out)]
            _write(out, models, entries)
            todo = [task for task in tasks if task.source.model_id not in skipped]
            imported = []
            for name, made in _make_all(todo, models, broken, out, workers):
                _write(out, models, entries)
                report(f"imported {name}: {made}")
                imported.append(name)
            if not models:
                (out / STATE_FILE).unlink()
            return ImportResult(models, entries, imported, skipped, broken)
    except OSError as error:
        raise DatasetError(
            f"cannot write {error.filename or out}: {error.strerror}; fix that and run the same command again"
        ) from error
    finally:
        for folder in (out / "models", out):
            with suppress(OSError):
                folder.rmdir()  # where nothing came of it, and nothing was there before


def _entries(
    out: Path,
    sources: Sequence[MeshSource],
    models: Mapping[str, ImportedModel],
    given: Mapping[str, Mapping[str, Any]],
    defaults: Mapping[str, str],
) -> dict[str, CatalogEntry]:
    """Return the rows of the catalog: of what is there, and of what is to be imported.

    :raises DatasetError: for words that a catalog cannot have
    """
    entries = {name: plain_entry(name, defaults) for name in models}
    if (out / CATALOG_FILE).is_file():
        entries |= {entry.id: entry for entry in read_catalog(out / CATALOG_FILE)}
    for source in sources:
        name = source.model_id
        entries[name] = catalog_entry(source, given.get(name, {}), entries.get(name), defaults)
    parse_catalog(catalog_bytes([entries[name] for name in sorted(entries)]), out / CATALOG_FILE)
    return entries


def _write(out: Path, models: Mapping[str, ImportedModel], entries: Mapping[str, CatalogEntry]) -> None:
    """Write what is imported, so that it can be used, and so that a killed import goes on."""
    _write_state(out, models)
    if models:
        rows = {name: model_db_entry(model.size, 1.0, model.density) for name, model in sorted(models.items())}
        write_json(out / MODEL_DB_FILE, rows)
        write_catalog(out / CATALOG_FILE, [entries[name] for name in sorted(models)])


def _make_all(
    tasks: Sequence[_Task], models: dict[str, ImportedModel], broken: list[BrokenMesh], out: Path, workers: int
) -> Iterator[tuple[str, ImportedModel]]:
    """Make objects in processes; put each into its place and among the models, and yield it."""
    create_dir(out / "models")
    for folder in (out / "models").glob(f"{_BUILDING}*"):  # of a killed import
        shutil.rmtree(folder, ignore_errors=True)
    with closing(PoolConfig(workers).map(lambda: _make, tasks)) as done, ProgressBar("meshes", len(tasks)) as bar:
        for task, made in done:
            bar.advance()
            if isinstance(made, BrokenMesh):
                broken.append(made)
                continue
            name = task.source.model_id
            models[name] = replace(made, files={})  # a kill before the end leaves an object that is made again
            _write_state(out, models)
            shutil.rmtree(out / "models" / name, ignore_errors=True)
            task.folder.rename(out / "models" / name)
            models[name] = made
            yield name, made


def _read_state(out: Path) -> dict[str, ImportedModel]:
    if not (out / STATE_FILE).is_file():
        return {}
    return read_json(out / STATE_FILE, _State, DatasetError, "delete it, and import all meshes again").models


def _write_state(out: Path, models: Mapping[str, ImportedModel]) -> None:
    write_json(out / STATE_FILE, asdict(_State(dict(sorted(models.items())))))


def _is_unchanged(task: _Task, models: Mapping[str, ImportedModel], out: Path) -> bool:
    """Return whether an object's files are there, and were made of the same mesh by the same settings."""
    root = task.source.root
    place = out / "models" / task.source.model_id
    model = models.get(task.source.model_id)
    if (
        model is None
        or asdict(task.settings) != model.settings
        or task.source.path.relative_to(root).as_posix() not in model.files
        or not all((place / file).is_file() for file in _MODEL_FILES)
    ):
        return False
    try:
        digests = {file: hashlib.sha256(read_file(root / file, MAX_BYTES)).hexdigest() for file in model.files}
    except OSError:
        return False
    return digests == model.files


def _make(task: _Task) -> ImportedModel | BrokenMesh:
    """Make an object in its temporary folder; what is wrong with its mesh is a result too."""
    try:
        create_dir(task.folder)
        return make_model(task.source, task.settings, task.folder)
    except InvalidArgumentError as error:
        shutil.rmtree(task.folder, ignore_errors=True)
        return BrokenMesh(task.source.path, str(error))


@np.errstate(all="ignore")  # of numbers near the largest
def make_model(source: MeshSource, settings: ModelSettings, folder: Path) -> ImportedModel:
    """Make an object of a mesh, and write its files into a folder.

    :raises InvalidArgumentError: naming what is wrong with the mesh
    """
    content = read_mesh(source)
    meters = UNITS.get(settings.unit or "", content.meters)
    up = settings.up or content.up
    pieces = placed(content.pieces, meters, up)
    rng = np.random.default_rng(0)
    surface = textured_surface(pieces, settings.max_faces, settings.texture_size, rng)
    hulls = convex_parts(*merged(pieces), settings.max_parts, settings.threshold, rng)
    index = np.zeros(len(surface.faces), dtype=np.int64)
    write_surface(folder, surface.points, surface.faces, surface.uv, surface.image, index)
    (folder / "collision.obj").write_text(collision_obj(hulls))
    x, y, z = (round(float(side), 6) for side in np.ptp(bounds(pieces), axis=0))
    unit = next((name for name, length in UNITS.items() if np.isclose(length, meters)), f"of {meters:g} m")
    volume = sum(float(ConvexHull(hull).volume) for hull in hulls)
    return ImportedModel(
        dict(sorted(content.hashes.items())), asdict(settings), (x, y, z), settings.density, unit,
        len(surface.faces), surface.how, len(hulls), volume,
    )  # fmt: skip
