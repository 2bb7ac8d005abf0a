"""Unit, size, axis and place of a mesh: meters, z up, the middle of its bounding box at the origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import trimesh

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes.settings import UNITS, UP_AXES
from pickclutter_lang.objects.meshes.surface import Piece, bounds, merged
from pickclutter_lang.utils.typing import FloatArray

SMALLEST, LARGEST = 0.005, 0.6
"""Extents of objects that lie in a pile for a Panda arm, meters."""
_THINNEST = 2e-4


def placed(pieces: Sequence[Piece], meters: float, up: str) -> list[Piece]:
    """Return the pieces in meters, turned so that z is up, with the middle of their bounding box at the origin.

    A closed mesh that is inside out is turned: renderers draw the front of triangles alone.

    :param meters: length of the file's unit
    :param up: one of `UP_AXES`
    :raises InvalidArgumentError: for a size that no object in a pile has, or a flat mesh
    """
    check_size(np.ptp(bounds(pieces), axis=0), meters)
    matrix = meters * np.array(UP_AXES[up], dtype=np.float64)
    turned = [piece.mapped(matrix, np.zeros(3)) for piece in pieces]
    center = bounds(turned).mean(axis=0)
    centered = [piece.mapped(np.eye(3), -center) for piece in turned]
    check_thickness(centered)
    return _facing_out(centered)


def check_size(extents: FloatArray, meters: float) -> None:
    """Check that the longest side of a mesh, times the length of its unit, is one of an object in a pile."""
    longest = float(extents.max())
    size = longest * meters
    if SMALLEST <= size <= LARGEST:
        return
    fitting = [f"--unit {unit}" for unit, length in UNITS.items() if SMALLEST <= longest * length <= LARGEST]
    remedy = f"is it {' or '.join(fitting)}?" if fitting else "scale it before"
    raise InvalidArgumentError(
        f"expected a size of {1000 * SMALLEST:g} mm to {100 * LARGEST:g} cm, but its longest side has {length_of(size)}"
        f" (unit {unit_name(meters)}); {remedy}"
    )


def check_thickness(pieces: Sequence[Piece]) -> None:
    """Raise InvalidArgumentError for a mesh that is flat, in whatever direction."""
    points, _ = merged(pieces)
    if not len(points):
        raise InvalidArgumentError("expected a solid, but its triangles have no area; export it again")
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
    thickness = float(np.ptp(points @ axes.T, axis=0).min())
    if thickness < _THINNEST:
        raise InvalidArgumentError(
            f"expected a solid, but it is flat: {1000 * thickness:.2g} mm thick; give it a thickness of "
            f"{1000 * _THINNEST:g} mm or more"
        )


def _facing_out(pieces: Sequence[Piece]) -> list[Piece]:
    mesh = trimesh.Trimesh(*merged(pieces), process=False)
    if not (mesh.is_watertight and mesh.is_winding_consistent and mesh.volume < 0):
        return list(pieces)
    return [replace(piece, faces=piece.faces[:, ::-1], colors=piece.colors[:, ::-1]) for piece in pieces]


def length_of(meters: float) -> str:
    """Return a length in words, in a unit that suits it."""
    unit = next((unit for unit in ("m", "cm", "mm") if meters >= UNITS[unit]), "mm")
    return f"{meters / UNITS[unit]:.3g} {unit}"


def unit_name(meters: float) -> str:
    """Return the name of a unit, or its length where it has none here."""
    return next((name for name, length in UNITS.items() if np.isclose(length, meters)), f"of {meters:g} m")
