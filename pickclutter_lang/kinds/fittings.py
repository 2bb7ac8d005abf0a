"""Parts that tools, hardware and stationery share: grips, rings, threads, rounded outlines, and bands of colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pickclutter_lang.kinds.finishes import STEEL, Finish, Rng, choice, finish, ribbed, tint, weighted
from pickclutter_lang.kinds.models import ModelBuilder, Skin, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

ALONG_Y = rotation("x", -90)  # turns a lathe so that its top points towards +y
ALONG_X = rotation("y", 90)
VIVID = ("red", "blue", "green", "yellow", "orange", "black", "purple", "pink", "turquoise", "white")
TOOL_COLORS = weighted("red 2, blue 2, yellow 2, green, orange, black 2")
BLACK, CHROME, BRASS = (30, 30, 32), (190, 192, 196), (196, 158, 72)
DARK_STEELS = (*STEEL, (96, 98, 102), (58, 59, 62), (120, 122, 126))


def steel(rng: Rng, rgb: Sequence[Sequence[float]] = STEEL, wear: float = 0.5) -> Finish:
    """Sample a bare steel; people call dark steel black."""
    metal = finish(rng, "steel", "grey", wear=wear, rgb=rgb)
    return metal if metal.tints[0].mean() > 80 else replace(metal, colors=("black",))


def banded(rows: Sequence[tuple[float, npt.ArrayLike]]) -> TextureImage:
    """Paint bands: each RGB color from its height in v (ascending) to the next one's."""
    _, v = tx.uv_grid(112, 24)
    image = np.zeros((112, 24, 3))
    for start, color in rows:
        image[v >= start] = np.asarray(color, dtype=float)
    return tx.to_uint8(tx.pixel_noise(image, np.random.default_rng(0), 2.0))


def ring(
    model: ModelBuilder,
    inner: float,
    outer: float,
    height: float,
    skin: Skin,
    at: npt.ArrayLike = (0, 0, 0),
    turn: Floats | None = None,
    wedges: int = 4,
    corners: int = 0,
    segments: int = 24,
    edge: float = 0.0,
) -> None:
    """Add a flat ring around z, centered at `at`, mm.

    :param wedges: number of its hulls; 1 fills the hole
    :param corners: outer side is a polygon of so many corners, whose inner radius is `outer`
    :param edge: how much the outer edges are cut off
    """

    def polygon(points: Floats) -> Floats:
        if not corners:
            return points
        angle = np.arctan2(points[:, 1], points[:, 0])
        sector = 2 * np.pi / corners
        stretch = 1 / np.cos((angle + sector / 2) % sector - sector / 2)
        outside = np.hypot(points[:, 0], points[:, 1]) > 0.5 * (inner + outer - edge)
        return np.asarray(points * np.where(outside, stretch, 1.0)[:, None] ** [1, 1, 0])

    h = height / 2
    e = edge
    profile = [(inner, -h), (outer - e, -h), (outer, -h + e), (outer, h - e), (outer - e, h), (inner, h), (inner, -h)]
    model.lathe(profile, skin, segments=segments, bend=polygon, at=at, turn=turn, hull=False)
    stretch = 1 / np.cos(np.pi / corners) if corners else 1.02
    for n in range(wedges):
        angle = 2 * np.pi * (n + np.linspace(0, 1, 13 if wedges == 1 else 5)) / wedges
        radii = (outer * stretch,) if wedges == 1 else (inner, outer * stretch)
        model.hull([(r * np.cos(a), r * np.sin(a), z) for a in angle for r in radii for z in (-h, h)], at, turn)


def thread(radius: float, low: float, high: float, pitch: float, depth: float = 0.22) -> list[tuple[float, float]]:
    """Return the profile of a thread between two heights, for `ModelBuilder.lathe`; at most 24 turns."""
    turns = int(np.clip((high - low) / pitch, 2, 24))
    z = np.linspace(low, high, 2 * turns + 1)
    return [(radius * (1 - depth * (n % 2 == 0)), float(q)) for n, q in enumerate(z)]


