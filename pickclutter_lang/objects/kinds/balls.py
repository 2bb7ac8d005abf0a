"""What balls share: directions of their texels, distances from seams, panels, and a random pose."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, sphere


def random_turn(rng: Rng) -> Floats:
    """Return a random rotation matrix."""
    matrix, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return np.asarray(matrix * np.sign(np.linalg.det(matrix)))


def add_ball(model: ModelBuilder, rng: Rng, diameter: float, image: TextureImage) -> None:
    """Add a sphere in a random pose, with an image of the texels of `directions`."""
    turn, size = random_turn(rng), (diameter, diameter, diameter)
    model.ball(size, image, rows=19, segments=32, turn=turn, hull=False)
    model.hull(np.unique(np.round(sphere(0.5 * diameter, 11, 16).points, 6), axis=0), turn=turn)


@lru_cache(maxsize=4)
def directions(rows: int = 96) -> Floats:
    """Return the unit vectors [rows, 2 rows, 3] of the texels of a ball."""
    return tx.sphere_directions(rows, 2 * rows)


def seam(curve: Floats, width: float, rows: int = 96) -> Floats:
    """Return a mask [rows, 2 rows] that is 1 on the seam along unit vectors [N, 3], `width` radians wide."""
    nearest = (directions(rows).astype(np.float32) @ curve.T.astype(np.float32)).max(axis=-1)
    distance = np.arccos(np.clip(nearest, -1, 1))
    return 1 - tx.smoothstep(distance.astype(float), 0.4 * width, 0.6 * width)


def tennis_curve(bulge: float = 0.44, count: int = 160) -> Floats:
    """Return the one closed, twice bent seam of tennis balls and baseballs, as unit vectors."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    x = bulge * np.cos(t) + (1 - bulge) * np.cos(3 * t)
    y = bulge * np.sin(t) - (1 - bulge) * np.sin(3 * t)
    curve = np.c_[x, y, 2 * np.sqrt(bulge * (1 - bulge)) * np.sin(2 * t)]
    return np.asarray(curve / np.linalg.norm(curve, axis=1, keepdims=True))


def soccer_panels(rows: int = 96) -> tuple[Floats, Floats]:
    """Return the panel of each texel (0 to 11: pentagons, 12 to 31: hexagons) and its distance from the seams."""
    return _soccer_panels(rows)


@lru_cache(maxsize=2)
def _soccer_panels(rows: int) -> tuple[Floats, Floats]:
    g = (1 + 5**0.5) / 2
    pent = np.array([np.roll((0, s, t * g), n) for n in range(3) for s in (-1, 1) for t in (-1, 1)])
    pent /= np.linalg.norm(pent, axis=1, keepdims=True)
    near = pent @ pent.T > 0.3
    triples = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    hexa = np.array([pent[list(t)].sum(axis=0) for t in triples])
    hexa /= np.linalg.norm(hexa, axis=1, keepdims=True)
    # Distances of the faces of a truncated icosahedron from its center, for edges of 1.
    score = directions(rows) @ np.concatenate([pent / 2.327, hexa / 2.267]).T
    ranked = np.partition(score, -2, axis=-1)
    return score.argmax(axis=-1).astype(float), np.asarray(ranked[..., -1] - ranked[..., -2])
