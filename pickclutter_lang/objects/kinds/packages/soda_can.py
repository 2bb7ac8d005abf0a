"""Soda cans: printed aluminum cylinders with a narrowed rim and a tab."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural.surfaces import circle

PRODUCTS = ("cola", "lemonade", "orange soda", "tonic", "energy", "ginger ale", "iced tea", "root beer", "seltzer")


def sample(rng: Rng) -> Instance:
    """Sample a soda can, standing."""
    model = ModelBuilder()
    slim = rng.random() < 0.3
    r, h = (rng.uniform(26, 29), rng.uniform(125, 150)) if slim else (rng.uniform(32, 34), rng.uniform(108, 126))
    brand = sample_brand(
        rng,
        PRODUCTS,
        ("red", "red", "orange", "yellow", "green", "blue", "blue", "turquoise", "purple", "pink", "black", "white"),
        "ml",
    )
    tin = finish(rng, "metal", "grey").painted((186, 188, 192))
    body = [(r * 0.84, 4), (r, 11), (r, h - 14), (r * 0.82, h - 3)]
    model.lathe(body, wrap(rng, brand, 2 * np.pi * r, h * 0.98), hull=False)
    model.lathe([(0, 6), (r * 0.7, 4), (r * 0.76, 0), (r * 0.8, 0.5), (r * 0.84, 4)], tin, hull=False)
    model.lathe(
        [(r * 0.82, h - 3), (r * 0.84, h - 1), (r * 0.83, h), (r * 0.78, h), (r * 0.75, h - 5), (0, h - 5)],
        tin,
        hull=False,
    )
    for low, high in (((r * 0.78, 0), (r, 11)), ((r, h - 14), (r * 0.83, h))):
        model.hull([(*p, z) for q, z in (low, high) for p in circle(q, 16)])
    model.hull([(*p, z) for z in (11, h - 14) for p in circle(r, 16)])
    opened = rng.random() < 0.25
    tab = circle(1, 12) * [9, 5.5] + [3, 0]
    model.prism(tab, h - 5, h - 3.6, tin.painted((214, 214, 216)), hull=False)
    if opened:
        model.prism(circle(1, 12) * [6.5, 8] + [-r * 0.4, 0], h - 5, h - 4.8, tin.painted((24, 24, 26)), hull=False)
    skin = finish(rng, "metal", brand.colors[0])
    features = ["slim" if slim else "", "open" if opened else "closed", "with lettering"]
    return model.instance(
        skin, "cylindrical", features, colors=brand.colors, pattern="printed", density=choice(rng, (250, 1000))
    )


KIND = Kind(
    name="soda can",
    synonyms=("soft drink can", "cola can", "can of soda", "drink can"),
    hypernyms=("can", "package"),
    function="drinking soda",
    description="a shiny metal cylinder with a printed colorful body, a slightly narrowed top and bottom, and a "
    "pull tab on its lid",
    longest=(0.1, 0.155),
    sample=sample,
)
