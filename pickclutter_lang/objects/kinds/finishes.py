"""`Finish`: colors, pattern, material and wear of a surface, painted on rectangles of metric size."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.kinds.materials import MATERIALS, worn
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.appearance import COLORS, pattern_fraction
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

Rng = np.random.Generator
T = TypeVar("T")
TEXELS = 112  # on the longer side of an image without lettering
# RGB colors for `finish`: people call steel grey and wood brown, but neither looks like the plain color.
STEEL = ((168, 170, 174), (182, 184, 188), (150, 152, 158))
WOODS = ((188, 132, 76), (150, 96, 50), (206, 160, 104), (120, 76, 42))


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
        return tx.to_uint8(worn(color, self.wear, rng))

    def solid(self, factor: float = 1.0) -> Finish:
        """Return the finish without its pattern, brighter or darker by a factor."""
        return replace(self, tints=(self.tints[0] * factor,), pattern="plain")

    def painted(self, color: npt.ArrayLike) -> Finish:
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
    rgb: Sequence[Sequence[float]] = (),
) -> Finish:
    """Sample a finish.

    :param material: a word of `MATERIALS`
    :param colors: words to choose the color from, likely ones repeated
    :param patterns: words to choose the pattern from, likely ones repeated
    :param second: words for the second color, by default any word but the first
    :param pitch: range of the width of a stripe or dot, mm
    :param wear: the most scratches and stains, from 0 (new) to 1
    :param rgb: choose the first color's RGB from these, such as `WOODS`, where the word's own would look wrong
    """
    first = colors if isinstance(colors, str) else choice(rng, colors)
    pattern = patterns if isinstance(patterns, str) else choice(rng, patterns)
    words = (first,) if pattern == "plain" else (first, choice(rng, [c for c in second or COLORS if c != first]))
    tints = tuple(tint(rng, word) for word in words)
    if rgb:
        tints = (np.clip(np.asarray(choice(rng, rgb)) * rng.normal(1, 0.06) + rng.normal(0, 4, 3), 0, 255), *tints[1:])
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
    return np.asarray([255 * channel for channel in rgb], dtype=float)
