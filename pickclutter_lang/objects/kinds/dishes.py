"""Hollow tableware: dishes with a flat rim, vessels with a spout, loop handles, and rims."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.models import ModelBuilder, Profile, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

CHINA = likely(white=6, blue=2, red=1, green=1, yellow=1, turquoise=1, grey=1, black=1, pink=1, orange=1, brown=1)
CHINA_PATTERNS = (*likely(plain=5, striped=1, dotted=1, floral=2, speckled=1), "two-coloured")
PLATE_PATTERNS = (*likely(plain=9, striped=1, dotted=1, floral=2, speckled=1), "two-coloured")
Bend = Callable[[Floats], Floats]


def china(rng: Rng, patterns: Sequence[str] = CHINA_PATTERNS) -> Finish:
    """Return the finish of ceramic tableware."""
    return finish(rng, "ceramic", CHINA, patterns, wear=0.2)


def dish(
    model: ModelBuilder,
    outer: Profile,
    inner: Profile,
    skin: Skin,
    inside: Skin,
    wedges: int = 8,
    bend: Bend | None = None,
    at: npt.ArrayLike = (0, 0, 0),
    segments: int = 32,
    hull: bool = True,
) -> None:
    """Add a hollow body, flat or deep: `outer` goes from the foot to the rim, `inner` from the rim to the middle.

    :param inside: skin of the inner side, whose v runs from the rim (0) to the middle (1)
    :param bend: moves the points [N, 3], to make an oval or a spout
    """
    out, hollow = np.asarray(outer, dtype=float), np.asarray(inner, dtype=float)
    model.lathe(np.concatenate([[(0, out[0, 1])], out]), skin, segments, bend=bend, at=at, hull=False)
    model.lathe(np.concatenate([out[-1:], hollow]), inside, segments, bend=bend, at=at, hull=False)
    if not hull:
        return
    move = bend or (lambda p: p)
    angles = np.linspace(0, 2 * np.pi, 2 * wedges + 1)
    floor = float(hollow[-1, 1])
    wall = [(r, z) for r, z in (*out, *hollow) if r > 0.9 * float(out[0, 0]) or z > floor + 1]
    for n in range(wedges):
        part = [(r * np.cos(a), r * np.sin(a), z) for a in angles[2 * n : 2 * n + 3] for r, z in wall]
        model.hull(move(np.array(part)), at)
    low, top = (float(out[0, 0]), float(out[0, 1])), (float(out[0, 0]), floor)
    model.hull(move(np.array([(r * np.cos(a), r * np.sin(a), z) for a in angles for r, z in (low, top)])), at)


def spout(height: float, reach: float, width: float = 0.5) -> Bend:
    """Return a bend that pulls the rim at `height` out towards -y by `reach` mm, over an angle of `width` radians."""

    def move(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 0], -points[:, 1])
        share = np.exp(-((angle / width) ** 2)) * np.clip(points[:, 2] / height, 0, 1) ** 4
        share = share * (np.hypot(points[:, 0], points[:, 1]) > 1)
        return np.asarray(points + np.stack([0 * angle, -reach * share, 0.15 * reach * share], -1))

    return move


def loop_handle(
    model: ModelBuilder,
    rng: Rng,
    skin: Skin,
    outer: Floats,
    top: float,
    low: float,
    reach: float,
    thick: float,
    open_end: bool = False,
    pieces: int = 3,
) -> None:
    """Add an ear at +y between two heights of a wall (radius, height) in mm; with `open_end` it hangs from the top."""
    at_top, at_low = (float(np.interp(z, outer[:, 1], outer[:, 0])) - 1.5 for z in (top, low))
    far = max(at_top, at_low) + reach
    loop = [(at_top, top), (far - 0.3 * reach, top + rng.uniform(-1, 4)), (far, (top + low) / 2 + 0.15 * (top - low))]
    loop += [(far - 0.1 * reach, low)] if open_end else [(far - 0.35 * reach, low + 3), (at_low, low)]
    path = smooth([(0, y, z) for y, z in loop], 14)
    wide = thick * rng.uniform(0.9, 1.6)
    model.sweep(path, wide, skin, thick, power=rng.uniform(2, 3.2), up=(1, 0, 0), segments=12, pieces=pieces)


def glass(rng: Rng) -> Finish:
    """Return the finish of clear or tinted glass."""
    word = choice(rng, likely(white=14, blue=2, green=2, turquoise=1, pink=1, purple=1, grey=2))
    tinted = finish(rng, "glass", word)
    pale = {"white": (206, 214, 216), "grey": (150, 154, 158)}.get(word)
    return tinted.painted(np.array(pale) * rng.uniform(0.92, 1.06)) if pale else tinted


def seen_from_above(skin: Finish, radius: float, flat: bool) -> TextureImage:
    """Return the image of the inner side of a round dish: of rings, or (`flat`) as printed from above."""
    if not flat:
        return skin.image(2 * np.pi * radius, radius)
    printed = skin.image(2 * radius, 2 * radius)
    u, v = tx.uv_grid(72, 200)
    last = len(printed) - 1
    rows, cols = (0.5 + 0.5 * (1 - v) * f(2 * np.pi * u) for f in (np.sin, np.cos))
    return np.asarray(printed[((1 - rows) * last).round().astype(int), (cols * last).round().astype(int)])


def banded(rng: Rng, image: TextureImage, word: str, start: tuple[float, float] = (0.0, 0.16)) -> TextureImage:
    """Paint a ring of a color near the rim of an image as `seen_from_above`; `start` is the range of its place."""
    _, v = tx.uv_grid(*image.shape[:2])
    low, wide = rng.uniform(*start), rng.uniform(0.03, 0.15)
    return tx.to_uint8(tx.lerp_color(image, tint(rng, word), ((v > low) & (v < low + wide)) * 1.0))


def pour(
    model: ModelBuilder,
    outer: Floats,
    wall: float,
    floor: float,
    level: float,
    color: Floats,
    glassy: Floats,
    up: float = 0.0,
) -> None:
    """Fill a glass of (radius, height) with a drink of a color up to a level in mm, seen through its wall as well."""
    radius = float(np.interp(level, outer[:, 1], outer[:, 0]))
    below = np.array([(q, z) for q, z in outer if floor < z < level - 1] + [(radius, level)])
    inner = np.maximum(below - np.array([wall + 0.2, 0]), 0.5)
    first = (float(np.interp(floor, outer[:, 1], outer[:, 0])) - wall - 0.2, floor)
    liquid = np.concatenate([[(0, floor), first], inner, [(0, level)]])
    model.lathe(liquid + np.array([0, up]), plain(color), pieces=1)
    seen = np.concatenate([below + np.array([0.3, 0]), below[::-1]]) + np.array([0, up])
    model.lathe(seen, plain(0.75 * color + 0.25 * glassy), hull=False)
