"""Garlic: white or purple-streaked bulbs of bulging cloves, with a neck and short roots."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

WHITES = ((236, 230, 216), (228, 218, 198), (240, 234, 226))


def sample(rng: Rng) -> Instance:
    """Sample a bulb of garlic."""
    model = ModelBuilder()
    skin = finish(rng, "food", "white", rgb=WHITES)
    color = skin.tints[0]
    r, tall, neck = rng.uniform(19, 34), rng.uniform(0.72, 0.98), rng.uniform(0.12, 0.2)
    top = rng.uniform(1.15, 1.85)
    outline = [
        (0, -0.72),
        (0.3, -0.76),
        (0.72, -0.66),
        (1, -0.18),
        (0.94, 0.22),
        (0.6, 0.66),
        (0.28, 0.9),
        (neck, 1.1),
        (neck * 0.9, top),
        (0, top),
    ]
    cloves, phase, depth = int(rng.integers(7, 12)), rng.uniform(0, 6.3), rng.uniform(0.08, 0.2)
    lean, odd = rng.normal(0, 0.09, 2), rng.uniform(0, 0.8)

    def valley(angle: Floats) -> Floats:
        uneven = angle + 0.25 * odd * np.sin(angle + phase)
        return np.asarray(1 - np.abs(np.cos(cloves * uneven / 2)) ** 0.8)

    def bend(points: Floats) -> Floats:
        angle, z = np.arctan2(points[:, 1], points[:, 0]), points[:, 2] / (r * tall)
        factor = 1 - depth * valley(angle) * np.clip(1.15 - np.abs(z), 0, 1)
        shifted = points[:, :2] * factor[:, None] + np.maximum(points[:, 2:], 0) * lean
        return np.concatenate([shifted, points[:, 2:]], axis=1)

    purple = rng.random() < 0.35
    streaks = ((168, 112, 150), rng.uniform(0.2, 0.4)) if purple else (color * 0.86, rng.uniform(0.1, 0.25))
    base = peel(
        rng,
        color,
        tone=0.03,
        streaks=streaks,
        top=((206, 186, 142), rng.uniform(0.1, 0.3)),
        bottom=((176, 150, 106), 0.12),
        texels=(80, 128),
    )
    u, v = tx.uv_grid(80, 128)
    shade = tx.smoothstep(valley(2 * np.pi * u), 0.4, 1.0) * tx.smoothstep(-np.abs(v - 0.35), -0.4, -0.1)
    model.lathe(
        smooth(outline, 26) * [r, r * tall], tx.to_uint8(tx.lerp_color(base, color * 0.68, 0.6 * shade)), 40, bend=bend
    )
    features = [
        "with purple streaks" if purple else "with white skin",
        "with a long neck" if top > 1.7 else "with a short neck",
    ]
    return model.instance(skin, "round", features, colors=("white", "purple") if purple else ("white",))


KIND = Kind(
    name="garlic",
    synonyms=("garlic bulb", "bulb of garlic", "head of garlic"),
    hypernyms=("vegetable", "food"),
    function="seasoning food",
    description="a small pale bulb of bulging cloves under thin papery skin, narrowing to a dry neck at the top",
    longest=(0.036, 0.11),
    sample=sample,
)
