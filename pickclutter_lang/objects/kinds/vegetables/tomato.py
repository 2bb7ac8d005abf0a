"""Tomatoes: red, some yellow, orange or greenish; round, ribbed, long or tiny, with or without a green calyx."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import UPRIGHT, calyx, leaf_color, lying, stub, uneven
from pickclutter_lang.objects.kinds.skins import peel

SKINS = {
    "red": ((200, 34, 24), (214, 52, 30), (180, 28, 26), (206, 66, 40)),
    "yellow": ((234, 188, 48),),
    "orange": ((230, 122, 34),),
    "green": ((134, 160, 66),),
}
SORTS = {  # radius in mm, height over width, depth of the ribs
    "round": ((26, 38), (0.8, 0.94), 0.02),
    "ribbed": ((36, 52), (0.62, 0.76), 0.12),
    "cherry": ((11, 17), (0.92, 1.05), 0.0),
    "oval": ((20, 27), (1.3, 1.7), 0.0),
}


def sample(rng: Rng) -> Instance:
    """Sample a tomato."""
    model = ModelBuilder()
    word = choice(rng, (*("red",) * 10, "yellow", "orange", "green"))
    sort = choice(rng, ("round", "round", "round", "ribbed", "cherry", "oval"))
    radii, heights, depth = SORTS[sort]
    skin = finish(rng, "food", word, rgb=SKINS[word])
    r, tall = rng.uniform(*radii), rng.uniform(*heights)
    dent = 0.25 if sort != "oval" else 0.1
    outline = [
        (0, -0.96),
        (0.3, -0.96),
        (0.78, -0.68),
        (1, -0.02),
        (0.88, 0.58),
        (0.5, 0.92),
        (0.2, 0.92),
        (0, 0.95 - dent),
    ]
    unripe = rng.random() < 0.25 and word == "red"
    top = ((208, 130, 50) if unripe else skin.tints[0] * 0.85, rng.uniform(0.12, 0.4))
    image = peel(
        rng,
        skin.tints[0],
        tone=0.04,
        top=top,
        spots=((228, 170, 90), rng.uniform(0, 0.004)),
        bottom=(skin.tints[0] * 0.8, 0.05),
    )
    turn = lying(rng) if sort == "oval" else UPRIGHT
    lobes = int(rng.integers(5, 9))
    model.lathe(
        smooth(outline, 22) * [r, r * tall],
        image,
        32,
        bend=uneven(rng, 0.05, lobes, depth * rng.uniform(0.4, 1.2)),
        turn=turn,
        pieces=1,
    )
    green = rng.random() < 0.8 or word != "red"
    if green:
        color, foot = leaf_color(rng), np.array([0, 0, r * tall * (0.97 - dent)])
        calyx(model, rng, foot, r * rng.uniform(0.45, 0.8), int(rng.integers(5, 7)), color, turn, rise=0.45, width=0.14)
        stub(model, rng, foot, rng.uniform(0.15, 0.4) * r, 0.06 * r + 0.6, color, turn)
    features = ["with a green stem" if green else "without a stem", sort if sort in ("cherry", "ribbed") else ""]
    return model.instance(skin, "oval" if sort == "oval" else "round", features)


KIND = Kind(
    name="tomato",
    synonyms=("ripe tomato", "fresh tomato"),
    hypernyms=("vegetable", "food"),
    function="making salad and sauce",
    description="a round, smooth and shiny red fruit, often with a star of thin green leaves and a stub of stem on top",
    longest=(0.021, 0.12),
    sample=sample,
)
