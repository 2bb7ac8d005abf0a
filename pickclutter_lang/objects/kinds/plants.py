"""Stems and leaves of fruit and vegetables."""

from __future__ import annotations

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, tint
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


def stem(model: ModelBuilder, rng: Rng, foot: Floats, length: float, thick: float = 1.6, color: str = "brown") -> None:
    """Add a bent stem in mm that grows up from `foot`."""
    lean = rng.normal(0, 0.2, 2) * length
    path = smooth(
        [foot - np.array([0, 0, 3]), foot + np.array([*(0.3 * lean), 0.55 * length]), foot + np.array([*lean, length])],
        7,
    )
    widths = thick * np.array([1, 0.9, 0.85, 0.85, 0.95, 1.1, 1.3])
    model.sweep(path, widths, plain(tint(rng, color) * 0.75), segments=7, up=(0, 1, 0), pieces=1)


def leaf(model: ModelBuilder, rng: Rng, foot: Floats, length: float, color: str = "green", rise: float = 0.25) -> None:
    """Add a pointed leaf in mm that grows outward from `foot`, in a random direction, and droops."""
    t = np.linspace(0, 1, 9)
    half = length * rng.uniform(0.18, 0.28) * np.sin(np.pi * t**0.8) + 0.3
    u, v = tx.uv_grid(40, 24)
    veins = tx.smoothstep(np.abs((v * 6 - 3 * np.abs(u - 0.5)) % 1 - 0.5), 0.0, 0.12)
    middle = tx.smoothstep(np.abs(u - 0.5), 0.02, 0.07)
    green = tint(rng, color) * 0.85
    image = tx.to_uint8(tx.lerp_color(green * 1.45, green, np.minimum(veins, middle)))
    height = length * (rise * np.sin(np.pi * 0.8 * t) - 0.15 * t)
    left, right = np.c_[t * length, half], np.c_[t * length, -half]
    model.plate(
        left, right, height - 0.4, height + 0.4, image, at=foot, turn=rotation("z", rng.uniform(0, 360)), pieces=1
    )
