"""Tuna cans: flat round tins, printed all over or round the wall, with a ring pull."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import TIN, likely, printed_colors, tin
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand, shape_art, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural.surfaces import circle

PRODUCTS = ("tuna", "tuna in oil", "tuna in water", "light tuna", "white tuna", "tuna flakes", "skipjack tuna")
COLORS = likely(blue=3, turquoise=1, yellow=2, red=1, green=1, white=1, black=1, orange=1)
FISH = ((-1, 0), (-0.5, -0.35), (0.2, -0.35), (0.6, -0.05), (1, -0.35), (0.9, 0), (1, 0.35), (0.6, 0.05), (0.2, 0.35))


def sample(rng: Rng) -> Instance:
    """Sample a tuna can, lying flat."""
    model = ModelBuilder()
    r = rng.uniform(33, 46)
    h = r * rng.uniform(0.75, 1.05)
    brand = sample_brand(rng, PRODUCTS, COLORS)
    art = shape_art(choice(rng, ("blue", "grey", "black", "white")), FISH)
    printed, pull = rng.random() < 0.45, rng.random() < 0.6
    lid = brand.background if printed else np.array(TIN) * rng.uniform(0.85, 1.1) * [1, 1, rng.uniform(0.75, 1)]
    image = wrap(rng, brand, 2 * np.pi * r, h - 6, art)
    tin(model, rng, r, h, image, lid, pull)
    if printed and not pull:
        top = front(rng, brand, 2 * r, 2 * r, art)
        model.prism(circle(0.86 * r, 28), h - 3.2, h - 2.4, top, hull=False)
    skin = finish(rng, "metal", brand.colors[0])
    colors = printed_colors(brand, image)
    features = ["with a ring pull" if pull else "without a ring pull", "closed", "with lettering", "flat"]
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=1100)


KIND = Kind(
    name="tuna can",
    synonyms=("can of tuna", "tuna tin", "tuna fish can", "tinned tuna"),
    hypernyms=("can", "container", "package"),
    function="keeping tuna",
    description="a low, flat round metal tin, about twice as wide as high, with a printed wall, rims at top and "
    "bottom, and a shiny ringed top",
    longest=(0.065, 0.1),
    sample=sample,
)
