"""Chess pawns: turned pieces with a round head, a collar and a wide foot; of wood, plastic, stone or metal."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth


def sample(rng: Rng) -> Instance:
    """Sample a chess pawn, standing."""
    model = ModelBuilder()
    h = rng.uniform(32, 75) if rng.random() < 0.85 else rng.uniform(75, 140)
    r, material = h * rng.uniform(0.24, 0.32), choice(rng, ("wood", "wood", "wood", "plastic", "plastic", "stone"))
    words = {"wood": ("brown", "brown", "black"), "stone": ("white", "black")}
    word = choice(rng, words.get(material, ("white", "white", "black", "black", "red", "grey")))
    skin = finish(rng, material, word, rgb=WOODS if word == "brown" else ())
    head, collar = r * rng.uniform(0.6, 0.74), r * rng.uniform(0.62, 0.78)
    waist, steps = r * rng.uniform(0.28, 0.4), rng.uniform(0.1, 0.16)
    # From the foot: a plinth, one or two rings, a curved stem, a collar, and the head.
    foot = [(r, 0), (r, steps * 0.55), (r * 0.88, steps * 0.7), (r * 0.92, steps), (r * 0.8, steps * 1.3)]
    stem = smooth([(r * 0.7, steps * 1.45), (r * 0.44, 0.32), (waist, 0.48), (waist * 1.1, 0.58)], 8)
    ring = [(collar, 0.6), (collar, 0.63), (waist * 1.25, 0.66)]
    angle = np.linspace(-1.1, np.pi / 2, 9)
    ball = np.c_[head * np.cos(angle), 1 - head / h + head / h * np.sin(angle)]
    rows = np.r_[foot, stem, ring, ball]
    rows = rows[np.r_[True, np.diff(np.maximum.accumulate(rows[:, 1])) >= 0]]
    rows[:, 1] = np.maximum.accumulate(rows[:, 1]) * h
    model.lathe(rows, skin, pieces=4)
    model.lathe([(0, 0.2), (r, 0)], skin.solid(), hull=False)
    felt = rng.random() < 0.5
    if felt:
        color = choice(rng, ((34, 90, 50), (130, 30, 40), (40, 60, 120)))
        model.lathe([(0, -0.8), (r * 0.94, -0.8), (r * 0.94, 0.1)], plain(color), hull=False)
    return model.instance(skin, "conical", ["with felt underneath" if felt else "", "with a round head"])


KIND = Kind(
    name="chess pawn",
    synonyms=("pawn", "chess piece", "chessman"),
    hypernyms=("game piece", "toy"),
    function="playing chess",
    description="a small turned figure with a round head on a thin collar, a curved narrow body and a wide round foot",
    longest=(0.03, 0.145),
    sample=sample,
)
