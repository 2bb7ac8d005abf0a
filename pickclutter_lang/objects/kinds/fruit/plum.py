"""Plums: smooth ovals with a groove and a pale bloom; purple, nearly black, red or yellow."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.plants import leaf
from pickclutter_lang.objects.kinds.produce import stub, uneven
from pickclutter_lang.objects.kinds.skins import peel

SKINS = {
    "purple": ((98, 34, 96), (88, 30, 98), (112, 40, 102), (82, 44, 122)),
    "red": ((168, 32, 46), (182, 48, 50)),
    "yellow": ((222, 178, 60), (230, 196, 84)),
    "black": ((42, 22, 42), (36, 24, 48)),
}


def sample(rng: Rng) -> Instance:
    """Sample a plum."""
    model = ModelBuilder()
    word = choice(rng, ("purple", "purple", "purple", "purple", "red", "red", "black", "yellow"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    r, tall = rng.uniform(18, 30), rng.uniform(0.92, 1.35)
    outline = [
        (0, -0.98),
        (0.25, -0.95),
        (0.74, -0.68),
        (1, -0.04),
        (0.86, 0.54),
        (0.45, 0.88),
        (0.14, 0.93),
        (0, 0.84),
    ]
    bloom = color * 0.72 + np.array((160, 150, 200)) * 0.28
    bloomy = rng.random() < 0.55
    image = peel(
        rng,
        color,
        tone=0.07,
        patches=(bloom if bloomy else color * 0.8, rng.uniform(0.2, 0.5)),
        spots=(color * 0.5 + 90, rng.uniform(0, 0.02)),
        top=(color * 0.6 + (50, 40, 10), 0.1),
        spot_count=56,
    )
    model.lathe(smooth(outline, 22) * [r, r * tall], image, bend=uneven(rng, 0.05, crease=rng.uniform(0.03, 0.08)))
    foot = np.array([0, 0, r * tall * 0.84])
    stalk = rng.random() < 0.6
    if stalk:
        stub(model, rng, foot, rng.uniform(7, 18), 1.0, (116, 96, 50))
    leafy = stalk and rng.random() < 0.25
    if leafy:
        leaf(model, rng, np.add(foot, (0, 0, 6)), rng.uniform(26, 40))
    features = ["with a stem" if stalk else "without a stem", "with a leaf" if leafy else "without a leaf"]
    return model.instance(skin, "oval" if tall > 1.12 else "round", features)


KIND = Kind(
    name="plum",
    synonyms=("plum fruit", "fresh plum"),
    hypernyms=("stone fruit", "fruit", "food"),
    function="eating",
    description="a small smooth fruit, round or oval, with tight shiny skin, a pale bloom and a shallow groove",
    longest=(0.034, 0.1),
    sample=sample,
)
