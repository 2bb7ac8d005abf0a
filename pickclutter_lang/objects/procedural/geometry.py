"""`ModelGeometry`: textured surfaces and convex collision hulls of a procedural model, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.procedural.surfaces import Floats, Surface

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
        factor = np.asarray(size, dtype=float) / (high - low)
        center = (low + high) / 2
        parts = [Part(p.surface.deformed(lambda q: (q - center) * factor), p.image) for p in self.parts]
        return ModelGeometry(parts, [(h - center) * factor for h in self.hulls])


def extreme_points(surface: Surface, count: int) -> Floats:
    """Return some points of a surface, its extremes among them, whose hull is nearly that of all."""
    points = np.unique(np.round(surface.points, 6), axis=0)
    chosen = np.arange(0, len(points), max(1, len(points) // count))
    rows = np.unique(np.concatenate([chosen, points.argmin(axis=0), points.argmax(axis=0)]))
    return np.asarray(points[rows])


def box_corners(low: npt.ArrayLike, high: npt.ArrayLike) -> Floats:
    """Return the eight corners of a box."""
    corners = np.stack([np.asarray(low, dtype=float), np.asarray(high, dtype=float)], -1)
    return np.array([[x, y, z] for x in corners[0] for y in corners[1] for z in corners[2]])
