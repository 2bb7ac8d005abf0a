"""A user's own meshes made into an object set: read, checked, textured, cut into convex parts, and written.

This module says how and within which limits; it needs none of the packages that do the work.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Annotated

from omegaconf import MISSING

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.utils.validation import MAX_WORKERS, check_path, check_values, one_of, within

SPLITS = ("seen", "unseen", "none")
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}
"""Unit -> meters."""
UP_AXES = {
    "z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "x": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    "-z": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-y": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-x": ((0, 1, 0), (0, 0, -1), (-1, 0, 0)),
}
"""Axis that points up in a file -> rotation after which z does."""
_PACKAGES = {
    "trimesh": "trimesh",
    "scipy": "scipy",
    "coacd": "coacd",
    "collada": "pycollada",
    "fast_simplification": "fast-simplification",
    "xatlas": "xatlas",
}


@dataclass(frozen=True)
class ModelSettings:
    """How a mesh is made into an object."""

    unit: Annotated[str, one_of, tuple(UNITS)] | None = None
    """Unit of the files: `m`, `cm`, `mm` or `inch`. null: that of their format, or meters."""
    up: Annotated[str, one_of, tuple(UP_AXES)] | None = None
    """Axis that points up: `x`, `y`, `z`, `-x`, `-y` or `-z`. null: y for glTF, the file's for .dae, z for others."""
    density: Annotated[float, within, 1.0, 25_000.0] = 1000.0
    """Of the convex parts, kg/m^3; the default is that of water, and ManiSkill2 gives boxes 50."""
    max_faces: Annotated[int, within, 100, 1_000_000] = 20_000
    """Triangles above which a mesh is decimated."""
    texture_size: Annotated[int, within, 64, 8192] = 1024
    """Largest side of a texture, pixels."""
    max_parts: Annotated[int, within, 1, 256] = 16
    """Most convex parts of an object."""
    threshold: Annotated[float, within, 0.01, 1.0] = 0.05
    """How far from convex a part may be, as CoACD measures it: from 0.01 (many parts) to 1 (one)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value out of its range."""
        check_values(self)


@dataclass(frozen=True)
class MeshImportConfig(ModelSettings):
    """An import of meshes into an object set."""

    files: tuple[str, ...] = ()
    """Mesh files (.obj, .glb, .gltf, .ply, .stl, .dae, .urdf), and folders as of Google Scanned Objects
    (meshes/model.obj) and BOP (models_info.json, obj_*.ply)."""
    out: Annotated[str, check_path] = MISSING
    """Folder of the object set. One of an earlier import grows."""
    names: str | None = None
    """YAML file: id or file name -> name, or -> name, split, synonyms, density ... null: names come from the files."""
    split: Annotated[str, one_of, SPLITS] = "seen"
    """Split of objects that have none in `names`: `seen`, `unseen` or `none`."""
    license: str = ""
    """License of the meshes, kept in catalog.yaml."""
    source: str = ""
    """Where they come from, kept in catalog.yaml."""
    workers: Annotated[int, within, 1, MAX_WORKERS] = 1
    """Processes."""

    @property
    def settings(self) -> ModelSettings:
        """How each mesh is made into an object."""
        return ModelSettings(**{item.name: getattr(self, item.name) for item in fields(ModelSettings)})

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value out of its range."""
        super().validate()
        if not self.files:
            raise InvalidArgumentError("expected files to import, such as mug.glb parts/*.stl, but got none")
        for name in ("license", "source"):
            if not getattr(self, name).isprintable():
                raise InvalidArgumentError(f"expected {name} to be one line, but got {getattr(self, name)!r}")


def check_packages() -> None:
    """Raise MissingExtraError where a package that the modules here import is not installed."""
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "meshes")
