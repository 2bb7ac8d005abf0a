"""What bottles of plastic share: labels that follow a bent body, ribbed caps, pumps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Finish
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, grid_surface

Bend = Callable[[Floats], Floats]


def add_label(
    model: ModelBuilder,
    profile: Floats,
    image: TextureImage,
    low: float,
    high: float,
    wide: float,
    bend: Bend | None = None,
    middle: float = 0.0,
) -> None:
    """Add a label on the body of a profile [N, 2] of (radius, z), `wide` radians to both sides of an angle."""
    z, angle = np.linspace(low, high, 7), np.linspace(middle - wide, middle + wide, 17)
    r = np.interp(z, profile[:, 1], profile[:, 0]) + 0.5
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    grid = np.concatenate([r[:, None, None] * ring, np.broadcast_to(z[:, None, None], (7, 17, 1))], -1)
    points = grid.reshape(-1, 3)
    model.surface(grid_surface((bend(points) if bend else points).reshape(grid.shape)), image)


def add_cap(
    model: ModelBuilder,
    radius: float,
    low: float,
    high: float,
    wall: Skin,
    top: Finish | TextureImage,
    hull: bool = True,
) -> None:
    """Add a round cap with a wall of its own."""
    e = 0.08 * radius
    model.lathe([(radius, low), (radius, high - e)], wall, segments=24, hull=False)
    model.lathe([(radius, high - e), (radius - e, high), (0, high)], top, segments=24, hull=False)
    if hull:
        ring = np.linspace(0, 2 * np.pi, 13)[:-1]
        model.hull([(radius * np.cos(a), radius * np.sin(a), z) for a in ring for z in (low, high)])
