"""A user's own meshes made into an object set: read, checked, textured, cut into convex parts, and written."""

from __future__ import annotations

from importlib.util import find_spec

from pickclutter_lang.errors import MissingExtraError

_PACKAGES = {
    "trimesh": "trimesh",
    "scipy": "scipy",
    "coacd": "coacd",
    "collada": "pycollada",
    "fast_simplification": "fast-simplification",
    "xatlas": "xatlas",
}


def check_packages() -> None:
    """Raise MissingExtraError where a package that the modules here import is not installed."""
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "meshes")
