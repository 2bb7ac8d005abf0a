"""Patterns and materials of textures: color, pattern and material on rectangles of metric size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (196, 24, 30),
    "orange": (232, 116, 20),
    "yellow": (238, 204, 40),
    "green": (42, 142, 60),
    "blue": (28, 70, 186),
    "turquoise": (40, 178, 176),
    "purple": (118, 52, 160),
    "pink": (236, 134, 172),
    "brown": (118, 74, 40),
    "black": (26, 26, 28),
    "white": (234, 234, 230),
    "grey": (132, 134, 138),
}
FURTHER_PATTERNS = ("speckled", "marbled", "floral", "printed")
"""Patterns of kinds beside `PATTERNS`, which are those of drawn tables too; `printed` is lettering."""
PATTERNS = ("plain", "striped", "dotted", "checkered", "two-coloured")
MATERIALS = ("wooden", "metal", "plastic", "foam", "cardboard", "cloth")


def paint_square(
    first: Floats, second: Floats, pattern: str, material: str, pitch: float, seed: int, side: float, texels: int
) -> TextureImage:
    """Paint a square of a material in two colors [3], the second of which `plain` does not use.

    :param pitch: of the pattern, in the unit of `side`
    """
    u, v = tx.uv_grid(texels, texels)
    rng = np.random.default_rng(seed)
    fraction = pattern_fraction(pattern, u, v, side / pitch, side / pitch, rng)
    color = tx.lerp_color(first, second, fraction)
    return tx.to_uint8(_MATERIALS[material](color, np.stack([u * side, v * side], -1), rng))


def pattern_fraction(
    pattern: str, u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator
) -> Floats:
    """Return the share [H, W] of the second color at the texture coordinates u and v.

    :param pattern: one of `PATTERNS` or `FURTHER_PATTERNS`
    :param across: width of the image in units of the pattern's pitch
    :param along: its height
    """
    if pattern in _PATTERNS:
        return _PATTERNS[pattern](u, v, across, along)
    return _IRREGULAR[pattern](u, v, across, along, rng)


def _speckled(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = (int(np.clip(3 * n, 4, 60)) for n in (along, across))
    return tx.smoothstep(tx.grid_noise(rng, u.shape, rows, cols), 1.0, 1.3)


def _marbled(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = (int(np.clip(n, 2, 20)) for n in (along, across))
    return 1 - tx.smoothstep(np.abs(tx.grid_noise(rng, u.shape, rows, cols)), 0.05, 0.5)


def _floral(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = max(1, round(along / 1.8)), max(2, round(across / 1.8))
    row = np.floor(v * rows)
    x, y = (u * cols + 0.5 * (row % 2)) % 1 - 0.5, (v * rows) % 1 - 0.5
    x, y = x * across / cols / 1.8, y * along / rows / 1.8
    radius, petals = np.hypot(x, y), 0.26 + 0.12 * np.cos(5 * np.arctan2(y, x))
    return (1 - tx.smoothstep(radius, petals - 0.03, petals + 0.03)) * tx.smoothstep(radius, 0.07, 0.1)


_IRREGULAR: dict[str, Callable[[Floats, Floats, float, float, np.random.Generator], Floats]] = {
    "speckled": _speckled,
    "marbled": _marbled,
    "floral": _floral,
}


def _plain(u: Floats, v: Floats, across: float, along: float) -> Floats:
    return np.zeros(u.shape)


def _striped(u: Floats, v: Floats, across: float, along: float) -> Floats:
    count = max(2, round(along))
    return tx.smoothstep(np.abs((v * count) % 1 - 0.5), 0.23, 0.27)


def _dotted(u: Floats, v: Floats, across: float, along: float) -> Floats:
    rows, cols = max(2, round(along)), max(2, round(across))
    row = np.floor(v * rows)
    x, y = (u * cols + 0.5 * (row % 2)) % 1 - 0.5, (v * rows) % 1 - 0.5
    return 1 - tx.smoothstep(np.hypot(x * across / cols, y * along / rows), 0.25, 0.31)


def _checkered(u: Floats, v: Floats, across: float, along: float) -> Floats:
    rows, cols = max(2, round(along)), 2 * max(1, round(across / 2))
    return np.asarray((np.floor(v * rows) + np.floor(u * cols)) % 2)


def _halved(u: Floats, v: Floats, across: float, along: float) -> Floats:
    return tx.smoothstep(v, 0.49, 0.51)


_PATTERNS: dict[str, Callable[[Floats, Floats, float, float], Floats]] = dict(
    zip(PATTERNS, (_plain, _striped, _dotted, _checkered, _halved), strict=True)
)


def _wooden(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    stretched = points * [1.0, 0.1]
    grain = tx.wave_noise(stretched, rng, 260.0, 12) + 0.6 * tx.wave_noise(stretched, rng, 1200.0, 20)
    tan = tx.lerp_color(color, (176, 124, 74), np.full(color.shape[:2], 0.35))
    return np.asarray(tan * (1 - 0.13 * grain[..., None]))


def _metal(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    brushed = tx.wave_noise(points * [0.04, 1.0], rng, 2500.0, 24)
    glint = tx.wave_noise(points, rng, 60.0, 6)
    gray = tx.lerp_color(color, (150, 152, 158), np.full(color.shape[:2], 0.35))
    return np.asarray(gray * (1 + 0.08 * brushed[..., None] + 0.18 * glint[..., None]))


def _plastic(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(color * 1.03)


def _foam(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    pores = tx.smoothstep(tx.wave_noise(points, rng, 1800.0, 48), 0.5, 1.6)
    light = tx.lerp_color(color, (244, 242, 236), np.full(color.shape[:2], 0.1))
    return np.asarray(light * (1 - 0.42 * pores[..., None]))


def _cardboard(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    flutes = np.sin(points[..., 0] * 2 * np.pi / 0.004)
    kraft = tx.lerp_color(color, (180, 140, 96), np.full(color.shape[:2], 0.45))
    return np.asarray(tx.pixel_noise(kraft * (1 + 0.05 * flutes[..., None]), rng, 6.0))


def _cloth(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    x, y = (np.sin(points[..., n] * 2 * np.pi / 0.0035) for n in (0, 1))
    return np.asarray(tx.pixel_noise(color * (0.9 + 0.2 * (x * y)[..., None]), rng, 7.0))


_MATERIALS: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = dict(
    zip(MATERIALS, (_wooden, _metal, _plastic, _foam, _cardboard, _cloth), strict=True)
)
