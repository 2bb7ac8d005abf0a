"""`Finish`: colors, pattern, material and wear of a surface, painted on rectangles of metric size."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.appearance import COLORS, pattern_fraction
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

Rng = np.random.Generator
T = TypeVar("T")
TEXELS = 112  # on the longer side of an image without lettering


@dataclass(frozen=True)
class Finish:
    """How a surface looks: words, the RGB tints of the colors, stripes and dots of `pitch` mm, wear from 0 to 1."""

    colors: tuple[str, ...]
    tints: tuple[Floats, ...]
    material: str
    pattern: str
    pitch: float
    wear: float
    seed: int

    def image(self, width: float, height: float, texels: int = TEXELS) -> TextureImage:
        """Paint a rectangle in mm; its longer side gets `texels` texels."""
        texel = max(width, height) / texels
        cols, rows = (max(8, round(side / texel)) for side in (width, height))
        rng = np.random.default_rng(self.seed)
        u, v = tx.uv_grid(rows, cols)
        fraction = pattern_fraction(self.pattern, u, v, width / self.pitch, height / self.pitch, rng)
        color = tx.lerp_color(self.tints[0], self.tints[-1], fraction)
        color = MATERIALS[self.material].paint(color, np.stack([u * width, v * height], -1), rng)
        return tx.to_uint8(_worn(color, self.wear, rng))

    def painted(self, color: Sequence[float]) -> Finish:
        """Return the finish with another RGB color and no pattern, as for a small part that no word names."""
        return replace(self, tints=(np.asarray(color, dtype=float),), pattern="plain")


def finish(
    rng: Rng,
    material: str,
    colors: str | Sequence[str],
    patterns: str | Sequence[str] = "plain",
    second: Sequence[str] = (),
    pitch: tuple[float, float] = (8, 24),
    wear: float = 0.25,
) -> Finish:
    """Sample a finish.

    :param material: a word of `MATERIALS`
    :param colors: words to choose the color from, likely ones repeated
    :param patterns: words to choose the pattern from, likely ones repeated
    :param second: words for the second color, by default any word but the first
    :param pitch: range of the width of a stripe or dot, mm
    :param wear: the most scratches and stains, from 0 (new) to 1
    """
    first = colors if isinstance(colors, str) else choice(rng, colors)
    pattern = patterns if isinstance(patterns, str) else choice(rng, patterns)
    words = (first,) if pattern == "plain" else (first, choice(rng, [c for c in second or COLORS if c != first]))
    tints = tuple(tint(rng, word) for word in words)
    amount = wear * float(rng.beta(1, 2.5))
    return Finish(words, tints, material, pattern, float(rng.uniform(*pitch)), amount, int(rng.integers(2**31)))


def choice(rng: Rng, values: Sequence[T]) -> T:
    """Return one of some values, each equally often."""
    return values[int(rng.integers(len(values)))]


def tint(rng: Rng, word: str, spread: float = 1.0) -> Floats:
    """Return an RGB color that people call by a word of `COLORS`: another hue, saturation and brightness each time."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in COLORS[word]))
    vivid = saturation > 0.2
    hue += float(rng.normal(0, 0.012)) * spread * vivid
    saturation *= float(1 + rng.normal(0, 0.1) * spread) if vivid else 1.0
    value *= float(1 + rng.normal(0, 0.09 if word not in ("white", "black") else 0.05) * spread)
    rgb = colorsys.hsv_to_rgb(hue % 1, min(saturation, 1), min(value, 1))
    return np.asarray(rgb) * 255


