"""What the command line names: mesh files, and folders of the forms of Google Scanned Objects and of BOP."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.json_files import read_file

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
        """An id of a to z, digits, `_` and `-`.

        :raises InvalidArgumentError: when its name has none of these
        """
        made = re.sub(r"[^a-z0-9_-]+", "_", self.stem.lower()).strip("_-")[:80]
        if not made:
            raise InvalidArgumentError(f"expected a file whose name has letters, but got {self.path}; rename it")
        return made


@dataclass(frozen=True)
class BrokenMesh:
    """A mesh that was not imported, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def find_sources(paths: Sequence[Path]) -> tuple[list[MeshSource], list[BrokenMesh]]:
    """Return the meshes of files and folders, and those paths that are none."""
    found: list[MeshSource] = []
    broken: list[BrokenMesh] = []
    for path in dict.fromkeys(paths):
        try:
            found += _sources_of(path)
        except InvalidArgumentError as error:
            broken.append(BrokenMesh(path, str(error)))
    return found, broken


def _sources_of(path: Path) -> list[MeshSource]:
    if path.is_dir():
        return _sources_in(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidArgumentError(f"expected a file of {', '.join(SUFFIXES)}, or a folder; convert it to one of these")
    if not path.is_file():
        raise InvalidArgumentError("there is no such file; correct its path")
    return [MeshSource(path, _stem(path), path.parent)]


def _stem(path: Path) -> str:
    """Return the name of a file, or of a folder above it where many files have the same name."""
    if path.stem.lower() not in _PLAIN_STEMS:
        return path.stem
    above = [folder.name for folder in path.absolute().parents if folder.name]
    return next((name for name in above if name.lower() not in _PLAIN_FOLDERS), path.stem)


def _sources_in(folder: Path) -> list[MeshSource]:
    if (folder / "meshes" / "model.obj").is_file():
        return [_scanned_object(folder)]
    for models in (folder, folder / "models"):
        if (models / "models_info.json").is_file():
            meshes = sorted(models.glob("obj_*.ply"))
            if meshes:
                return [MeshSource(mesh, mesh.stem, models, unit="mm") for mesh in meshes]
    raise InvalidArgumentError(
        "expected a folder with meshes/model.obj (Google Scanned Objects) or models_info.json and obj_*.ply (BOP), "
        "but this is another; name its mesh files"
    )


def _scanned_object(folder: Path) -> MeshSource:
    """Return a folder of Google Scanned Objects; what its `metadata.pbtxt` says of it is kept."""
    text = ""
    if (folder / "metadata.pbtxt").is_file():
        text = read_file(folder / "metadata.pbtxt").decode(errors="replace")
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
