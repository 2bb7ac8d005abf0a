"""Wheels of toys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural.surfaces import rotation

TIRE = (28, 28, 30)


def add_wheel(
    model: ModelBuilder,
    at: npt.ArrayLike,
    radius: float,
    wide: float,
    side: int,
    tire: npt.ArrayLike = TIRE,
    hub: npt.ArrayLike = (196, 196, 200),
    hull: bool = True,
) -> None:
    """Add a wheel in mm that turns about y, its hub towards +y (`side` 1) or -y (-1)."""
    turn = rotation("x", -90 * side)
    rim = [(0, -0.5), (0.9, -0.5), (1, -0.3), (1, 0.3), (0.9, 0.5), (0.55, 0.52), (0, 0.52)]
    model.lathe(np.array(rim) * [radius, wide], plain(tire), 16, 1, at=at, turn=turn, hull=hull)
    cap = np.array([(0.58, 0.5), (0.5, 0.58), (0, 0.6)]) * [radius, wide]
    model.lathe(cap, plain(hub), 12, at=at, turn=turn, hull=False)