def _worn(color: Floats, amount: float, rng: Rng) -> Floats:
    """Fade colors, and add stains and scratches."""
    if amount < 0.02:
        return color
    rows, cols = color.shape[:2]
    gray = color.mean(axis=-1, keepdims=True)
    faded = color + (0.5 * (gray + 200) - color) * 0.3 * amount
    stain = tx.smoothstep(tx.grid_noise(rng, rows, cols, 4, 4), 0.8, 2.2)
    faded = tx.lerp_color(faded, faded * 0.55 + 18, stain * amount)
    scratch = np.abs(tx.grid_noise(rng, rows, cols, 3, max(4, cols // 3))) < 0.05
    return tx.lerp_color(faded, faded * 0.8 + 45, 0.6 * amount * scratch)


@dataclass(frozen=True)
class Material:
    """`paint` changes colors [H, W, 3] at points [H, W, 2] in mm; `density` in kg/m^3 is that of whole objects."""

    paint: Callable[[Floats, Floats, Rng], Floats]
    density: float


def _smooth(color: Floats, points: Floats, rng: Rng) -> Floats:
    return color + 3 * tx.grid_noise(rng, *color.shape[:2], 3, 3)[..., None]


def _glossy(color: Floats, points: Floats, rng: Rng) -> Floats:
    """Brighten one upright streak, as of a window."""
    u = np.linspace(0, 1, color.shape[1])[None]
    streak = np.exp(-(((u - rng.uniform(0.1, 0.9)) / 0.035) ** 2)) * np.ones((color.shape[0], 1))
    return tx.lerp_color(_smooth(color, points, rng), (255, 255, 255), 0.22 * streak)


def _glass(color: Floats, points: Floats, rng: Rng) -> Floats:
    u = np.linspace(0, 1, color.shape[1])[None] * np.ones((color.shape[0], 1))
    shade = 0.5 + 0.5 * np.cos(2 * np.pi * (3 * u + rng.uniform()))
    glint = np.exp(-(((u * 2 % 1 - rng.uniform(0.1, 0.9)) / 0.03) ** 2))
    deep = color * (0.82 + 0.22 * shade[..., None])
    return tx.lerp_color(deep, (250, 255, 255), 0.55 * glint)


def _wood(color: Floats, points: Floats, rng: Rng) -> Floats:
    rows, cols = color.shape[:2]
    long_way = (3, cols // 2) if rows >= cols else (rows // 2, 3)
    rings = np.sin(7 * tx.grid_noise(rng, rows, cols, *((2, 6) if rows >= cols else (6, 2))))
    grain = 0.6 * rings + tx.grid_noise(rng, rows, cols, *(max(2, n) for n in long_way))
    return np.asarray(color * (1 - 0.09 * grain[..., None]))


def _metal(color: Floats, points: Floats, rng: Rng) -> Floats:
    rows, cols = color.shape[:2]
    brushed = tx.grid_noise(rng, rows, cols, max(2, rows // 2), 3)
    glint = tx.grid_noise(rng, rows, cols, 2, 5)
    return np.asarray(color * (1 + 0.05 * brushed[..., None] + 0.12 * glint[..., None]))


def _rough(color: Floats, points: Floats, rng: Rng) -> Floats:
    return np.asarray(tx.pixel_noise(_smooth(color, points, rng), rng, 5.0))


def _foam(color: Floats, points: Floats, rng: Rng) -> Floats:
    rows, cols = color.shape[:2]
    pores = tx.smoothstep(tx.grid_noise(rng, rows, cols, max(2, rows // 3), max(2, cols // 3)), 0.5, 1.6)
    return np.asarray(color * (1 - 0.4 * pores[..., None]))


def _cardboard(color: Floats, points: Floats, rng: Rng) -> Floats:
    flutes = np.sin(points[..., 0] * 2 * np.pi / 4)
    return np.asarray(tx.pixel_noise(color * (1 + 0.04 * flutes[..., None]), rng, 5.0))


def _cloth(color: Floats, points: Floats, rng: Rng) -> Floats:
    x, y = (np.sin(points[..., n] * 2 * np.pi / 3.5) for n in (0, 1))
    return np.asarray(tx.pixel_noise(color * (0.92 + 0.14 * (x * y)[..., None]), rng, 6.0))


def _leather(color: Floats, points: Floats, rng: Rng) -> Floats:
    rows, cols = color.shape[:2]
    grain = np.abs(tx.grid_noise(rng, rows, cols, max(2, rows // 3), max(2, cols // 3)))
    tone = tx.grid_noise(rng, rows, cols, 3, 3)
    return np.asarray(color * (0.94 + 0.09 * np.minimum(grain, 1)[..., None] + 0.06 * tone[..., None]))


def _wicker(color: Floats, points: Floats, rng: Rng) -> Floats:
    x, y = points[..., 0] / 9, points[..., 1] / 5
    over = (np.floor(x) + np.floor(y)) % 2
    strand = np.where(over > 0, np.abs(x % 1 - 0.5), np.abs(y % 1 - 0.5)) * 2
    return np.asarray(tx.pixel_noise(color * (1.1 - 0.55 * strand[..., None] ** 2), rng, 6.0))


def _skin(color: Floats, points: Floats, rng: Rng) -> Floats:
    """Vary the tone of a fruit or vegetable."""
    tone = tx.grid_noise(rng, *color.shape[:2], 4, 6) + 0.5 * tx.grid_noise(rng, *color.shape[:2], 16, 24)
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
    "food": Material(_skin, 900),
}
"""The word of a material -> how it looks and what it weighs. `food` is not said of anything."""
