"""What a thing is made of before it is written: textured parts, and point clouds whose hulls are its solid."""

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
    """Parts to look at, and `hulls`: sets of points [N, 3] whose convex hulls together are the solid."""

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
        """Lowest and highest corner [2, 3] of what is to be seen."""
        points = np.concatenate([part.surface.points for part in self.parts])
        return np.stack([points.min(axis=0), points.max(axis=0)])

    def rescaled(self, size: Sequence[float]) -> ModelGeometry:
        """Return the body stretched to a size in meters, its bounding box centered at the origin."""
        low, high = self.bounds
        factor, middle = np.asarray(size, dtype=float) / (high - low), (low + high) / 2
        parts = [Part(p.surface.deformed(lambda q: (q - middle) * factor), p.image) for p in self.parts]
        return ModelGeometry(parts, [(h - middle) * factor for h in self.hulls])


def extreme_points(surface: Surface, count: int = 90) -> Floats:
    """Return some points of a surface, its extremes among them, whose hull is nearly that of all."""
    points = np.unique(np.round(surface.points, 6), axis=0)
    chosen = np.arange(0, len(points), max(1, len(points) // count))
    kept = np.unique(np.concatenate([chosen, points.argmin(axis=0), points.argmax(axis=0)]))
    return np.asarray(points[kept])


def loft_hulls(outlines: Sequence[tuple[float, float, float]], segments: int = 12) -> list[Floats]:
    """Return one solid for each storey between elliptic outlines (half x, half y, z)."""
    ring = circle(1.0, segments)
    rings = [np.c_[ring * [a, b], np.full(segments, z)] for a, b, z in outlines]
    return [np.concatenate(pair) for pair in pairwise(rings)]


def sweep_hulls(path: npt.ArrayLike, wide: npt.ArrayLike, high: npt.ArrayLike | None = None) -> list[Floats]:
    """Return one solid for each stretch of a path [N, 3] with half-widths and half-heights (along z)."""
    line = np.asarray(path, dtype=float)
    a = np.broadcast_to(np.asarray(wide, dtype=float), len(line))
    b = a if high is None else np.broadcast_to(np.asarray(high, dtype=float), len(line))
    ahead = np.gradient(line, axis=0)
    side = np.stack([-ahead[:, 1], ahead[:, 0], np.zeros(len(line))], -1)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    ring = circle(1.0, 8)
    rings = [
        c + ring[:, :1] * p * s + ring[:, 1:] * q * np.array([0, 0, 1.0])
        for c, p, q, s in zip(line, a, b, side, strict=True)
    ]
    return [np.concatenate(pair) for pair in pairwise(rings)]


def box_corners(low: npt.ArrayLike, high: npt.ArrayLike) -> Floats:
    """Return the eight corners of a box."""
    ends = np.stack([np.asarray(low, dtype=float), np.asarray(high, dtype=float)], -1)
    return np.array([[x, y, z] for x in ends[0] for y in ends[1] for z in ends[2]])
