"""Spice jars: small glass cylinders that show red, yellow, green or brown spice, with a dark or steel cap."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.containers import cap_color, likely, screw_cap
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import facts, front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.skins import peel

SPICES = {
    "paprika": ("red", (172, 50, 24)),
    "chili": ("red", (160, 34, 22)),
    "curry": ("yellow", (206, 150, 36)),
    "turmeric": ("orange", (222, 142, 20)),
    "cinnamon": ("brown", (134, 78, 42)),
    "nutmeg": ("brown", (116, 76, 48)),
    "cumin": ("brown", (140, 100, 56)),
    "pepper": ("black", (52, 46, 42)),
    "oregano": ("green", (92, 110, 54)),
    "basil": ("green", (80, 104, 48)),
    "parsley": ("green", (70, 116, 44)),
    "salt": ("white", (232, 230, 226)),
    "garlic": ("white", (226, 214, 180)),
}


def sample(rng: Rng) -> Instance:
    """Sample a spice jar, standing."""
    model = ModelBuilder()
    spice = choice(rng, tuple(SPICES))
    word, rgb = SPICES[spice]
    skin = finish(rng, "glass", word, rgb=(rgb,))
    base = skin.tints[0]
    r = rng.uniform(18, 26)
    h, square = r * rng.uniform(3.2, 4.8), rng.random() < 0.2
    specks, air = (base * 0.7, rng.uniform(0.1, 0.3)), ((206, 214, 216), rng.uniform(0, 0.3))
    image = peel(rng, base, 0.08, spots=specks, top=air, spot_count=48)
    shoulder = h * rng.uniform(0.64, 0.72)
    wall = smooth([(r * 0.95, 0), (r, 0.05 * h), (r, shoulder), (r * 0.86, 0.77 * h)], 12)
    model.lathe([(0, 0), *wall, (0, 0.77 * h)], image, segments=4 if square else 24, pieces=1)
    metal = rng.random() < 0.3
    cap, color = cap_color(rng, likely(black=4, white=2, red=2, green=1, blue=1))
    color = np.array((186, 188, 192)) if metal else color
    screw_cap(model, r * rng.uniform(0.86, 0.98) * (0.75 if square else 1), 0.76 * h, h, color, choice(rng, (0, 36)))
    label = not square and rng.random() < 0.85
    if label:
        brand = sample_brand(rng, (spice,), likely(white=4, black=2, yellow=1, red=1, green=1))
        low, high = 0.14 * h, shoulder * rng.uniform(0.75, 0.95)
        add_label(model, wall, front(rng, brand, 2 * r, high - low), low, high, rng.uniform(0.7, 1.5))
        if rng.random() < 0.6:
            add_label(model, wall, facts(rng, brand, 2 * r, high - low), low, high, 0.8, middle=np.pi)
    features = ["with a metal lid" if metal else f"with a {cap} lid", "with a label" if label else "without a label"]
    return model.instance(skin, "cylindrical", [*features, "closed"], density=900)


KIND = Kind(
    name="spice jar",
    synonyms=("jar of spice", "spice bottle", "seasoning jar"),
    hypernyms=("jar", "container", "package"),
    function="keeping spices",
    description="a small, narrow glass cylinder that shows a colored powder or dried leaves inside, with a wide flat "
    "lid and a small label",
    longest=(0.055, 0.13),
    sample=sample,
)
