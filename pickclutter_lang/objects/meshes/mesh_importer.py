"""Imports meshes into an object set on disk; what is there and unchanged is skipped, what broke is reported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE
from pickclutter_lang.objects.meshes.imported_model import ImportedModel, is_unchanged, make_model
from pickclutter_lang.objects.meshes.mesh_sources import BrokenMesh, MeshSource, find_sources
from pickclutter_lang.objects.meshes.names import (
    GivenNames,
    catalog_of_rows,
    catalog_row,
    catalog_rows,
    check_unique_names,
    plain_row,
    read_names,
    write_rows,
)
from pickclutter_lang.objects.meshes.settings import ModelSettings
from pickclutter_lang.objects.object_sets import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.writer import model_db_entry
from pickclutter_lang.utils.io import ensure_dir, write_text
from pickclutter_lang.utils.json_files import Text, read_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar

STATE_FILE = "imported.json"
THUMBNAILS = "thumbnails"
_BUILDING = ".building-"


@dataclass(frozen=True)
class ImportState:
    """What a folder of imported meshes holds: id -> object."""

    version: Literal[1] = 1
    models: dict[Text, ImportedModel] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportResult:
    """What a folder holds after an import, and what happened to each mesh: ids, and those that were not imported."""

    models: dict[str, ImportedModel]
    """All that the folder holds now."""
    rows: dict[str, dict[str, Any]]
    """Of the catalog, by id."""
    new: list[str]
    replaced: list[str]
    skipped: list[str]
    broken: list[BrokenMesh]


@dataclass(frozen=True)
class _Task:
    source: MeshSource
    settings: ModelSettings
    folder: Path


def import_meshes(
    paths: Sequence[Path],
    out: Path,
    settings: ModelSettings,
    names: Path | None,
    defaults: Mapping[str, str],
    workers: int,
) -> ImportResult:
    """Import meshes into a folder in ManiSkill2's layout with a catalog.

    :param paths: mesh files, and folders of Google Scanned Objects' or BOP's form
    :param out: a new folder, or one of earlier imports
    :param names: a file with names and attributes, see `read_names`
    :param defaults: split, license and source of objects that have none
    :param workers: number of processes
    :raises InvalidArgumentError: when no path is a mesh, names or ids repeat, or the folder holds something else
    :raises DatasetError: for words that a catalog cannot have
    """
    sources, broken = find_sources(paths)
    if not sources:
        raise InvalidArgumentError("; ".join(map(str, broken[:3])))
    check_unique_ids(sources)
    sources = _without_repeated(sources)
    given = read_names(names, sources)
    _check_folder(out)
    try:
        with dir_lock(out):
            rows = _rows(out, sources, given, defaults)
            catalog_of_rows(rows.values(), names or out / CATALOG_FILE)  # before the work
            result = _Import(out, settings, workers).run(sources, given, broken)
            kept = {name: rows.get(name) or plain_row(name, defaults) for name in sorted(result.models)}
            if result.models:
                write_model_db(out, result.models)
                write_rows(out, kept.values())
            return replace(result, rows=kept)
    finally:
        with suppress(OSError):
            out.rmdir()  # where nothing came of it, and nothing was there before


def _rows(
    out: Path, sources: Sequence[MeshSource], given: Mapping[str, GivenNames], defaults: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the rows of the catalog by id, of the objects that are there and of those to come."""
    rows = catalog_rows(out)
    for source in sources:
        name = source.model_id
        rows[name] = catalog_row(source, given.get(name, GivenNames()), rows.get(name), defaults)
    check_unique_names(rows.values())
    return rows


def _without_repeated(sources: Sequence[MeshSource]) -> list[MeshSource]:
    """Return each mesh once, of one that is named in a folder and alone the one with what the folder says of it."""
    kept: dict[str, MeshSource] = {}
    for source in sources:
        if source.model_id not in kept or source.unit is not None or source.folders:
            kept[source.model_id] = source
    return list(kept.values())


def check_unique_ids(sources: Sequence[MeshSource]) -> None:
    """Raise InvalidArgumentError for two meshes of one id."""
    seen: dict[str, Path] = {}
    for source in sources:
        other = seen.setdefault(source.model_id, source.path)
        if other.resolve() != source.path.resolve():
            raise InvalidArgumentError(
                f"expected meshes of different names, but {other} and {source.path} would both be {source.model_id}; "
                "rename one"
            )


