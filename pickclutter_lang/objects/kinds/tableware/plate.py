"""Plates: flat round dishes, some square, of ceramic, plastic, paper or glass, with a rim of another color."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import PLATE_PATTERNS, banded, china, dish, seen_from_above
from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.outlines import squarish

BRIGHT = likely(white=2, red=2, blue=2, green=1, yellow=1, orange=1, pink=1, turquoise=1, purple=1)
RINGS = ("blue", "blue", "red", "green", "black", "yellow", "grey", "brown")


def sample(rng: Rng) -> Instance:
    """Sample a plate, lying with its upper side up."""
    model = ModelBuilder()
    material = choice(rng, likely(ceramic=6, plastic=2, paper=1, metal=1, wood=1))
    if material == "ceramic":
        skin = china(rng, PLATE_PATTERNS)
    elif material == "wood":
        skin = finish(rng, "wood", "brown", rgb=WOODS)
    else:
        skin = finish(rng, material, BRIGHT, PLATE_PATTERNS if material != "metal" else "plain")
    r, thick = rng.uniform(70, 118), rng.uniform(2.2, 4.0)
    h, foot = r * rng.uniform(0.11, 0.2), r * rng.uniform(0.5, 0.66)
    well = foot * rng.uniform(1.05, 1.2)
    outer = smooth([(foot, 0), (well, 0.3 * h), (0.55 * well + 0.45 * r, 0.66 * h), (r, h)], 9)
    slope = outer[::-1][1:-2] + np.array([-1, thick])
    inner = np.array([(r - 1, h + 0.6), *slope, (well * 0.9, thick * 1.3), (0, thick * 1.1)])
    ring = skin.pattern == "plain" and rng.random() < 0.5
    inside, colors = seen_from_above(skin, r, rng.random() < 0.6), skin.colors
    if ring:
        word = choice(rng, [c for c in RINGS if c != colors[0]])
        inside, colors = banded(rng, inside, word), (*colors, word)
    square = rng.random() < 0.14
    dish(model, outer, inner, skin.solid(), inside, bend=squarish(rng.uniform(5, 8)) if square else None)
    features = ["square" if square else "round", "with a colored rim" if ring else "", "empty"]
    return model.instance(skin, "flat", features, colors=colors)


KIND = Kind(
    name="plate",
    synonyms=("dining plate", "dinner plate"),
    hypernyms=("tableware",),
    function="eating from it",
    description="a flat, wide round dish with a shallow well in the middle and a slightly raised rim, smooth and often "
    "white",
    longest=(0.135, 0.25),
    sample=sample,
)
