"""Mangos: plump, flattened ovals with a bent tip; green, yellow or red, mostly blending."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import lying, stub
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {
    "yellow": ((232, 184, 58), (236, 168, 50)),
    "green": ((104, 148, 56), (122, 158, 60), (84, 132, 52)),
    "red": ((176, 52, 46), (160, 44, 50)),
}


def sample(rng: Rng) -> Instance:
    """Sample a mango, lying on a flat side."""
    model = ModelBuilder()
    word = choice(rng, ("yellow", "yellow", "green", "green", "red"))
    other = choice(rng, [w for w in SKINS if w != word])
    skin = finish(rng, "food", word, rgb=SKINS[word])
    blended = rng.random() < (0.85 if word != "yellow" else 0.4)
    second = np.array(choice(rng, SKINS[other])) if blended else skin.tints[0] * 0.88
    r, slim, flat = rng.uniform(33, 46), rng.uniform(1.15, 1.65), rng.uniform(0.74, 0.92)
    outline = [
        (0, -1),
        (0.25, -0.97),
        (0.62, -0.72),
        (0.94, -0.2),
        (1, 0.25),
        (0.84, 0.66),
        (0.5, 0.9),
        (0.16, 0.96),
        (0, 0.9),
    ]
    beak = rng.uniform(0.1, 0.3)

    def bend(points: Floats) -> Floats:
        z = points[:, 2] / (r * slim)
        side = points[:, 0] * (1 + 0.12 * z * (points[:, 0] > 0)) + r * beak * (0.5 - z**2)
        return np.stack([side, points[:, 1] * flat, points[:, 2]], -1)

    field = tx.grid_noise(rng, (72, 128), 2, 2) + 1.5 * np.cos(2 * np.pi * (tx.uv_grid(72, 128)[0] - rng.uniform()))
    share = rng.uniform(0.2, 0.45)
    level = float(np.quantile(field, 1 - share))
    specks = ((214, 190, 120), rng.uniform(0.005, 0.05)) if rng.random() < 0.6 else ((70, 54, 30), 0.02)
    base = peel(rng, skin.tints[0], spots=specks, top=((110, 96, 50), 0.07), spot_count=60)
    color = tx.lerp_color(base, second, 0.9 * tx.smoothstep(field, level - 1.2, level + 1.2))
    turn = lying(rng, 5)
    model.lathe(smooth(outline, 24) * [r, r * slim], tx.to_uint8(color), bend=bend, turn=turn, pieces=1)
    foot = bend(np.array([[0, 0, 0.9 * r * slim]]))[0]
    stub(model, rng, foot, rng.uniform(4, 9), 2.2, (96, 76, 44), turn)
    return model.instance(skin, "oval", ["with a short stem"], colors=(word, other) if blended else (word,))


KIND = Kind(
    name="mango",
    synonyms=("mango fruit", "whole mango"),
    hypernyms=("tropical fruit", "fruit", "food"),
    function="eating",
    description="a large plump oval fruit, slightly flattened and bent, with smooth skin blending from green to "
    "yellow and red",
    longest=(0.075, 0.175),
    sample=sample,
)
