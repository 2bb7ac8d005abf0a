"""Bleach cleansers: opaque plastic bottles, oval or round, with a printed label, a cap, and some with a handle."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_cap, add_label
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import squarish
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural.surfaces import Floats
from pickclutter_lang.utils.words import with_article

PRODUCTS = ("bleach", "bleach gel", "with bleach", "cleanser", "ultra bleach", "bleach cleanser", "toilet bleach")
COLORS = ["white", "white", "white", "white", "white", "white", "blue", "yellow", "green"]
LABELS = ["blue", "blue", "blue", "red", "green", "yellow", "white", "turquoise", "orange"]
CAPS = ["blue", "blue", "white", "red", "green", "yellow", "orange"]


def sample(rng: Rng) -> Instance:
    """Sample a bottle of bleach cleanser, standing."""
    model = ModelBuilder()
    h = rng.uniform(185, 275)
    r, power, flat = h * rng.uniform(0.17, 0.24), rng.uniform(2.0, 4.5), rng.uniform(0.58, 0.95)
    skin = finish(rng, "plastic", choice(rng, COLORS))
    handle, shoulder, neck = rng.random() < 0.3, h * rng.uniform(0.5, 0.7), r * rng.uniform(0.3, 0.42)
    waist = rng.uniform(0.86, 1.0)
    body = smooth(
        [(r, 6), (r * waist, shoulder * 0.55), (r * 0.97, shoulder), (r * 0.74, shoulder + 0.14 * h), (neck, h * 0.86)],
        17,
    )
    oval = squarish(power, flat)

    def bend(points: Floats) -> Floats:
        """Make the section oval, but leave it round at the neck."""
        blend = np.clip((points[:, 2:] - shoulder) / (0.86 * h - shoulder), 0, 1)
        return np.asarray(oval(points) * (1 - blend) + points * blend)

    model.lathe([(r * 0.92, 0), *body, (neck, h * 0.9), (0, h * 0.9)], skin, bend=bend, pieces=4)
    model.lathe([(0, 1), (r * 0.92, 0)], skin, bend=bend, hull=False)
    cap = choice(rng, [c for c in CAPS if c != skin.colors[0]] if rng.random() < 0.8 else [skin.colors[0]])
    color = tint(rng, cap)
    add_cap(model, neck * rng.uniform(1.1, 1.35), h * rng.uniform(0.82, 0.88), h, ribbed(color, 26), plain(color))
    if handle:
        loop = smooth(
            [(0, -0.3 * r, h * 0.82), (0, -r * 1.1, h * 0.8), (0, -r * 1.25, shoulder), (0, -0.85 * r, h * 0.36)], 13
        )
        model.sweep(loop, h * 0.03, skin, h * 0.035, up=(1, 0, 0), pieces=3)
    brand = sample_brand(rng, PRODUCTS, LABELS, "ml")
    low, high = h * rng.uniform(0.06, 0.14), shoulder - h * rng.uniform(0, 0.06)
    wide = rng.uniform(0.75, 1.2)
    for middle in (0.0, np.pi):
        image = front(rng, brand, 2 * wide * r * 0.9, high - low)
        add_label(model, body, image, low, high, wide, bend, middle)
    features = [
        "with a label",
        "with a handle" if handle else "without a handle",
        f"with {with_article(cap)} cap",
        "closed",
    ]
    colors = (skin.colors[0], *brand.colors)
    return model.instance(skin, "bottle", features, colors=colors, pattern="printed", density=900)


KIND = Kind(
    name="bleach cleanser",
    synonyms=("bleach", "bottle of bleach", "bleach bottle", "bleach cleaner"),
    hypernyms=("cleaning product", "bottle", "package"),
    function="cleaning and whitening",
    description="an opaque plastic bottle with an oval body, sloping shoulders, a short neck with a cap and "
    "a bold printed label",
    longest=(0.18, 0.28),
    sample=sample,
)
