"""Hex keys: L-shaped rods of six-sided steel, bright or black, some with a ball end or a colored sleeve."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BRIGHT, DARK_STEELS, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain

NEAR_BLACK = ((40, 40, 43), (54, 54, 58), (32, 32, 34))


def sample(rng: Rng) -> Instance:
    """Sample a hex key, lying flat, its long arm along y."""
    model = ModelBuilder()
    r = rng.uniform(1.4, 5)
    long, short = 26 + r * rng.uniform(18, 30), 10 + r * rng.uniform(4, 6.5)
    if rng.random() < 0.2:
        short = long * rng.uniform(0.28, 0.4)
    black = rng.random() < 0.45
    skin = finish(rng, "steel", "black", wear=0.7, rgb=NEAR_BLACK) if black else steel(rng, DARK_STEELS[:3], wear=0.7)
    bend, t = r * rng.uniform(2, 3), np.radians(np.linspace(0, 90, 7))
    corner = np.c_[bend - bend * np.cos(t), bend - bend * np.sin(t)]
    line = np.concatenate([[(0, long), (0, 0.6 * long)], corner, [(short * 0.6, 0), (short, 0)]])
    path = np.c_[line, np.zeros(len(line))]
    model.sweep(path, r, skin, segments=6, pieces=4)
    ball = rng.random() < 0.3
    if ball:
        model.ball((2.1 * r, 2.3 * r, 2.1 * r), skin, rows=9, segments=10, at=(0, long + 0.9 * r, 0))
    sleeve = rng.random() < 0.25
    colors = skin.colors
    if sleeve:
        word = choice(rng, BRIGHT[:5])
        y = np.array([0.28, 0.72]) * long
        model.sweep(np.c_[0 * y, y, 0 * y], 1.45 * r, plain(tint(rng, word)), segments=12, pieces=1)
        colors = (*colors, word)
    features = ["with a ball end" if ball else "", "with a colored sleeve" if sleeve else "", "with six sides"]
    return model.instance(skin, "l-shaped", features, colors=colors, density=6500)


KIND = Kind(
    name="hex key",
    synonyms=("allen key", "allen wrench", "hex wrench"),
    hypernyms=("hand tool", "tool"),
    function="turning bolts with a six-sided hole",
    description="a thin six-sided metal rod bent at a right angle into a long and a short arm, like the letter l",
    longest=(0.045, 0.19),
    sample=sample,
)
