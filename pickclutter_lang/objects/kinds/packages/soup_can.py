"""Soup cans: tins with a paper label, a plate of soup on it, some with a ring pull."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely, printed_colors, tin
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import bowl_art, sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder

PRODUCTS = ("tomato soup", "chicken soup", "noodle soup", "lentil soup", "pea soup", "cream soup", "bean soup")
COLORS = likely(red=4, white=2, yellow=1, green=1, blue=1, orange=1, brown=1, black=1)


def sample(rng: Rng) -> Instance:
    """Sample a soup can, standing."""
    model = ModelBuilder()
    r = rng.uniform(31, 42)
    h = r * rng.uniform(2.55, 3.15)
    brand = sample_brand(rng, PRODUCTS, COLORS)
    art = bowl_art(choice(rng, ("white", "white", "blue", "brown")), choice(rng, ("red", "orange", "yellow", "green")))
    pull = rng.random() < 0.55
    image = wrap(rng, brand, 2 * np.pi * r, h - 6, art)
    tin(model, rng, r, h, image, ring_pull=pull)
    skin = finish(rng, "metal", brand.colors[0])
    features = ["with a ring pull" if pull else "without a ring pull", "closed", "with a paper label"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=1000)


KIND = Kind(
    name="soup can",
    synonyms=("can of soup", "soup tin", "tinned soup"),
    hypernyms=("can", "container", "package"),
    function="keeping soup",
    description="a metal cylinder that fits in one hand, a little taller than wide, with raised silver rims and a "
    "paper label that shows a dish of soup",
    longest=(0.075, 0.135),
    sample=sample,
)
