"""Carrots: long tapered roots with fine rings, with green leaves, a green stub or a bare top."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.produce import leaf_color
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

SKINS = {
    "orange": ((232, 118, 34), (222, 106, 30), (238, 134, 48)),
    "purple": ((96, 40, 76),),
    "yellow": ((228, 184, 76),),
}


def sample(rng: Rng) -> Instance:
    """Sample a carrot, lying, its tip towards -y."""
    model = ModelBuilder()
    word = choice(rng, (*("orange",) * 8, "purple", "yellow"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    tops = choice(rng, ("leaves", "leaves", "stub", "bare"))
    length, slim, blunt = rng.uniform(110, 185), rng.uniform(0.07, 0.13), rng.uniform(0.1, 0.75)
    r = length * slim
    t = np.linspace(0, 1, 15)
    path = np.c_[
        rng.normal(0, 0.02) * length * np.sin(np.pi * t) + rng.normal(0, 0.4, 15), length * (t - 1), np.zeros(15)
    ]
    taper = smooth(
        [(0.05,), (0.12 + 0.3 * blunt,), (0.35 + 0.4 * blunt,), (0.6 + 0.3 * blunt,), (0.86,), (1,), (0.98,), (0.42,)],
        15,
    )
    widths = r * taper[:, 0] * (1 + rng.normal(0, 0.012, 15))
    base = peel(rng, color, top=((120, 124, 52) if word == "orange" else color * 0.7, 0.035), texels=(128, 48)).astype(
        float
    )
    marks = tx.grid_noise(rng, base.shape, 52, 5)
    base *= (1 - 0.2 * tx.smoothstep(marks, 1.1, 2.0) + 0.1 * tx.smoothstep(-marks, 1.0, 2.0))[..., None]
    model.sweep(path, widths, tx.to_uint8(base), segments=16, pieces=3)
    if tops != "bare":
        leafy = tops == "leaves"
        for _ in range(int(rng.integers(6, 9))):
            reach, aside, green = (
                (rng.uniform(0.3, 0.65) * length if leafy else rng.uniform(9, 20)),
                rng.normal(0, 0.22, 2),
                leaf_color(rng),
            )
            if length + reach > 290:
                reach = 290 - length
            ends = [
                (0, -3, 0),
                (aside[0] * 0.3 * reach, 0.5 * reach, aside[1] * 0.2 * reach),
                (aside[0] * reach, reach, aside[1] * 0.6 * reach),
            ]
            stalk = smooth(ends, 9)
            wide = np.array([1.5, 1.3, 1.2, 3.5, 5, 7, 8, 6, 1]) * rng.uniform(0.8, 1.3) if leafy else 1.5
            frond = tx.to_uint8(green * (1 + 0.22 * tx.grid_noise(rng, (40, 24), 20, 8)[..., None]))
            model.sweep(stalk, wide, frond if leafy else plain(green), np.full(9, 1.2), segments=6, pieces=1)
    features = [{"leaves": "with green leaves", "stub": "with a cut green top", "bare": "without leaves"}[tops]]
    return model.instance(skin, "tapered", features, colors=(word, "green") if tops == "leaves" else (word,))


KIND = Kind(
    name="carrot",
    synonyms=("carrot root", "raw carrot"),
    hypernyms=("root vegetable", "vegetable", "food"),
    function="cooking",
    description="a long firm root that tapers to a thin tip, with fine rings around it, often with a tuft of leaves",
    longest=(0.1, 0.3),
    sample=sample,
)
