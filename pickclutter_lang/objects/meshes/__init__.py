"""A user's own meshes made into an object set: read, checked, textured, cut into convex parts, and written.

This module says how and within which limits; it needs none of the packages that do the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from pickclutter_lang.errors import MissingExtraError
from pickclutter_lang.utils.validation import within

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

    unit: str | None = None
    """One of `UNITS`; None: that of its format, or meters."""
    up: str | None = None
    """One of `UP_AXES`; None: that of its format, or z."""
    density: float = 1000.0
    """Of the convex parts, kg/m^3."""
    max_faces: int = 20_000
    """Triangles above which a mesh is decimated."""
    texture_size: int = 1024
    """Largest side of a texture, pixels."""
    max_parts: int = 16
    """Most convex parts."""
    threshold: float = 0.05
    """How far from convex a part may be, as CoACD measures it."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value out of its range."""
        within("--density", self.density, 1.0, 25_000.0)
        within("--max-faces", self.max_faces, 100, 1_000_000)
        within("--texture-size", self.texture_size, 64, 8192)
        within("--max-parts", self.max_parts, 1, 256)
        within("--threshold", self.threshold, 0.01, 1.0)


def check_packages() -> None:
    """Raise MissingExtraError where a package that the modules here import is not installed."""
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "meshes")
