"""What baked goods share: crusts, crumbs, rings of dough, icing and what is strewn on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, Surface, grid_surface, revolve

CRUSTS = ((186, 124, 66), (170, 106, 52), (198, 142, 82), (152, 92, 46))
CRUMBS = ((236, 216, 176), (228, 206, 160), (206, 176, 128), (178, 140, 96))
ICINGS = {
    "pink": ((238, 150, 184), (244, 176, 200)),
    "white": ((244, 238, 226),),
    "brown": ((84, 48, 30), (104, 62, 40), (66, 38, 26)),
    "yellow": ((246, 218, 104),),
    "blue": ((96, 160, 220),),
    "green": ((136, 196, 120),),
    "purple": ((150, 100, 190),),
    "red": ((196, 40, 50),),
}
STREWN = (
    (224, 50, 60),
    (60, 120, 210),
    (250, 214, 60),
    (70, 170, 90),
    (244, 244, 240),
    (240, 130, 40),
    (230, 120, 180),
)


def crust(rng: Rng, color: npt.ArrayLike, texels: tuple[int, int] = (80, 112), tone: float = 0.09) -> TextureImage:
    """Paint a baked crust: darker and paler patches, small specks, a grainy surface."""
    base = np.asarray(color, dtype=float)
    image = peel(
        rng, base, tone=tone, patches=(base * 0.72, rng.uniform(0.15, 0.4)), spots=(base * 1.22, 0.05), texels=texels
    )
    return tx.to_uint8(tx.pixel_noise(image, rng, 4))


def crumb(rng: Rng, color: npt.ArrayLike, texels: tuple[int, int] = (64, 64), pores: float = 0.22) -> TextureImage:
    """Paint cut bread or cake, with pores."""
    rows, cols = texels
    field = tx.grid_noise(rng, texels, max(2, rows // 4), max(2, cols // 4))
    holes = tx.smoothstep(field, 0.7, 1.8) + 0.6 * tx.smoothstep(tx.grid_noise(rng, texels, 5, 5), 1.4, 2.2)
    return tx.to_uint8(tx.pixel_noise(np.asarray(color, dtype=float) * (1 - pores * holes[..., None]), rng, 4))


def strewn(
    rng: Rng,
    image: TextureImage,
    count: int,
    colors: Sequence[npt.ArrayLike],
    length: float = 6.0,
    width: int = 2,
) -> TextureImage:
    """Draw short lines of some colors in random directions, lengths in texels; round grains for a length of 0."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for _ in range(count):
        x, y, angle = rng.uniform(0, image.shape[1]), rng.uniform(0, image.shape[0]), rng.uniform(0, np.pi)
        dx, dy = 0.5 * length * np.cos(angle), 0.5 * length * np.sin(angle)
        r, g, b = (int(c) for c in np.clip(np.asarray(choice(rng, colors)) * rng.uniform(0.88, 1.08), 0, 255))
        if length:
            draw.line([(x - dx, y - dy), (x + dx, y + dy)], fill=(r, g, b), width=width)
        else:
            draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=(r, g, b))
    return np.asarray(canvas)


def ring(model: ModelBuilder, rng: Rng, radius: float, thick: float, tall: float, image: TextureImage) -> None:
    """Add a ring of dough that lies on the ground: `radius` of its middle line, half its thickness and height.

    u of the image runs round the section from the hole over the top, v along the ring.
    """
    angle = np.linspace(0, 2 * np.pi, 33)
    wobble = 1 + 0.5 * rng.uniform(0.01, 0.05) * np.cos(2 * angle + rng.uniform(0, 6.3))
    path = np.c_[radius * wobble * np.cos(angle), radius * wobble * np.sin(angle), np.full(33, tall)]
    uneven = 1 + rng.uniform(0, 0.05) * np.cos(3 * angle + rng.uniform(0, 6.3))
    path[-1], uneven[-1] = path[0], uneven[0]
    half = image[: image.shape[0] // 2]  # mirrored, so that the two ends of the image meet
    model.sweep(
        path, thick * uneven, np.concatenate([half, half[::-1]]), tall * uneven, segments=18, closed=True, pieces=8
    )


def ring_icing(
    model: ModelBuilder, rng: Rng, radius: float, thick: float, tall: float, image: TextureImage, drips: float = 0.2
) -> None:
    """Lay icing with a wavy edge over the upper half of a `ring` of the same measures."""
    around, across = np.linspace(0, 2 * np.pi, 41), np.linspace(0, 1, 9)
    around[-1] = 0
    edges = [wavy(rng, around, drips) for _ in range(2)]
    low, high = np.pi * (0.05 - edges[0]), np.pi * (0.98 + edges[1])
    section = high[None] + (low - high)[None] * across[:, None]
    out = radius + (thick + 0.9) * 1.04 * np.cos(section)
    z = tall + (tall + 0.9) * 1.05 * np.sin(section)
    points = np.stack([out * np.cos(around), out * np.sin(around), z], -1)
    model.surface(grid_surface(points[::-1]), image)


def flat_body(
    model: ModelBuilder, profile: Floats, bend: Callable[[Floats], Floats], image: TextureImage, segments: int = 30
) -> None:
    """Add a convex body of revolution with an image projected from above, as for cookies: no pole in its middle."""
    shape = revolve([(float(r), float(z)) for r, z in profile], segments).deformed(bend)
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    uv = (shape.points - low)[:, :2] / (high - low)[:2]
    model.surface(Surface(shape.points, np.clip(uv, 0, 1), shape.faces), image)
    model.hull(shape.points[:: max(1, len(shape.points) // 240)])


def wavy(rng: Rng, angle: Floats, amount: float) -> Floats:
    """Return a random smooth edge over angles, from -amount to amount."""
    waves: Sequence[Callable[[Floats], Floats]] = (np.sin, np.cos)
    total = sum(wave(n * angle + rng.uniform(0, 6.3)) * rng.uniform(0.2, 1) for n in (3, 5, 8) for wave in waves)
    return np.asarray(amount * total / 4)
