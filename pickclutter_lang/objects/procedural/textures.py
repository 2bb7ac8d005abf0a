"""Texture images (uint8 [H, W, 3]): noise, gradients, patterns, materials and text as functions of the coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

Color = Sequence[float]
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


def plain(color: Color) -> TextureImage:
    """Return a square of one color."""
    return np.tile(np.asarray(color, dtype=np.uint8), (8, 8, 1))


def uv_grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Return u and v [H, W] in the center of every texel; the first row is the top, v = 1."""
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, 1 - (np.arange(height) + 0.5) / height)
    return u, v


def sphere_directions(height: int, width: int) -> Floats:
    """Return the unit vectors [H, W, 3] of the texels of `surfaces.sphere`."""
    u, v = uv_grid(height, width)
    lat = np.pi * (v - 0.5)
    lon = 2 * np.pi * u
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


def smoothstep(value: Floats, low: float, high: float) -> Floats:
    """Go smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def lerp_color(first: npt.ArrayLike, second: npt.ArrayLike, fraction: Floats) -> Floats:
    """Blend two colors (or images) by the fraction [H, W] of the second."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    return np.asarray(a + (b - a) * fraction[..., None])


def to_uint8(colors: Floats) -> TextureImage:
    """Round colors in [0, 255] to an image."""
    return np.clip(np.rint(colors), 0, 255).astype(np.uint8)


def grid_noise(rng: np.random.Generator, shape: Sequence[int], rows: int, cols: int) -> Floats:
    """Return smooth noise of a shape [H, W] and about unit deviation; left and right edges meet.

    :param shape: height and width, what follows is ignored
    :param rows: number of bumps from bottom to top
    :param cols: number of bumps from left to right
    """
    knots = rng.normal(0, 1.5, (rows + 2, cols + 2)).astype(np.float32)
    knots[:, -2:] = knots[:, :2]
    box = (0.5, 0.5, cols + 0.5, rows + 1.5)
    smooth = Image.fromarray(knots).resize((shape[1], shape[0]), Image.Resampling.BICUBIC, box=box)
    return np.asarray(smooth, dtype=np.float64)


def pixel_noise(image: npt.ArrayLike, rng: np.random.Generator, amount: float) -> Floats:
    """Add gray noise of a standard deviation to every texel."""
    base = np.asarray(image, dtype=float)
    return np.asarray(base + rng.normal(0, amount, base.shape[:2])[..., None])


def canvas(size: tuple[int, int], color: Color) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an image of (width, height) to draw on."""
    image = Image.new("RGB", size, tuple(int(c) for c in color))
    return image, ImageDraw.Draw(image)


@lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def draw_text(
    image: Image.Image, text: str, center: tuple[float, float], size: float, color: Color, degrees: float = 0.0
) -> None:
    """Write bold letters round a center in pixels, turned by degrees counter-clockwise."""
    font = _font(size)
    box = ImageDraw.Draw(image).textbbox((0, 0), text, font=font, stroke_width=1)
    mask = Image.new("L", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4))
    ImageDraw.Draw(mask).text((2 - box[0], 2 - box[1]), text, fill=255, font=font, stroke_width=1)
    mask = mask.rotate(degrees, expand=True, resample=Image.Resampling.BILINEAR)
    corner = (round(center[0] - mask.width / 2), round(center[1] - mask.height / 2))
    image.paste(tuple(int(c) for c in color), corner, mask)


def _plain(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    return np.zeros(u.shape)


def _striped(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    count = max(2, round(along))
    return smoothstep(np.abs((v * count) % 1 - 0.5), 0.23, 0.27)


def _dotted(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = max(2, round(along)), max(2, round(across))
    row = np.floor(v * rows)
    x = (u * cols + 0.5 * (row % 2)) % 1 - 0.5
    y = (v * rows) % 1 - 0.5
    return 1 - smoothstep(np.hypot(x * across / cols, y * along / rows), 0.25, 0.31)


def _checkered(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows = max(2, round(along))
    cols = 2 * max(1, round(across / 2))
    return np.asarray((np.floor(v * rows) + np.floor(u * cols)) % 2)


def _halved(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    return smoothstep(v, 0.49, 0.51)


def _speckled(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = (int(np.clip(3 * n, 4, 60)) for n in (along, across))
    return smoothstep(grid_noise(rng, u.shape, rows, cols), 1.0, 1.3)


def _marbled(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = (int(np.clip(n, 2, 20)) for n in (along, across))
    return 1 - smoothstep(np.abs(grid_noise(rng, u.shape, rows, cols)), 0.05, 0.5)


def _floral(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = max(1, round(along / 1.8)), max(2, round(across / 1.8))
    row = np.floor(v * rows)
    x = (u * cols + 0.5 * (row % 2)) % 1 - 0.5
    y = (v * rows) % 1 - 0.5
    x, y = x * across / cols / 1.8, y * along / rows / 1.8
    radius = np.hypot(x, y)
    petals = 0.26 + 0.12 * np.cos(5 * np.arctan2(y, x))
    return (1 - smoothstep(radius, petals - 0.03, petals + 0.03)) * smoothstep(radius, 0.07, 0.1)


PATTERNS: dict[str, Callable[[Floats, Floats, float, float, np.random.Generator], Floats]] = {
    "plain": _plain,
    "striped": _striped,
    "dotted": _dotted,
    "checkered": _checkered,
    "two-coloured": _halved,
    "speckled": _speckled,
    "marbled": _marbled,
    "floral": _floral,
}
"""Pattern -> the share [H, W] of the second color at the texture coordinates u and v.

The other arguments are the width and height of the image in units of the pattern's pitch, and a generator.
"""
