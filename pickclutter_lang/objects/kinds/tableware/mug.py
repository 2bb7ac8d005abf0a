"""Mugs: round or waisted, with or without a handle, glazed inside in another color."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth

PATTERNS = ("plain", "plain", "plain", "striped", "dotted", "floral", "speckled", "two-coloured", "checkered")


def sample(rng: Rng) -> Instance:
    """Sample a mug."""
    model = ModelBuilder()
    material = choice(rng, ("ceramic", "ceramic", "ceramic", "metal"))
    skin = finish(
        rng,
        material,
        (
            *("white",) * 3,
            "red",
            "blue",
            "green",
            "yellow",
            "black",
            "grey",
            "pink",
            "orange",
            "turquoise",
            "brown",
            "purple",
        ),
        PATTERNS,
    )
    inside = skin.painted((238, 236, 228)) if rng.random() < 0.6 else skin.solid()
    radius, height = rng.uniform(36, 46), rng.uniform(78, 112)
    foot, belly, rim = radius * rng.uniform(0.72, 0.98), radius * rng.uniform(0.94, 1.12), radius
    wall = rng.uniform(3, 4.5)
    outer = smooth([(foot, 0), (belly, height * rng.uniform(0.25, 0.5)), (rim, height)], 9)
    model.vessel(outer, wall, skin, inside)
    handle = rng.random() < 0.9
    if handle:
        top, low = height * rng.uniform(0.78, 0.9), height * rng.uniform(0.15, 0.3)
        reach = rng.uniform(24, 34)
        at_top, at_low = (float(np.interp(z, outer[:, 1], outer[:, 0])) - 2 for z in (top, low))
        loop = [
            (at_top, top),
            (radius + 0.7 * reach, top - 1),
            (radius + reach, (top + low) / 2 + 6),
            (radius + 0.6 * reach, low + 4),
            (at_low, low),
        ]
        path = smooth([(0, y, z) for y, z in loop], 15)
        thick = rng.uniform(4, 6)
        model.sweep(path, thick * rng.uniform(0.9, 1.5), skin.solid(), thick, power=2.6, up=(1, 0, 0), pieces=3)
    return model.instance(skin, "cup-shaped", ["with a handle" if handle else "without a handle"])


KIND = Kind(
    name="mug",
    synonyms=("coffee mug", "tea mug", "coffee cup"),
    hypernyms=("cup", "tableware"),
    function="drinking coffee or tea",
    description="a sturdy cylindrical cup with thick straight walls, a flat base, an open top and a curved "
    "handle on one side",
    longest=(0.07, 0.14),
    sample=sample,
)
