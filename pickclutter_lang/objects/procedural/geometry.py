"""`ModelGeometry`: textured surfaces and convex collision hulls of a procedural model, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.procedural.surfaces import Floats, Surface, circle

TextureImage = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Part:
    """A surface and the image (uint8 [H, W, 3]) on it; parts may share one image."""

    surface: Surface
    image: TextureImage


@dataclass
class ModelGeometry:
    """Visible `parts`, and `hulls`: sets of points [N, 3] whose convex hulls together are the collision shape."""

    parts: list[Part] = field(default_factory=list)
    hulls: list[Floats] = field(default_factory=list)

    def add(self, surface: Surface, image: TextureImage) -> None:
        """Add a part."""
        self.parts.append(Part(surface, image))

    def add_hulls(self, *points: npt.ArrayLike) -> None:
        """Add convex solids."""
        self.hulls += [np.asarray(p, dtype=float) for p in points]

    @property
    def bounds(self) -> Floats:
        """Lowest and highest corner [2, 3] of the visible parts."""
        points = np.concatenate([part.surface.points for part in self.parts])
        return np.stack([points.min(axis=0), points.max(axis=0)])

    def rescaled(self, size: Sequence[float]) -> ModelGeometry:
        """Return the model stretched to a size in meters, its bounding box centered at the origin."""
        low, high = self.bounds
        factor, center = np.asarray(size, dtype=float) / (high - low), (low + high) / 2
        parts = [Part(p.surface.deformed(lambda q: (q - center) * factor), p.image) for p in self.parts]
        return ModelGeometry(parts, [(h - center) * factor for h in self.hulls])


def extreme_points(surface: Surface, count: int = 90) -> Floats:
    """Return some points of a surface, its extremes among them, whose hull is nearly that of all."""
    points = np.unique(np.round(surface.points, 6), axis=0)
    chosen = np.arange(0, len(points), max(1, len(points) // count))
    rows = np.unique(np.concatenate([chosen, points.argmin(axis=0), points.argmax(axis=0)]))
    return np.asarray(points[rows])


def loft_hulls(outlines: Sequence[tuple[float, float, float]], segments: int = 12) -> list[Floats]:
    """Return one hull for each section between elliptic outlines (half x, half y, z)."""
    ring = circle(1.0, segments)
    rings = [np.c_[ring * [a, b], np.full(segments, z)] for a, b, z in outlines]
    return [np.concatenate(pair) for pair in pairwise(rings)]


def sweep_hulls(
    path: npt.ArrayLike, half_width: npt.ArrayLike, half_height: npt.ArrayLike | None = None
) -> list[Floats]:
    """Return one hull for each section of a path [N, 3] with half-widths and half-heights (along z)."""
    path_points = np.asarray(path, dtype=float)
    a = np.broadcast_to(np.asarray(half_width, dtype=float), len(path_points))
    b = a if half_height is None else np.broadcast_to(np.asarray(half_height, dtype=float), len(path_points))
    tangents = np.gradient(path_points, axis=0)
    side = np.stack([-tangents[:, 1], tangents[:, 0], np.zeros(len(path_points))], -1)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    ring = circle(1.0, 8)
    rings = [
        c + ring[:, :1] * p * s + ring[:, 1:] * q * np.array([0, 0, 1.0])
        for c, p, q, s in zip(path_points, a, b, side, strict=True)
    ]
    return [np.concatenate(pair) for pair in pairwise(rings)]


def box_corners(low: npt.ArrayLike, high: npt.ArrayLike) -> Floats:
    """Return the eight corners of a box."""
    corners = np.stack([np.asarray(low, dtype=float), np.asarray(high, dtype=float)], -1)
    return np.array([[x, y, z] for x in corners[0] for y in corners[1] for z in corners[2]])