def screwdriver(model: ModelBuilder, rng: Rng) -> tuple[Finish, tuple[str, ...], float, list[str]]:
    """Add a grip and a shaft along y, the end of the shaft at y = 0.

    :return: finish of the grip, words of its colors, radius of the shaft, features
    """
    stubby = rng.random() < 0.12
    grip = rng.uniform(58, 74) if stubby else rng.uniform(72, 112)
    shaft = rng.uniform(32, 45) if stubby else rng.uniform(62, 165)
    r = grip * rng.uniform(0.14, 0.18)
    thin = rng.uniform(2.2, 4.2)
    style = choice(rng, weighted("fluted, soft 2, wood"))
    if style == "wood":
        skin = finish(rng, "wood", "brown", wear=0.5, rgb=((188, 132, 76), (150, 96, 50), (196, 120, 52)))
    else:
        skin = finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    color = skin.tints[0]
    curves = {
        "fluted": [(0.6, 0), (0.92, 0.04), (1, 0.2), (1, 0.62), (0.72, 0.76), (0.66, 0.84), (0.85, 0.93), (0.5, 1)],
        "soft": [(0.5, 0), (0.85, 0.06), (1, 0.2), (0.97, 0.45), (0.78, 0.66), (0.72, 0.78), (0.88, 0.92), (0.5, 1)],
        "wood": [(0.55, 0), (0.9, 0.06), (1, 0.25), (0.9, 0.55), (0.7, 0.8), (0.62, 0.9), (0.66, 0.95), (0.6, 1)],
    }
    outline = smooth(curves[style], 22) * [r, grip]
    profile = np.concatenate([[(0, 0)], outline, [(0, grip)]])
    image: Skin = skin
    colors = skin.colors
    features = ["with a wooden handle"]
    if style == "fluted":
        image = ribbed(color, 8, 0.35, 0.1, 0.7)
        features = ["with a grooved handle"]
    elif style == "soft":
        second = "black" if skin.colors[0] != "black" else choice(rng, ("red", "yellow", "grey", "blue"))
        cuts = sorted(rng.uniform(0.2, 0.85, 2))
        image = banded([(0, color), (cuts[0], tint(rng, second)), (max(cuts[1], cuts[0] + 0.12), color)])
        colors = (*colors, second)
        features = ["with a soft grip"]
    at = (0, -shaft - grip, 0)
    model.lathe(profile, image, segments=20, pieces=3, at=at, turn=ALONG_Y)
    metal = steel(rng)
    rod = [(0, 0), (thin * 1.5, 0), (thin * 1.5, 5), (thin, 6), (thin, shaft + 1), (0, shaft + 1)]
    rod = rod if style == "wood" else [(0, 0), (thin, 0), (thin, shaft + 1), (0, shaft + 1)]
    model.lathe(rod, metal, segments=12, pieces=1, at=(0, -shaft - 1, 0), turn=ALONG_Y)
    return skin, colors, thin, [*features, "with a short shaft" if shaft < 50 else ""]


def barrel(
    model: ModelBuilder,
    profile: Sequence[tuple[float, float]] | npt.ArrayLike,
    skin: Skin,
    start: float,
    segments: int = 16,
    hull: bool = True,
) -> None:
    """Add a solid of revolution along y; y = 0 of its profile of (radius, y) is at `start`."""
    rows = np.asarray(profile, dtype=float)
    closed = np.concatenate([[(0, rows[0, 1])], rows, [(0, rows[-1, 1])]])
    model.lathe(closed, skin, segments=segments, pieces=2, at=(0, start, 0), turn=ALONG_Y, hull=hull)


def strip(points: npt.ArrayLike, half: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the left and right edge [N, 2] of a band of half-width(s) `half` along a line [N, 2] for `plate`."""
    line = np.asarray(points, dtype=float)
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.c_[-along[:, 1], along[:, 0]] * np.broadcast_to(np.asarray(half, dtype=float), len(line))[:, None]
    return line + side, line - side


def disc(
    model: ModelBuilder, radius: float, low: float, high: float, skin: Skin, at: npt.ArrayLike = (0, 0, 0)
) -> None:
    """Add a rivet or button around z, without a hull."""
    model.prism(circle(radius, 16), low, high, skin, at=at, hull=False)


def fastener_metal(rng: Rng) -> Finish:
    """Sample the metal of screws, nuts and nails: mostly zinc, some brass-yellow or black."""
    word, rgb = choice(
        rng,
        (
            *(("grey", STEEL),) * 4,
            ("yellow", ((206, 170, 84), (190, 152, 70), (212, 188, 110))),
            ("black", ((40, 40, 43), (54, 54, 58))),
        ),
    )
    return finish(rng, "steel", word, wear=0.7, rgb=rgb)
