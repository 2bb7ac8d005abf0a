"""`Finish`: colors, pattern, material and wear of a surface, painted on rectangles of metric size."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pickclutter_lang.kinds.materials import MATERIALS, worn
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats
from pickclutter_lang.objects.procedural.textures import COLORS


def weighted(words: str) -> tuple[str, ...]:
    """Return every word as often as its number says, to choose from: `weighted("red 3, two-coloured 2, blue")`."""
    found: list[str] = []
    for item in words.split(", "):
        word, _, number = item.rpartition(" ")
        found += [word] * int(number) if number.isdigit() else [item]
    return tuple(found)


BRIGHT = ("red", "blue", "yellow", "green", "orange", "pink", "purple", "turquoise")
"""Colors of toys."""
ANY = (*BRIGHT, "white", "black", "grey", "brown")
"""All colors, equally likely."""
TOYS = (*("red", "blue", "yellow", "green") * 2, "orange", "pink", "purple", "turquoise", "white")
"""Colors of toys, the primary ones more likely."""
SOBER = (*weighted("black 2, grey, white") * 3, "blue", "red", "pink", "green", "purple")
"""Colors of electronics: mostly black, grey or white."""
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
        fraction = tx.PATTERNS[self.pattern](u, v, width / self.pitch, height / self.pitch, rng)
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


Layer = tuple[npt.ArrayLike, float]


def peel(
    rng: Rng,
    color: npt.ArrayLike,
    tone: float = 0.05,
    patches: Layer | None = None,
    streaks: Layer | None = None,
    spots: Layer | None = None,
    top: Layer | None = None,
    bottom: Layer | None = None,
    texels: tuple[int, int] = (72, 128),
    spot_count: int = 40,
) -> TextureImage:
    """Paint a skin for `ModelBuilder.lathe`, `ball` or `sweep`, whose ends are at v = 0 and v = 1.

    :param color: RGB of the ground
    :param tone: how much its brightness varies
    :param patches: RGB and share of the area (0 to 1) of large soft patches, as of ripe sides
    :param streaks: RGB and share of lines from end to end
    :param spots: RGB and share of small spots, `spot_count` of them around
    :param top: RGB at v = 1, and how far down it reaches as a share of the length
    :param bottom: RGB at v = 0, and how far up it reaches
    """
    _, v = tx.uv_grid(*texels)
    image = np.asarray(color, dtype=float) * (1 + tone * tx.grid_noise(rng, texels, 5, 8)[..., None])
    if patches:
        field = tx.grid_noise(rng, texels, 2, 3) + 0.25 * tx.grid_noise(rng, texels, 3, 44)
        image = tx.lerp_color(image, patches[0], 0.9 * _share(field, patches[1], 1.6))
    if streaks:
        image = tx.lerp_color(image, streaks[0], 0.75 * _share(tx.grid_noise(rng, texels, 3, 36), streaks[1], 0.8))
    if spots:
        field = tx.grid_noise(rng, texels, max(2, spot_count * 9 // 16), spot_count)
        image = tx.lerp_color(image, spots[0], 0.8 * _share(field, spots[1], 0.5))
    for end, distance in ((top, 1 - v), (bottom, v)):
        if end:
            ragged = distance * (1 + 0.15 * tx.grid_noise(rng, texels, 3, 12))
            image = tx.lerp_color(image, end[0], 1 - tx.smoothstep(ragged, 0.35 * end[1], end[1]))
    return tx.to_uint8(image)


def ribbed(color: npt.ArrayLike, count: int, depth: float = 0.3, low: float = 0.0, high: float = 1.0) -> TextureImage:
    """Paint `count` upright ribs round a lathe, between two heights of v.

    :param color: RGB of the ribs
    :param depth: how much darker the grooves are, as a share; negative: lighter
    """
    u, v = tx.uv_grid(24, 128)
    groove = 1 - tx.smoothstep(np.abs((u * count) % 1 - 0.5), 0.08, 0.3)
    groove[(v < low) | (v > high)] = 0
    base = np.asarray(color, dtype=float)
    return tx.to_uint8(tx.lerp_color(base, base * (1 - depth), groove))


def _share(field: Floats, share: float, softness: float) -> Floats:
    """Return a mask that is about 1 on a share of the area, soft at its edges."""
    level = float(np.quantile(field, 1 - min(max(share, 0.0), 1.0)))
    return tx.smoothstep(field, level - softness / 2, level + softness / 2)
