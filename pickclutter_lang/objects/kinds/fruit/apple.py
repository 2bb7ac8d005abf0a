"""Apples: red, green or yellow, streaked and blushed, with a stem and sometimes a leaf."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.plants import leaf, stem
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural.surfaces import Floats


def sample(rng: Rng) -> Instance:
    """Sample an apple."""
    model = ModelBuilder()
    word = choice(rng, ("red", "red", "red", "green", "green", "yellow"))
    blushed = word != "red" and rng.random() < 0.4
    ground = (
        tint(rng, word)
        if word != "green"
        else np.array([150, 190, 60]) * rng.uniform(0.8, 1.1) * [rng.uniform(0.7, 1.05), 1, 1]
    )
    blush = (
        tint(rng, "red") if blushed else ground * rng.uniform(0.75, 0.92) if word != "red" else tint(rng, "red") * 0.75
    )
    r, h = rng.uniform(32, 42), rng.uniform(0.84, 1.06)
    wide, dent = rng.uniform(-0.12, 0.2), rng.uniform(0.08, 0.2)
    outline = [
        (0, -0.8 + dent),
        (0.2, -0.9),
        (0.42, -0.95),
        (0.78, -0.7),
        (0.97, -0.2 + wide),
        (0.97, 0.25 + wide),
        (0.74, 0.8),
        (0.42, 0.92),
        (0.2, 0.85),
        (0, 0.85 - 1.4 * dent),
    ]
    lobes, lean = rng.uniform(0, 0.05), rng.uniform(-0.1, 0.1, 2)

    def bend(points: Floats) -> Floats:
        angle, z = np.arctan2(points[:, 1], points[:, 0]), points[:, 2:]
        return np.asarray(points * (1 + lobes * np.cos(5 * angle)[:, None] * np.clip(-z / r, 0, 1)) + z * [*lean, 0])

    skin_image = peel(
        rng,
        ground,
        patches=(blush, rng.uniform(0.25, 0.5) if blushed else 0.4),
        streaks=(blush, rng.uniform(0, 0.25)),
        spots=((236, 216, 160), rng.uniform(0, 0.012)),
        top=((124, 104, 44), 0.12),
        bottom=((96, 76, 40), 0.06),
        spot_count=56,
    )
    model.lathe(smooth(outline, 24) * [r, r * h], skin_image, bend=bend)
    top = np.array([*(lean * 0.7 * r), r * h * (0.85 - 1.4 * dent)])
    stalk = rng.random() < 0.85
    if stalk:
        stem(model, rng, top, rng.uniform(12, 22))
    leafy = stalk and rng.random() < 0.3
    if leafy:
        leaf(model, rng, top + np.array([0, 0, 12]), rng.uniform(24, 36))
    skin = finish(rng, "food", word)
    features = ["with a stem" if stalk else "without a stem", "with a leaf" if leafy else "without a leaf"]
    return model.instance(skin, "round", features, colors=(word, "red") if blushed else (word,))


KIND = Kind(
    name="apple",
    synonyms=("eating apple",),
    hypernyms=("fruit", "food"),
    function="eating",
    description="a round, slightly heart-shaped fruit with smooth, shiny skin, shallow dimples at top and "
    "bottom, and a short brown stem",
    longest=(0.055, 0.11),
    sample=sample,
)
