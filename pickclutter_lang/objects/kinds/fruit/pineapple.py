"""Pineapples: barrels of diamond-shaped eyes, golden, brown or green, under a crown of stiff leaves."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import leaf_color
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

SKINS = {
    "yellow": ((236, 190, 58), (228, 176, 54)),
    "brown": ((160, 108, 48), (142, 96, 48)),
    "green": ((112, 124, 52), (94, 110, 50)),
}


def sample(rng: Rng) -> Instance:
    """Sample a pineapple, standing."""
    model = ModelBuilder()
    word = choice(rng, ("yellow", "yellow", "brown", "brown", "green"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    tall = rng.uniform(105, 165)
    r = tall * rng.uniform(0.3, 0.4)
    outline = smooth([(0, 0), (0.6, 0.0), (0.88, 0.1), (1, 0.4), (0.97, 0.68), (0.76, 0.93), (0.4, 1), (0, 1)], 32)
    rows, cols = int(rng.integers(8, 11)), int(rng.integers(9, 13))

    def eye(u: Floats, v: Floats) -> Floats:
        """Return how near a place is to the middle of its eye, 0 to 1."""
        a, b = u * cols + 0.5 * v * rows, u * cols - 0.5 * v * rows
        return np.asarray(1 - np.maximum(np.abs(a % 1 - 0.5), np.abs(b % 1 - 0.5)) * 2)

    def bend(points: Floats) -> Floats:
        u, v = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi), points[:, 2] / tall
        bulge = 1 + 0.07 * (eye(u, v * 1.15) - 0.5) * (v > 0.03) * (v < 0.97)
        return np.asarray(points * np.stack([bulge, bulge, np.ones(len(points))], -1))

    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(outline * [r, tall], axis=0), axis=1))]
    u, v = tx.uv_grid(128, 160)
    near = eye(u, np.interp(v * along[-1], along, outline[:, 1]) * 1.15)
    image = tx.lerp_color(color * 0.42, color, tx.smoothstep(near, 0.03, 0.3))
    image = tx.lerp_color(image, leaf_color(rng, 0.8), rng.uniform(0, 0.3) * tx.smoothstep(near, 0.35, 0.6))
    image = tx.lerp_color(image, (96, 66, 36), 0.8 * tx.smoothstep(near, 0.72, 0.85))
    image = tx.lerp_color(image, (110, 122, 54), rng.uniform(0, 0.45) * tx.smoothstep(v, 0.55, 1.0))
    ground = tx.to_uint8(tx.pixel_noise(image, rng, 5))
    model.lathe(outline * [r, tall], ground, 36, bend=bend, pieces=1)
    leaves(model, rng, tall, rng.uniform(0.5, 0.8) * tall)
    return model.instance(
        skin, "oval", ["with a crown of leaves"], colors=(word, "green") if word != "green" else ("green",)
    )


def leaves(model: ModelBuilder, rng: Rng, foot: float, length: float) -> None:
    """Add the crown: narrow leaves, the outer ones short and bent outward."""
    image = tx.to_uint8(
        leaf_color(rng, 0.85)
        * (0.7 + 0.5 * tx.uv_grid(24, 12)[1] + 0.2 * np.cos(12 * tx.uv_grid(24, 12)[0]))[..., None]
    )
    t, points, count = np.linspace(0, 1, 6), [], int(rng.integers(22, 30))
    length = min(length, 285 - foot)
    for n in range(count):
        inner = n / count
        reach = length * (0.55 + 0.45 * inner) * rng.uniform(0.88, 1.0)
        lift, half = np.radians(22 + 60 * inner + rng.normal(0, 5)), rng.uniform(5, 8) * (1 - t**1.6) + 0.4
        along = reach * t * (1 - 0.08 * t)
        curl = reach * 0.3 * (1 - inner) * t**2
        turn = rotation("z", 137.5 * n + rng.normal(0, 8)) @ rotation("y", -np.degrees(lift))
        at = np.array([0, 0, foot - 3 + 6 * inner])
        model.plate(
            np.c_[along, half], np.c_[along, -half], -0.5 - curl, 0.5 - curl, image, at=at, turn=turn, hull=False
        )
        points.append(np.stack([along, half * 0, -curl], -1) @ turn.T + at)
    model.hull(np.concatenate(points))


KIND = Kind(
    name="pineapple",
    synonyms=("ananas", "whole pineapple"),
    hypernyms=("tropical fruit", "fruit", "food"),
    function="eating",
    description="a large barrel-like fruit with rough skin of diamond-shaped scales and a crown of pointed leaves",
    longest=(0.145, 0.31),
    sample=sample,
)
