"""Glue sticks: printed tubes with a cap and a turning foot, open ones with a white or violet stick."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural.surfaces import circle

PRODUCTS = ("glue stick", "glue", "paper glue", "school glue")
COLORS = words("red yellow white white blue green orange purple turquoise")


def sample(rng: Rng) -> Instance:
    """Sample a glue stick, standing, its label towards +x."""
    model = ModelBuilder()
    r = rng.uniform(9, 15)
    body = r * rng.uniform(4.2, 5.4)
    brand = sample_brand(rng, PRODUCTS, COLORS)
    foot, skin = rng.uniform(6, 10), finish(rng, "plastic", brand.colors[0])
    end = brand.accent if rng.random() < 0.5 else tint(rng, choice(rng, ("white", "red", "yellow", "black")))
    twist = [(0, 0), (0.86 * r, 0), (0.9 * r, 1), (0.9 * r, foot), (0, foot)]
    model.lathe(twist, ribbed(end, 16, 0.3, 0.3, 0.7), segments=24, hull=False)
    model.lathe(
        [(0.5 * r, foot), (r, foot), (r, foot + body), (0.6 * r, foot + body)], plain(brand.background), hull=False
    )
    model.lathe(
        [(1.01 * r, foot + 1), (1.01 * r, foot + body - 1)], wrap(rng, brand, 2 * np.pi * r, body - 2), hull=False
    )
    model.hull([(*p, z) for p in circle(r, 16) for z in (0, foot + body)])
    top, capped = foot + body, rng.random() < 0.65
    if capped:
        cap, tall = plain(end), r * rng.uniform(1.3, 2.2)
        rows = [
            (0.5 * r, top),
            (1.02 * r, top),
            (1.04 * r, top + 1),
            (0.98 * r, top + tall - 2),
            (0.85 * r, top + tall),
            (0, top + tall),
        ]
        model.lathe(rows, ribbed(end, 24, 0.2, 0.35, 0.75) if rng.random() < 0.4 else cap, pieces=1)
    else:
        model.lathe(
            [(0.6 * r, top), (0.9 * r, top), (0.86 * r, top + 4), (0.5 * r, top + 4)],
            plain((236, 236, 232)),
            segments=24,
            pieces=1,
        )
        out, glue = rng.uniform(5, 18), np.array(choice(rng, ((240, 240, 234), (240, 240, 234), (150, 130, 200))))
        rows = [(0.74 * r, top), (0.74 * r, top + 4 + out), (0.6 * r, top + 5.5 + out), (0, top + 6 + out)]
        model.lathe(rows, plain(glue * rng.uniform(0.94, 1.02)), segments=20, pieces=1)
    features = ["with a cap" if capped else "open", "with lettering"]
    return model.instance(skin, "cylindrical", features, colors=brand.colors, pattern="printed", density=950)


KIND = Kind(
    name="glue stick",
    synonyms=("stick of glue", "solid glue stick", "adhesive stick"),
    hypernyms=("office supply", "stationery"),
    function="gluing paper",
    description="a short plastic tube with a printed label, a round cap or a pale stick on top, and a ridged foot",
    longest=(0.06, 0.14),
    sample=sample,
)
