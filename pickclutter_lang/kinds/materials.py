"""Materials of kinds: how each changes a color, and what it weighs; and wear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

UNSAID_MATERIAL = "food"  # looks like peel; nobody calls an apple "a food apple"


def worn(color: Floats, amount: float, rng: np.random.Generator) -> Floats:
    """Fade colors, and add stains and scratches."""
    if amount < 0.02:
        return color
    rows, cols = color.shape[:2]
    gray = color.mean(axis=-1, keepdims=True)
    faded = color + (0.5 * (gray + 200) - color) * 0.3 * amount
    stain = tx.smoothstep(tx.grid_noise(rng, (rows, cols), 4, 4), 0.8, 2.2)
    faded = tx.lerp_color(faded, faded * 0.55 + 18, stain * amount)
    scratch = np.abs(tx.grid_noise(rng, (rows, cols), 3, max(4, cols // 3))) < 0.05
    return tx.lerp_color(faded, faded * 0.8 + 45, 0.6 * amount * scratch)


@dataclass(frozen=True)
class Material:
    """`paint` changes colors [H, W, 3] at points [H, W, 2] in mm; `density` in kg/m^3 is that of whole objects."""

    paint: Callable[[Floats, Floats, np.random.Generator], Floats]
    density: float


def _smooth(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    return color + 3 * tx.grid_noise(rng, color.shape, 3, 3)[..., None]


def _glossy(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    """Brighten one upright streak, as of a window."""
    u = np.linspace(0, 1, color.shape[1])[None]
    streak = np.exp(-(((u - rng.uniform(0.1, 0.9)) / 0.035) ** 2)) * np.ones((color.shape[0], 1))
    return tx.lerp_color(_smooth(color, points, rng), (255, 255, 255), 0.22 * streak)


def _glass(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    u = np.linspace(0, 1, color.shape[1])[None] * np.ones((color.shape[0], 1))
    shade = 0.5 + 0.5 * np.cos(2 * np.pi * (3 * u + rng.uniform()))
    glint = np.exp(-(((u * 2 % 1 - rng.uniform(0.1, 0.9)) / 0.03) ** 2))
    deep = color * (0.82 + 0.22 * shade[..., None])
    return tx.lerp_color(deep, (250, 255, 255), 0.55 * glint)


def _wood(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    rows, cols = color.shape[:2]
    long_way = (3, cols // 2) if rows >= cols else (rows // 2, 3)
    rings = np.sin(7 * tx.grid_noise(rng, (rows, cols), *((2, 6) if rows >= cols else (6, 2))))
    grain = 0.6 * rings + tx.grid_noise(rng, (rows, cols), *(max(2, n) for n in long_way))
    return np.asarray(color * (1 - 0.09 * grain[..., None]))


def _metal(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    rows, cols = color.shape[:2]
    along = (3, max(2, cols // 2)) if rows > 2 * cols else (max(2, rows // 2), 3)  # long parts are brushed lengthwise
    brushed = tx.grid_noise(rng, (rows, cols), *along)
    glint = tx.grid_noise(rng, (rows, cols), 2, 5)
    return np.asarray(color * (1 + 0.05 * brushed[..., None] + 0.09 * glint[..., None]))


def _rough(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(tx.pixel_noise(_smooth(color, points, rng), rng, 5.0))


def _foam(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    rows, cols = color.shape[:2]
    pores = tx.smoothstep(tx.grid_noise(rng, (rows, cols), max(2, rows // 3), max(2, cols // 3)), 0.5, 1.6)
    return np.asarray(color * (1 - 0.4 * pores[..., None]))


def _cardboard(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    flutes = np.sin(points[..., 0] * 2 * np.pi / 4)
    return np.asarray(tx.pixel_noise(color * (1 + 0.04 * flutes[..., None]), rng, 5.0))


def _cloth(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    x, y = (np.sin(points[..., n] * 2 * np.pi / 3.5) for n in (0, 1))
    return np.asarray(tx.pixel_noise(color * (0.92 + 0.14 * (x * y)[..., None]), rng, 6.0))


def _leather(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    rows, cols = color.shape[:2]
    grain = np.abs(tx.grid_noise(rng, (rows, cols), max(2, rows // 3), max(2, cols // 3)))
    tone = tx.grid_noise(rng, (rows, cols), 3, 3)
    return np.asarray(color * (0.94 + 0.09 * np.minimum(grain, 1)[..., None] + 0.06 * tone[..., None]))


def _wicker(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    x, y = points[..., 0] / 9, points[..., 1] / 5
    over = (np.floor(x) + np.floor(y)) % 2
    strand = np.where(over > 0, np.abs(x % 1 - 0.5), np.abs(y % 1 - 0.5)) * 2
    return np.asarray(tx.pixel_noise(color * (1.1 - 0.55 * strand[..., None] ** 2), rng, 6.0))


def _skin(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    """Vary the tone of a fruit or vegetable."""
    tone = tx.grid_noise(rng, color.shape, 4, 6) + 0.5 * tx.grid_noise(rng, color.shape, 16, 24)
    return np.asarray(color * (1 + 0.05 * tone[..., None]))


MATERIALS = {
    "plastic": Material(_smooth, 500),
    "rubber": Material(_smooth, 900),
    "ceramic": Material(_glossy, 1800),
    "glass": Material(_glass, 1400),
    "metal": Material(_metal, 1500),
    "steel": Material(_metal, 3000),
    "wood": Material(_wood, 650),
    "cardboard": Material(_cardboard, 200),
    "paper": Material(_rough, 500),
    "cloth": Material(_cloth, 250),
    "foam": Material(_foam, 80),
    "leather": Material(_leather, 500),
    "wicker": Material(_wicker, 200),
    "stone": Material(_rough, 2400),
    "wax": Material(_smooth, 900),
    UNSAID_MATERIAL: Material(_skin, 900),
}
"""The word of a material -> how it looks and what it weighs."""
