"""Cucumbers: long, slightly bent, dark green with paler streaks or bumps; some short for pickling."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import scattered
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

GREENS = ((44, 88, 38), (60, 104, 44), (46, 86, 42), (84, 126, 56))


def sample(rng: Rng) -> Instance:
    """Sample a cucumber, lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "green", rgb=GREENS)
    color = skin.tints[0]
    short = rng.random() < 0.3
    length = rng.uniform(85, 140) if short else rng.uniform(170, 290)
    r = length * rng.uniform(0.13, 0.19) if short else rng.uniform(18, 25)
    bend, t = rng.uniform(0, 0.35), np.linspace(-1, 1, 15)
    path = np.c_[(bend * t**2) * length * 0.3, t * length / 2, np.zeros(15)]
    taper = smooth([(0.3,), (0.78,), (0.95,), (1,), (1.02,), (1.0,), (0.97,), (0.86,), (0.66,), (0.3,)], 15)[:, 0]
    streak = (color * 1.25 + 28, rng.uniform(0.08, 0.3))
    base = peel(
        rng,
        color,
        tone=0.08,
        streaks=streak,
        top=(color * 0.75, 0.06),
        bottom=((170, 176, 90), rng.uniform(0.04, 0.3)),
        texels=(144, 72),
    ).astype(float)
    bumpy = rng.random() < 0.5
    if bumpy:
        warts = scattered(rng, base.shape, int(length / 9), (8, 9, 9, 8), 0.24)
        base = tx.lerp_color(base, (176, 190, 120), 0.6 * warts)
    tips = tx.smoothstep(np.abs(tx.uv_grid(144, 72)[1] - 0.5), 0.485, 0.495)
    base = tx.lerp_color(base, (134, 120, 60), tips)
    model.sweep(path, r * taper, tx.to_uint8(base), power=2.15, segments=18, pieces=3)
    return model.instance(
        skin, "cylindrical", ["with small bumps" if bumpy else "with smooth skin", "short" if short else "long"]
    )


KIND = Kind(
    name="cucumber",
    synonyms=("green cucumber", "salad cucumber"),
    hypernyms=("vegetable", "food"),
    function="making salad",
    description="a long cylindrical dark green vegetable with rounded ends and pale streaks or bumps on its skin",
    longest=(0.08, 0.31),
    sample=sample,
)
