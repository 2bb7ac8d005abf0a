"""Strawberries: red cones with pale seeds in pits and green sepals, sometimes pale at the top."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import calyx, leaf_color, lying, scattered, stub, uneven
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

SEEDS = ((232, 196, 92), (214, 164, 74), (236, 210, 130), (150, 80, 44))
REDS = ((200, 26, 30), (176, 18, 28), (214, 46, 34), (156, 14, 26))


def sample(rng: Rng) -> Instance:
    """Sample a strawberry, lying on its side."""
    model = ModelBuilder()
    skin = finish(rng, "food", "red", rgb=REDS)
    r, slim, blunt = rng.uniform(13, 23), rng.uniform(1.0, 1.5), rng.uniform(0.25, 0.5)
    outline = [
        (0, -1),
        (blunt * 0.6, -0.95),
        (blunt + 0.3, -0.55),
        (0.97, 0.15),
        (1, 0.5),
        (0.7, 0.78),
        (0.25, 0.72),
        (0, 0.66),
    ]
    profile = smooth(outline, 20) * [r, r * slim]
    turn = lying(rng, 12)
    pale = rng.random() < 0.3
    top = ((236, 196, 150), rng.uniform(0.2, 0.38)) if pale else ((196, 70, 50), 0.16)
    base = peel(rng, skin.tints[0], patches=(skin.tints[0] * 0.82, 0.4), top=top, texels=(96, 144))
    rows = int(rng.integers(13, 19))
    cols = np.array([6, 13, 18, 22, 24, 23, 18, 8]) * rng.uniform(0.85, 1.1)
    seed = scattered(rng, (96, 144), rows, cols, rng.uniform(0.17, 0.26))
    color = tx.lerp_color(base, base * 0.72, np.clip(np.roll(seed, 1, axis=0) - seed, 0, 1))
    color = tx.lerp_color(color, choice(rng, SEEDS), rng.uniform(0.5, 0.9) * seed)
    model.lathe(profile, tx.to_uint8(color), bend=uneven(rng, 0.12, lean=0.06), turn=turn, pieces=1)
    leafy = rng.random() < 0.93
    if leafy:
        foot, green = np.array([0, 0, r * slim * 0.8]), leaf_color(rng)
        calyx(
            model,
            rng,
            foot,
            r * rng.uniform(0.75, 1.2),
            int(rng.integers(7, 12)),
            green,
            turn,
            rise=rng.uniform(0.12, 0.5),
        )
        if rng.random() < 0.6:
            stub(model, rng, foot, rng.uniform(5, 16), 1.1, green * 1.1, turn)
    return model.instance(skin, "conical", ["with green leaves" if leafy else "without leaves"])


KIND = Kind(
    name="strawberry",
    synonyms=("garden strawberry", "strawberry fruit"),
    hypernyms=("berry", "fruit", "food"),
    function="eating",
    description="a small heart-shaped red fruit covered in tiny pale seeds, with a cap of pointed green leaves",
    longest=(0.025, 0.09),
    sample=sample,
)
