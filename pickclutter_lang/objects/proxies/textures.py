"""Painting: small pictures (uint8 [H, W, 3]) from functions of the texture's coordinates, and lettering."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.objects.proxies.body import Picture
from pickclutter_lang.objects.proxies.shapes import Floats

Colour = Sequence[float]


def plain(colour: Colour, size: int = 8) -> Picture:
    """Return a square of one colour."""
    return np.tile(np.asarray(colour, dtype=np.uint8), (size, size, 1))


def texels(height: int, width: int) -> tuple[Floats, Floats]:
    """Return u and v [H, W] in the middle of every texel; the first row is the top, v = 1."""
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, 1 - (np.arange(height) + 0.5) / height)
    return u, v


def directions(height: int, width: int) -> Floats:
    """Return the unit vectors [H, W, 3] of the texels of `shapes.ball`."""
    u, v = texels(height, width)
    lat, lon = np.pi * (v - 0.5), 2 * np.pi * u
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


def smooth(value: Floats, low: float, high: float) -> Floats:
    """Go smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mix(first: npt.ArrayLike, second: npt.ArrayLike, share: Floats) -> Floats:
    """Blend two colours (or pictures) by a share [H, W] of the second."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    return np.asarray(a + (b - a) * share[..., None])


def to_picture(colours: Floats) -> Picture:
    """Round colours in [0, 255] to a picture."""
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


def ripple(points: Floats, rng: np.random.Generator, frequency: float, waves: int = 24) -> Floats:
    """Return smooth noise of about unit deviation at points [..., D]; no seams, as it depends on space alone."""
    keys = rng.normal(size=(waves, points.shape[-1]))
    keys *= frequency / np.linalg.norm(keys, axis=1, keepdims=True) * rng.uniform(0.6, 1.4, (waves, 1))
    phases = rng.uniform(0, 2 * np.pi, waves)
    return np.asarray(sum(np.cos(points @ k + p) for k, p in zip(keys, phases, strict=True)) * np.sqrt(2 / waves))


def speckle(picture: npt.ArrayLike, rng: np.random.Generator, amount: float) -> Floats:
    """Add grey noise of a standard deviation to every texel."""
    base = np.asarray(picture, dtype=float)
    return np.asarray(base + rng.normal(0, amount, base.shape[:2])[..., None])


def canvas(size: tuple[int, int], colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return a picture of (width, height) to draw on."""
    image = Image.new("RGB", size, tuple(int(c) for c in colour))
    return image, ImageDraw.Draw(image)


def letter(
    image: Image.Image, text: str, middle: tuple[float, float], size: float, colour: Colour, turn: float = 0.0
) -> None:
    """Write bold letters round a middle in pixels, turned by degrees counter-clockwise."""
    font = ImageFont.load_default(size)
    box = ImageDraw.Draw(image).textbbox((0, 0), text, font=font, stroke_width=1)
    mask = Image.new("L", (int(box[2] - box[0]) + 4, int(box[3] - box[1]) + 4))
    ImageDraw.Draw(mask).text((2 - box[0], 2 - box[1]), text, fill=255, font=font, stroke_width=1)
    mask = mask.rotate(turn, expand=True, resample=Image.Resampling.BILINEAR)
    corner = (round(middle[0] - mask.width / 2), round(middle[1] - mask.height / 2))
    image.paste(tuple(int(c) for c in colour), corner, mask)


def wood(points: Floats, rng: np.random.Generator, light: Colour, dark: Colour, rings: float, axis: int = 2) -> Picture:
    """Return wood for texels at points [H, W, 3] (metres): year rings round an axis that lies off the middle."""
    others = [i for i in range(3) if i != axis]
    stretched = points.copy()
    stretched[..., axis] *= 0.12
    wobble = 0.0012 * ripple(stretched, rng, 150.0)
    distance = np.hypot(points[..., others[0]] + 0.02, points[..., others[1]] + 0.05) + wobble
    share = smooth(np.abs((distance * rings) % 1.0 - 0.5) * 2, 0.1, 1.0)
    fibre = ripple(stretched, rng, 2500.0)
    return to_picture(mix(light, dark, 0.75 * share) + 4 * fibre[..., None])


def paint(height: int, width: int, colour: Callable[[Floats, Floats], Floats]) -> Picture:
    """Return the picture of a function of u and v."""
    return to_picture(colour(*texels(height, width)))
