"""What the command line names: mesh files, folders of Google Scanned Objects and of BOP, and a file of names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import display_name
from pickclutter_lang.objects.catalog_file import MAX_BYTES, CatalogEntry, load_yaml
from pickclutter_lang.objects.meshes import ModelSettings
from pickclutter_lang.utils.reading import check_json, read_file

SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".dae", ".urdf")
"""Of the files that can be imported."""
_PLAIN_STEMS = ("collision", "mesh", "model", "object", "scene", "textured", "textured_simple", "visual")
_PLAIN_FOLDERS = ("meshes", "models", "mesh", "visual", "google_16k", "google_64k", "google_512k")


@dataclass(frozen=True)
class MeshSource:
    """A mesh to import."""

    path: Path
    stem: str
    """What it is called where it comes from; its id is made of this."""
    root: Path
    """The folder outside of which nothing is read."""
    folders: tuple[str, ...] = ()
    """Folders of `root` with its materials and textures."""
    unit: str | None = None
    """Its unit where the form of its folder says so."""
    category: str = ""
    description: str = ""
    license: str = ""

    @property
    def model_id(self) -> str:
        """An id of a to z, digits, `_` and `-`; with a hash for a name without any."""
        spelled = re.sub(r"[^a-z0-9_-]+", "_", self.stem.lower()).strip("_-")[:80]
        return spelled or f"object_{hashlib.sha256(self.stem.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class BrokenMesh:
    """A mesh that was not imported, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def find_sources(paths: Sequence[Path]) -> tuple[list[MeshSource], list[BrokenMesh]]:
    """Return the meshes of files and folders, each once, and those paths that are none.

    :raises InvalidArgumentError: for two meshes of one id
    """
    found: dict[str, MeshSource] = {}
    broken: list[BrokenMesh] = []
    for path in paths:
        try:
            for source in _sources_of(path):
                other = found.setdefault(source.model_id, source)
                if other.path.resolve() != source.path.resolve():
                    raise InvalidArgumentError(
                        f"expected meshes of different names, but {other.path} and {source.path} would both be "
                        f"{source.model_id}; rename one"
                    )
                if source.unit or source.folders:  # its folder says more than its file
                    found[source.model_id] = source
        except FileNotFoundError as error:
            broken.append(BrokenMesh(path, str(error)))
    return list(found.values()), broken


def _sources_of(path: Path) -> list[MeshSource]:
    """Return the meshes of a path.

    :raises FileNotFoundError: for a path that is none
    """
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return [MeshSource(path, _stem(path), path.parent)]
    if (path / "meshes" / "model.obj").is_file():
        return [_scanned_object(path)]
    for models in (path, path / "models"):
        if (models / "models_info.json").is_file():
            return [MeshSource(mesh, mesh.stem, models, unit="mm") for mesh in sorted(models.glob("obj_*.ply"))]
    raise FileNotFoundError(
        f"expected a file of {', '.join(SUFFIXES)}, or a folder with meshes/model.obj (Google Scanned Objects) or "
        "with models_info.json and obj_*.ply (BOP); correct the path"
    )


def _stem(path: Path) -> str:
    """Return the name of a file, or of a folder above it where many files have the same name."""
    if path.stem.lower() not in _PLAIN_STEMS:
        return path.stem
    above = [folder.name for folder in path.absolute().parents if folder.name]
    return next((name for name in above if name.lower() not in _PLAIN_FOLDERS), path.stem)


def _scanned_object(folder: Path) -> MeshSource:
    """Return a folder of Google Scanned Objects; what its `metadata.pbtxt` says of it is kept."""
    text = ""
    metadata = folder / "metadata.pbtxt"
    if metadata.is_file() and metadata.resolve().is_relative_to(folder.resolve()):
        text = read_file(metadata).decode(errors="replace")
    return MeshSource(
        folder / "meshes" / "model.obj",
        folder.absolute().name,
        folder,
        ("meshes", "materials/textures"),
        category=_quoted("first", text),
        description=_quoted("text", text),
        license=_quoted("license", text) or _quoted("license_name", text),
    )


def _quoted(key: str, text: str) -> str:
    """Return the first text of a key in a protocol buffer's text form, as one line."""
    match = re.search(rf'\b{key}\s*:\s*"((?:[^"\\]|\\.)*)"', text)
    return " ".join(re.sub(r"\\[nrt]", " ", match[1]).replace("\\", "").split())[:1000] if match else ""


@dataclass(frozen=True)
class _NamedEntry(CatalogEntry):
    density: float = ModelSettings.density


def read_names(path: Path, sources: Sequence[MeshSource]) -> dict[str, dict[str, Any]]:
    """Read a YAML file that maps ids, or names of files, to names or to fields of the catalog and `density`.

    :return: id -> the fields that are given for it
    :raises InvalidArgumentError: for a file that cannot be read, a field that is wrong, or a mesh that is not there
    """
    try:
        rows = load_yaml(read_file(path, MAX_BYTES))
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"cannot read {path}: {' '.join(str(error).split())[:200]}; correct it") from error
    if not isinstance(rows, dict):
        raise InvalidArgumentError(f"expected a mapping of ids to names in {path}, but got {type(rows).__name__}")
    ids = {word: source.model_id for source in sources for word in (source.model_id, source.stem, source.path.name)}
    given = {}
    for key, row in rows.items():
        if key not in ids:
            hint = "" if isinstance(key, str) else "; YAML takes it for no text, so put it in quotes"
            raise InvalidArgumentError(f"expected ids or files of the meshes in {path}, but got {key!r:.100}{hint}")
        row = row if isinstance(row, dict) else {"name": row}
        try:
            named = check_json({"id": ids[key], "name": ids[key], **row}, _NamedEntry)
            ModelSettings(density=named.density).validate()
        except ValueError as error:
            raise InvalidArgumentError(f"{path} is wrong at {key!r} ({error}); correct it") from error
        given[ids[key]] = row
    return given


def plain_entry(model_id: str, defaults: Mapping[str, Any]) -> CatalogEntry:
    """Return the row of an object of which nothing is known but its id."""
    return replace(CatalogEntry(model_id, display_name(model_id)), **defaults)


def catalog_entry(
    source: MeshSource, given: Mapping[str, Any], before: CatalogEntry | None, defaults: Mapping[str, Any]
) -> CatalogEntry:
    """Return an object's row of the catalog: what is given now, what it was before, what its folder says, defaults.

    :param given: fields of the file of names
    :param defaults: split, license and source for objects without
    """
    found: dict[str, Any] = {"category": source.category, "description": source.description, "license": source.license}
    entry = replace(plain_entry(source.model_id, defaults), **{key: value for key, value in found.items() if value})
    kept = {key: value for key, value in vars(before).items() if value} if before else {}
    named = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    return replace(entry, **kept | {key: value for key, value in named.items() if key != "density"})
