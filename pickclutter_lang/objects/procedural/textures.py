"""Texture images (uint8 [H, W, 3]): noise, color gradients and text as functions of the coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

Color = Sequence[float]


def plain(color: Color, size: int = 8) -> TextureImage:
    """Return a square of one color."""
    return np.tile(np.asarray(color, dtype=np.uint8), (size, size, 1))


def uv_grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Return u and v [H, W] in the center of every texel; the first row is the top, v = 1."""
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, 1 - (np.arange(height) + 0.5) / height)
    return u, v


def sphere_directions(height: int, width: int) -> Floats:
    """Return the unit vectors [H, W, 3] of the texels of `surfaces.sphere`."""
    u, v = uv_grid(height, width)
    lat, lon = np.pi * (v - 0.5), 2 * np.pi * u
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


def wave_noise(points: Floats, rng: np.random.Generator, frequency: float, waves: int = 24) -> Floats:
    """Return smooth noise of about unit deviation at points [..., D]; no seams, as it depends on space alone."""
    keys = rng.normal(size=(waves, points.shape[-1]))
    keys *= frequency / np.linalg.norm(keys, axis=1, keepdims=True) * rng.uniform(0.6, 1.4, (waves, 1))
    phases = rng.uniform(0, 2 * np.pi, waves)
    return np.asarray(sum(np.cos(points @ k + p) for k, p in zip(keys, phases, strict=True)) * np.sqrt(2 / waves))


def grid_noise(rng: np.random.Generator, shape: Sequence[int], rows: int, cols: int) -> Floats:
    """Return smooth noise of a shape [H, W] and about unit deviation; left and right edges meet.

    It costs far less than `wave_noise`, which fits surfaces whose texels are not spread evenly.

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
