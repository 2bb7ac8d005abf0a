"""Parts of packages: tins, squeeze bottles, screw caps, walls between outlines, and art of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import ImageDraw

from pickclutter_lang.kinds.finishes import Finish, Rng, choice, ribbed, tint, weighted
from pickclutter_lang.kinds.labels import Art, Brand
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, grid_surface

Bend = Callable[[Floats], Floats]


def add_label(
    model: ModelBuilder,
    profile: Floats,
    image: TextureImage,
    low: float,
    high: float,
    wide: float,
    bend: Bend | None = None,
    middle: float = 0.0,
) -> None:
    """Add a label on the body of a profile [N, 2] of (radius, z), `wide` radians to both sides of an angle."""
    z = np.linspace(low, high, 7)
    angle = np.linspace(middle - wide, middle + wide, 17)
    r = np.interp(z, profile[:, 1], profile[:, 0]) + 0.5
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    grid = np.concatenate([r[:, None, None] * ring, np.broadcast_to(z[:, None, None], (7, 17, 1))], -1)
    points = grid.reshape(-1, 3)
    model.surface(grid_surface((bend(points) if bend else points).reshape(grid.shape)), image)


def add_cap(
    model: ModelBuilder,
    radius: float,
    low: float,
    high: float,
    wall: Skin,
    top: Finish | TextureImage,
) -> None:
    """Add a round cap with a wall of its own."""
    e = 0.08 * radius
    model.lathe([(radius, low), (radius, high - e)], wall, segments=24, hull=False)
    model.lathe([(radius, high - e), (radius - e, high), (0, high)], top, segments=24, hull=False)
    ring = np.linspace(0, 2 * np.pi, 13)[:-1]
    model.hull([(radius * np.cos(a), radius * np.sin(a), z) for a in ring for z in (low, high)])


TIN = (186, 188, 192)


def screw_cap(model: ModelBuilder, radius: float, low: float, high: float, color: npt.ArrayLike, ribs: int) -> None:
    """Add a cap with upright ribs between two heights in mm; `ribs=0` leaves it smooth."""
    r = radius
    profile = [(0, low), (r, low), (r, low + 0.6), (r, high - 1.2), (r * 0.94, high), (0, high)]
    wall = (r + high - low) / (2 * r + high - low)
    image = ribbed(color, ribs, 0.24, 0.0, wall) if ribs else plain(color)
    model.lathe(profile, image, segments=24, pieces=1)


def rings(rng: Rng, color: npt.ArrayLike, count: int) -> TextureImage:
    """Return the image of the end of a tin: pressed rings and a soft glint."""
    u, v = tx.uv_grid(48, 64)
    ridge = np.sin(2 * np.pi * v * count) * (v > 0.15) * (v < 0.75)
    glint = np.cos(2 * np.pi * 2 * (u - rng.uniform()))
    return tx.to_uint8(np.asarray(color) * (0.96 + 0.1 * ridge + 0.08 * glint)[..., None])


def tin(
    model: ModelBuilder,
    rng: Rng,
    radius: float,
    height: float,
    wall: TextureImage,
    lid: npt.ArrayLike = TIN,
    ring_pull: bool = False,
) -> None:
    """Add a tin can from z = 0: a wall with its image between two rims, sunk ends with rings."""
    r = radius
    h = height
    count = int(rng.integers(2, 5))
    metal = plain(np.array(TIN) * rng.uniform(0.9, 1.08))
    edge = r + 0.9
    model.lathe([(r, 3), (r, h - 3)], wall, hull=False)
    model.lathe([(0, 2), (r - 3, 2), (r - 2.2, 0), (edge, 0), (edge, 2.4), (r, 3)], rings(rng, TIN, count), hull=False)
    model.lathe([(r, h - 3), (edge, h - 2.4), (edge, h), (r - 2, h)], metal, hull=False)
    sunk = h - 3.2
    model.lathe([(r - 2, h), (r - 2.6, sunk), (0.5 * r, sunk), (0, sunk)], rings(rng, lid, count), hull=False)
    model.hull([(*p, z) for z in (0, h) for p in circle(edge, 18)])
    if ring_pull:
        loop = circle(1, 14) * [0.3 * r, 0.22 * r] + [0.42 * r, 0]
        path = np.c_[np.r_[loop, loop[:1]], np.full(15, h - 1.8)]
        model.sweep(path, 0.055 * r, metal, 0.8, segments=6, closed=True, hull=False)
        model.prism(circle(1, 10) * [0.16 * r, 0.12 * r] + [0.72 * r, 0], h - 3, h - 1.2, metal, hull=False)


def squeeze_bottle(
    model: ModelBuilder,
    rng: Rng,
    skin: Finish,
    cap: npt.ArrayLike,
    label: TextureImage,
    size: tuple[float, float, float],
    style: str,
) -> None:
    """Add a soft plastic bottle of a size (x, y, z) in mm with labels on both sides.

    :param style: `cone` has a pointed cap, `flip` a flat one, `stand` stands on its wide cap
    """
    depth, width, height = size
    half = width / 2
    oval = depth / width
    waist, shoulder, belly = rng.uniform(0.84, 1.0), rng.uniform(0.62, 0.76), rng.uniform(0.94, 1.0)
    neck, base = half * rng.uniform(0.3, 0.42), half * rng.uniform(0.88, 0.98)
    body = [(base, 0), (half * belly, 0.1 * height), (half * waist, 0.38 * height), (half, shoulder * 0.88 * height)]
    body += [(half * 0.74, shoulder * height * 1.06), (neck * 1.15, 0.86 * height)]
    points = np.concatenate([[(0, 0)], smooth(body, 16), [(neck, 0.88 * height), (0, 0.88 * height)]])
    if style == "stand":
        points = (points * [1, -1] + [0, height * 0.98])[::-1]

    def flat(p: Floats) -> Floats:
        share = np.clip((np.hypot(p[:, 0], p[:, 1]) - neck) / (half - neck), 0, 1)[:, None]
        return np.asarray(p * (1 + share * (np.array([oval, 1, 1]) - 1)))

    model.lathe(points, skin, bend=flat, hull=False)
    middle = float(points[points[:, 0].argmax(), 1])
    for rows in (points[points[:, 1] <= middle], points[points[:, 1] >= middle]):
        model.hull(flat(np.array([(*p, z) for q, z in rows for p in circle(q, 14)])))
    _squeeze_cap(model, cap, neck, height, style)
    low, high = (0.34, 0.8) if style == "stand" else (0.14, shoulder * 0.86)
    wall = points[np.argsort(points[:, 1], kind="stable")][1:-1]
    reach = rng.uniform(0.75, 1.05)
    for facing in (0, np.pi):
        add_label(model, wall, label, low * height, high * height, reach, flat, facing)


def _squeeze_cap(model: ModelBuilder, cap: npt.ArrayLike, neck: float, height: float, style: str) -> None:
    if style == "stand":
        foot = [(0, 0), (1.9, 0), (1.82, 0.11), (1, 0.13), (0, 0.13)]
        model.lathe(np.array(foot) * [neck, height], plain(cap))
        return
    screw_cap(model, neck * 1.3, 0.86 * height, 0.9 * height, cap, 30)
    low, high = (1.05, 0.3) if style == "cone" else (1.25, 1.2)
    tip = np.array([(0, 0.9), (low, 0.9), (high, 1), (0, 1)]) * [neck, height]
    model.lathe(tip, plain(cap), pieces=1)


def round_hull(model: ModelBuilder, *rows: tuple[float, float]) -> None:
    """Add the hull of circles of (radius, height) about z."""
    model.hull([(*p, z) for q, z in rows for p in circle(q, 18)])


def loft(model: ModelBuilder, rings: Sequence[tuple[Floats, float]], skin: Finish) -> None:
    """Add a wall through outlines [N, 2] of as many points each, at their heights in mm from bottom to top."""
    grid = np.stack([np.c_[np.r_[ring, ring[:1]], np.full(len(ring) + 1, z)] for ring, z in rings])
    around = float(np.linalg.norm(np.diff(grid[0], axis=0), axis=1).sum())
    model.surface(grid_surface(grid), skin.image(around, rings[-1][1] - rings[0][1]))


def cap_color(rng: Rng, words: Sequence[str]) -> tuple[str, Floats]:
    """Return the word and the RGB color of a cap."""
    word = choice(rng, words)
    return word, tint(rng, word)


def printed_colors(brand: Brand, image: TextureImage) -> tuple[str, ...]:
    """Return the two colors of a brand, the one that covers more of an image first."""
    near = [float((np.abs(image - tone).sum(axis=-1) < 40).mean()) for tone in (brand.background, brand.accent)]
    return brand.colors if near[0] >= near[1] else brand.colors[::-1]


def fruit_art(color: str, count: int, leaf: bool = True) -> Art:
    """Return art of large round fruit of a color, shaded, with green leaves."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
        for n in range(count):
            a = x + (n - (count - 1) / 2) * 0.8 * size / max(count - 1, 1)
            b = y + rng.normal(0, 0.08) * size
            r = size * rng.uniform(0.26, 0.36) * (1.25 if count == 1 else 1)
            base = tint(rng, color)
            for share, tone in ((1.0, 0.7), (0.92, 1.0), (0.4, 1.2)):
                fill = tuple(int(min(c, 255)) for c in base * tone)
                c = a - (1 - share) * 0.3 * r
                d = b - (1 - share) * 0.4 * r
                q = share * r
                draw.ellipse([c - q, d - q, c + q, d + q], fill=fill)
            if leaf:
                draw.polygon([(a, b - r), (a + 0.4 * r, b - 1.5 * r), (a + 0.9 * r, b - 1.3 * r)], fill=(60, 140, 50))

    return paint


def cup_art(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
    """Draw a cup of coffee on a saucer."""
    a, b = 0.34 * size, 0.26 * size
    fill = tuple(int(c) for c in tint(rng, choice(rng, weighted("white 2, red, yellow"))))
    draw.ellipse([x - 1.6 * a, y + b * 0.9, x + 1.6 * a, y + b * 1.6], fill=fill, outline=(90, 80, 76))
    draw.ellipse([x + 0.6 * a, y - 0.4 * b, x + 1.5 * a, y + 0.7 * b], outline=fill, width=max(2, int(0.06 * size)))
    draw.pieslice([x - a, y - 1.5 * b, x + a, y + 1.5 * b], 0, 180, fill=fill, outline=(90, 80, 76))
    draw.ellipse([x - a, y - 0.4 * b, x + a, y + 0.4 * b], fill=(84, 48, 24), outline=fill)
