"""Pears: round below with a neck and a stem; green, yellow, brown or red."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.plants import leaf, stem
from pickclutter_lang.objects.kinds.produce import uneven
from pickclutter_lang.objects.kinds.skins import peel

SKINS = {
    "green": ((158, 176, 66), (134, 170, 62), (174, 184, 80)),
    "yellow": ((214, 190, 72), (226, 200, 84), (204, 180, 60)),
    "brown": ((150, 112, 58), (132, 98, 52)),
    "red": ((178, 42, 42), (186, 56, 46)),
}


def sample(rng: Rng) -> Instance:
    """Sample a pear, standing."""
    model = ModelBuilder()
    word = choice(rng, ("green", "green", "green", "yellow", "yellow", "brown", "red"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    r, tall = rng.uniform(28, 40), rng.uniform(0.9, 1.25)
    neck, waist = rng.uniform(0.26, 0.46), rng.uniform(0.5, 0.74)
    outline = [
        (0, -0.86),
        (0.2, -0.95),
        (0.5, -0.94),
        (0.88, -0.62),
        (1, -0.15),
        (0.86, 0.3),
        (waist, 0.68),
        (0.5 * waist + 0.5 * neck, 1.0),
        (neck, 1.25),
        (neck * 0.55, 1.42),
        (0.08, 1.42),
        (0, 1.38),
    ]
    blushed = word in ("green", "yellow") and rng.random() < 0.3
    other = (188, 70, 44) if blushed else skin.tints[0] * rng.uniform(0.8, 0.95)
    image = peel(
        rng,
        skin.tints[0],
        patches=(other, rng.uniform(0.15, 0.35)),
        spots=((122, 94, 46), rng.uniform(0.005, 0.05)),
        top=((132, 106, 54), rng.uniform(0.03, 0.16)),
        bottom=((112, 88, 48), 0.06),
        texels=(88, 128),
        spot_count=60,
    )
    bend = uneven(rng, 0.05, lean=0.06)
    model.lathe(smooth(outline, 28) * [r, r * tall], image, bend=bend)
    top = bend(np.array([[0, 0, 1.38 * r * tall]]))[0]
    stalk = rng.random() < 0.88
    if stalk:
        stem(model, rng, top, rng.uniform(12, 26), rng.uniform(1.5, 2.1))
    leafy = stalk and rng.random() < 0.2
    if leafy:
        leaf(model, rng, np.add(top, (0, 0, 10)), rng.uniform(26, 44))
    features = ["with a stem" if stalk else "without a stem", "with a leaf" if leafy else "without a leaf"]
    return model.instance(skin, "pear-shaped", features, colors=(word, "red") if blushed else (word,))


KIND = Kind(
    name="pear",
    synonyms=("pear fruit", "dessert pear"),
    hypernyms=("fruit", "food"),
    function="eating",
    description="a smooth fruit that is wide and round at the bottom and narrows to a neck with a thin brown stem",
    longest=(0.06, 0.16),
    sample=sample,
)
