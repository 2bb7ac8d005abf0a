"""Chili peppers: slim, pointed and bent; red, green, yellow or orange, with a green stem."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.produce import LYING, leaf_color
from pickclutter_lang.objects.kinds.skins import peel

SKINS = {
    "red": ((192, 22, 22), (170, 16, 22), (206, 40, 26)),
    "green": ((56, 116, 40), (76, 134, 48), (44, 96, 40)),
    "yellow": ((236, 192, 48),),
    "orange": ((230, 112, 30),),
}


def sample(rng: Rng) -> Instance:
    """Sample a chili pepper, lying."""
    model = ModelBuilder()
    word = choice(rng, (*("red",) * 5, "green", "green", "yellow", "orange"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    length = rng.uniform(50, 160)
    r = min(length * rng.uniform(0.06, 0.13), 16)
    bend, hook, t = rng.uniform(-0.25, 0.25), rng.uniform(-0.16, 0.16), np.linspace(0, 1, 18)
    path = np.c_[length * (bend * t**2 + hook * t**4), -length * t, np.zeros(18)]
    blunt = rng.uniform(0, 0.3)
    taper = smooth(
        [(0.62,), (1.0,), (1.0,), (0.94,), (0.85 + 0.1 * blunt,), (0.68 + blunt * 0.7,), (0.45 + blunt,), (0.1,)], 18
    )
    widths = r * taper[:, 0] * (1 + 0.05 * np.sin(rng.uniform(3, 9) * t * 3 + rng.uniform(0, 6)))
    turning = rng.random() < 0.15 and word in ("red", "green")
    other = SKINS["green" if word == "red" else "red"][0]
    image = peel(
        rng,
        color,
        tone=0.05,
        patches=(other if turning else color * 0.8, 0.25),
        streaks=(color * 1.25, 0.08),
        bottom=(color * 0.7, 0.04),
        texels=(128, 48),
    )
    model.sweep(path[::-1], widths[::-1], image, widths[::-1] * rng.uniform(0.8, 1), segments=14, pieces=4)
    green, long = leaf_color(rng, 0.95), rng.uniform(0.22, 0.4) * min(length, 90)
    model.lathe(
        [(0.75 * r, -0.5 * r), (0.78 * r, 0), (0.4 * r, 0.5 * r), (0, 0.6 * r)],
        plain(green),
        12,
        turn=LYING,
        pieces=1,
    )
    stalk = smooth([(0, -1, 0), (0, 0.5 * long, 0), (rng.normal(0, 0.25) * long, long, rng.uniform(0, 0.2) * long)], 7)
    model.sweep(stalk, 0.17 * r + 1, plain(green * 0.95), segments=8, pieces=2)
    features = [
        "with a green stem",
        "bent" if abs(bend + hook) > 0.2 else "nearly straight" if abs(bend + hook) < 0.06 else "",
    ]
    others = ("green" if word == "red" else "red",) if turning else ()
    return model.instance(skin, "pointed", features, colors=(word, *others))


KIND = Kind(
    name="chili pepper",
    synonyms=("chili", "chilli", "hot pepper"),
    hypernyms=("vegetable", "food"),
    function="seasoning food",
    description="a slim, shiny, pointed pod that tapers to a thin tip, with a thin green stem at the wide end",
    longest=(0.055, 0.215),
    sample=sample,
)
