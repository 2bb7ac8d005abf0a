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
PATTERNS = ("plain", "striped", "dotted", "checkered", "two-coloured")
MATERIALS = ("wooden", "metal", "plastic", "foam", "cardboard", "cloth")


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


def paint_square(
    first: Floats, second: Floats, pattern: str, material: str, pitch: float, seed: int, side: float, texels: int
) -> TextureImage:
    """Paint a square of a material in two colors [3], the second of which `plain` does not use.

    :param pitch: of the pattern, in the unit of `side`
    """
    u, v = uv_grid(texels, texels)
    rng = np.random.default_rng(seed)
    fraction = pattern_fraction(pattern, u, v, side / pitch, side / pitch, rng)
    color = lerp_color(first, second, fraction)
    return to_uint8(_MATERIALS[material](color, np.stack([u * side, v * side], -1), rng))


def pattern_fraction(
    pattern: str, u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator
) -> Floats:
    """Return the share [H, W] of the second color at the texture coordinates u and v.

    :param pattern: one of `PATTERNS`, or of kinds alone `speckled`, `marbled` or `floral`
    :param across: width of the image in units of the pattern's pitch
    :param along: its height
    """
    if pattern in _PATTERNS:
        return _PATTERNS[pattern](u, v, across, along)
    return _IRREGULAR[pattern](u, v, across, along, rng)


def _speckled(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = (int(np.clip(3 * n, 4, 60)) for n in (along, across))
    return smoothstep(grid_noise(rng, u.shape, rows, cols), 1.0, 1.3)


def _marbled(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = (int(np.clip(n, 2, 20)) for n in (along, across))
    return 1 - smoothstep(np.abs(grid_noise(rng, u.shape, rows, cols)), 0.05, 0.5)


def _floral(u: Floats, v: Floats, across: float, along: float, rng: np.random.Generator) -> Floats:
    rows, cols = max(1, round(along / 1.8)), max(2, round(across / 1.8))
    row = np.floor(v * rows)
    x, y = (u * cols + 0.5 * (row % 2)) % 1 - 0.5, (v * rows) % 1 - 0.5
    x, y = x * across / cols / 1.8, y * along / rows / 1.8
    radius, petals = np.hypot(x, y), 0.26 + 0.12 * np.cos(5 * np.arctan2(y, x))
    return (1 - smoothstep(radius, petals - 0.03, petals + 0.03)) * smoothstep(radius, 0.07, 0.1)


_IRREGULAR: dict[str, Callable[[Floats, Floats, float, float, np.random.Generator], Floats]] = {
    "speckled": _speckled,
    "marbled": _marbled,
    "floral": _floral,
}


def _plain(u: Floats, v: Floats, across: float, along: float) -> Floats:
    return np.zeros(u.shape)


def _striped(u: Floats, v: Floats, across: float, along: float) -> Floats:
    count = max(2, round(along))
    return smoothstep(np.abs((v * count) % 1 - 0.5), 0.23, 0.27)


def _dotted(u: Floats, v: Floats, across: float, along: float) -> Floats:
    rows, cols = max(2, round(along)), max(2, round(across))
    row = np.floor(v * rows)
    x, y = (u * cols + 0.5 * (row % 2)) % 1 - 0.5, (v * rows) % 1 - 0.5
    return 1 - smoothstep(np.hypot(x * across / cols, y * along / rows), 0.25, 0.31)


def _checkered(u: Floats, v: Floats, across: float, along: float) -> Floats:
    rows, cols = max(2, round(along)), 2 * max(1, round(across / 2))
    return np.asarray((np.floor(v * rows) + np.floor(u * cols)) % 2)


def _halved(u: Floats, v: Floats, across: float, along: float) -> Floats:
    return smoothstep(v, 0.49, 0.51)


_PATTERNS: dict[str, Callable[[Floats, Floats, float, float], Floats]] = dict(
    zip(PATTERNS, (_plain, _striped, _dotted, _checkered, _halved), strict=True)
)


def _wooden(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    stretched = points * [1.0, 0.1]
    grain = wave_noise(stretched, rng, 260.0, 12) + 0.6 * wave_noise(stretched, rng, 1200.0, 20)
    tan = lerp_color(color, (176, 124, 74), np.full(color.shape[:2], 0.35))
    return np.asarray(tan * (1 - 0.13 * grain[..., None]))


def _metal(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    brushed = wave_noise(points * [0.04, 1.0], rng, 2500.0, 24)
    glint = wave_noise(points, rng, 60.0, 6)
    gray = lerp_color(color, (150, 152, 158), np.full(color.shape[:2], 0.35))
    return np.asarray(gray * (1 + 0.08 * brushed[..., None] + 0.18 * glint[..., None]))


def _plastic(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(color * 1.03)


def _foam(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    pores = smoothstep(wave_noise(points, rng, 1800.0, 48), 0.5, 1.6)
    light = lerp_color(color, (244, 242, 236), np.full(color.shape[:2], 0.1))
    return np.asarray(light * (1 - 0.42 * pores[..., None]))


def _cardboard(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    flutes = np.sin(points[..., 0] * 2 * np.pi / 0.004)
    kraft = lerp_color(color, (180, 140, 96), np.full(color.shape[:2], 0.45))
    return np.asarray(pixel_noise(kraft * (1 + 0.05 * flutes[..., None]), rng, 6.0))


def _cloth(color: Floats, points: Floats, rng: np.random.Generator) -> Floats:
    x, y = (np.sin(points[..., n] * 2 * np.pi / 0.0035) for n in (0, 1))
    return np.asarray(pixel_noise(color * (0.9 + 0.2 * (x * y)[..., None]), rng, 7.0))


_MATERIALS: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = dict(
    zip(MATERIALS, (_wooden, _metal, _plastic, _foam, _cardboard, _cloth), strict=True)
)
