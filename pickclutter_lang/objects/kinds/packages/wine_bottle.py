"""Wine bottles: glass with shoulders, a long neck, a paper label, and a capsule or a cork."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand, shape_art
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural.surfaces import grid_surface

PRODUCTS = ("merlot", "chardonnay", "riesling", "rioja", "pinot noir", "shiraz", "rose", "malbec")
GRAPE = ((0, -1), (0.6, -0.5), (0.5, 0.2), (0, 1), (-0.5, 0.2), (-0.6, -0.5))


def sample(rng: Rng) -> Instance:
    """Sample a wine bottle, standing; bottles of a quarter of a liter, so that a gripper can pick them."""
    model = ModelBuilder()
    h, r = rng.uniform(185, 250), rng.uniform(26, 32)
    neck, shoulder = r * rng.uniform(0.36, 0.42), h * rng.uniform(0.56, 0.66)
    slope = rng.uniform(0.06, 0.24) * h
    word = choice(rng, ("green", "green", "green", "brown", "white"))
    dark = {"green": (36, 86, 44), "brown": (92, 54, 26), "white": (196, 206, 196)}[word]
    glass = finish(rng, "glass", word).painted(np.array(dark) * rng.uniform(0.8, 1.2))
    curve = smooth(
        [
            (r, shoulder),
            (r * 0.86, shoulder + 0.45 * slope),
            (neck * 1.1, shoulder + slope),
            (neck, shoulder + slope + 8),
        ],
        9,
    )
    model.lathe(
        [(0, 4), (r * 0.5, 3), (r * 0.9, 0), (r, 3), *curve, (neck, h - 4), (neck * 0.9, h - 3), (0, h - 3)], glass
    )
    top = choice(rng, ("capsule", "capsule", "cork", "none"))
    color = tint(rng, choice(rng, ("red", "black", "yellow", "purple", "green", "grey", "blue")))
    if top == "capsule":
        z = h * rng.uniform(0.8, 0.86)
        model.lathe(
            [(neck + 0.2, z), (neck + 0.8, z), (neck + 0.8, h - 6), (neck + 1.8, h - 5), (neck + 1.8, h), (0, h)],
            plain(color),
        )
    else:
        model.lathe([(neck, h - 8), (neck + 1.6, h - 7), (neck + 1.6, h - 3), (neck * 0.8, h - 2.5)], glass)
    if top == "cork":
        model.lathe(
            [(neck * 0.75, h - 6), (neck * 0.8, h + 7), (0, h + 7)],
            finish(rng, "wood", "brown").painted((196, 156, 108)),
        )
    brand = sample_brand(rng, PRODUCTS, ("white", "white", "white", "black", "yellow", "red"), "ml")
    low, high, wide = h * rng.uniform(0.08, 0.14), shoulder - h * rng.uniform(0.02, 0.1), rng.uniform(0.8, 1.25)
    image = front(rng, brand, 2 * wide * r, high - low, shape_art("purple", GRAPE))
    angle = np.linspace(-wide, wide, 15)
    arc = np.stack([np.cos(angle), np.sin(angle)], -1) * (r + 0.5)
    model.surface(grid_surface(np.stack([np.c_[arc, np.full(15, z)] for z in (low, high)])), image)
    features = ["with a label", {"cork": "with a cork", "none": "open", "capsule": ""}[top]]
    return model.instance(glass, "bottle", [*features, "" if top == "none" else "closed"], colors=(word,))


KIND = Kind(
    name="wine bottle",
    synonyms=("bottle of wine",),
    hypernyms=("bottle", "package"),
    function="keeping and pouring wine",
    description="a tall dark green glass bottle with a straight cylindrical body, rounded shoulders, a long slim "
    "neck and a paper label",
    longest=(0.18, 0.27),
    sample=sample,
)