def write_model_db(out: Path, models: Mapping[str, ImportedModel]) -> None:
    """Write ManiSkill2's list of the objects of a folder, atomically."""
    rows = {name: model_db_entry(model.size, 1.0, model.density) for name, model in sorted(models.items())}
    write_text(out / MODEL_DB_FILE, json.dumps(rows, indent=1) + "\n")


def read_state(out: Path) -> ImportState:
    """Read what a folder of imported meshes holds."""
    remedy = "delete it, and import all meshes again"
    return read_json(out / STATE_FILE, ImportState, DatasetError, remedy)


def _check_folder(out: Path) -> None:
    if out.is_dir() and not (out / STATE_FILE).is_file():
        others = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
        if others:
            raise InvalidArgumentError(
                f"expected a new folder or one of imported meshes, but {out} holds {', '.join(others[:3])}"
            )


class _Import:
    """One run: the folder, what it holds, and what is found on the way."""

    def __init__(self, out: Path, settings: ModelSettings, workers: int) -> None:
        self._out, self._settings, self._workers = out, settings, workers
        self._models = dict(read_state(out).models) if (out / STATE_FILE).is_file() else {}

    def run(
        self, sources: Sequence[MeshSource], given: Mapping[str, GivenNames], broken: Sequence[BrokenMesh]
    ) -> ImportResult:
        """Import what is not there yet, and return what came of it."""
        result = ImportResult(self._models, {}, [], [], [], list(broken))
        self._save()
        self._remove_leftovers()
        tasks = []
        for source in sources:
            task = self._task(source, given.get(source.model_id, GivenNames()))
            model = self._models.get(source.model_id)
            if model and is_unchanged(source, task.settings, model, self._out / "models" / source.model_id):
                result.skipped.append(source.model_id)
            else:
                tasks.append(task)
        results = closing(PoolConfig(self._workers).run(_worker, tasks))
        with results as models, ProgressBar("meshes", len(sources), len(result.skipped)) as bar:
            for task, made in models:
                self._take(task, made, result)
                bar.advance()
        self._remove_what_is_empty()
        order = [source.model_id for source in sources]
        return replace(result, new=sorted(result.new, key=order.index), replaced=sorted(result.replaced))

    def _task(self, source: MeshSource, given: GivenNames) -> _Task:
        density = self._settings.density if given.density is None else given.density
        folder = self._out / "models" / f"{_BUILDING}{source.model_id}"
        return _Task(source, replace(self._settings, density=density), folder)

    def _take(self, task: _Task, made: ImportedModel | BrokenMesh, result: ImportResult) -> None:
        """Put a finished object in its place, and note it down."""
        if isinstance(made, BrokenMesh):
            result.broken.append(made)
            return
        model_id = task.source.model_id
        place = self._out / "models" / model_id
        known = self._models.pop(model_id, None)
        if known is not None:
            self._save()  # or a kill between the next lines leaves a new object under the old one's key
        shutil.rmtree(place, ignore_errors=True)
        (self._out / THUMBNAILS / f"{model_id}.png").unlink(missing_ok=True)
        task.folder.rename(place)
        self._models[model_id] = made
        self._save()
        (result.new if known is None else result.replaced).append(model_id)

    def _save(self) -> None:
        state = ImportState(models=dict(sorted(self._models.items())))
        write_text(self._out / STATE_FILE, json.dumps(asdict(state), indent=1) + "\n")

    def _remove_leftovers(self) -> None:
        """Remove what a killed run left half made."""
        ensure_dir(self._out / "models")
        for folder in (self._out / "models").glob(f"{_BUILDING}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_what_is_empty(self) -> None:
        if not self._models:
            (self._out / STATE_FILE).unlink()
            (self._out / "models").rmdir()


def _worker() -> Callable[[_Task], ImportedModel | BrokenMesh]:
    """Return what a worker does with a mesh."""
    return _make


def _make(task: _Task) -> ImportedModel | BrokenMesh:
    """Make an object in its temporary folder; what is wrong with its mesh is a result too."""
    shutil.rmtree(task.folder, ignore_errors=True)
    try:
        ensure_dir(task.folder)
        return make_model(task.source, task.settings, task.folder)
    except InvalidArgumentError as error:
        shutil.rmtree(task.folder, ignore_errors=True)
        return BrokenMesh(task.source.path, str(error))
    except OSError as error:
        raise DatasetError(
            f"cannot write {task.folder}: {error.strerror}; fix that and run the same command again"
        ) from error
