"""Jam jars: glass that shows red, dark or golden jam, a checked or golden lid, and a label with fruit."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.containers import fruit_art, likely, screw_cap
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import facts, front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth

# What is in it: the word of its color, its RGB, and the word for the fruit's color on the label.
JAMS = {
    "strawberry jam": ("red", (172, 20, 26), "red"),
    "strawberry preserve": ("red", (180, 26, 30), "red"),
    "red currant jelly": ("red", (170, 16, 30), "red"),
    "raspberry jam": ("red", (164, 14, 42), "pink"),
    "cherry jam": ("red", (150, 14, 26), "red"),
    "apricot jam": ("orange", (214, 120, 26), "orange"),
    "orange jam": ("orange", (222, 132, 24), "orange"),
    "plum jam": ("purple", (112, 42, 108), "purple"),
    "blueberry jam": ("purple", (98, 44, 124), "blue"),
    "lemon jam": ("yellow", (226, 190, 60), "yellow"),
}
LIDS = likely(red=2, white=2, yellow=2, black=1, green=1, blue=1)


def sample(rng: Rng) -> Instance:
    """Sample a jam jar, standing."""
    model = ModelBuilder()
    product = choice(rng, tuple(JAMS))
    word, rgb, fruit = JAMS[product]
    jam = finish(rng, "glass", word, rgb=(rgb,))
    r = rng.uniform(27, 39)
    h, neck = r * rng.uniform(2.1, 3.0), r * rng.uniform(0.84, 0.94)
    segments, shoulder = choice(rng, (28, 28, 28, 28, 28, 28, 8, 6)), h * rng.uniform(0.68, 0.78)
    wall = smooth([(r * 0.94, 0), (r, 0.08 * h), (r, shoulder), (neck, 0.85 * h)], 12)
    model.lathe([(0, 0), *wall, (0, 0.85 * h)], jam, segments=segments, pieces=1)
    checked, gold = rng.random() < 0.35, rng.random() < 0.3
    lid = choice(rng, LIDS)
    color = tint(rng, lid) if not gold else tint(rng, "yellow") * [0.84, 0.84, 0.9]
    if checked:
        cloth = finish(rng, "metal", lid, "checkered", ("white",) if lid != "white" else ("red", "blue"), pitch=(5, 8))
        top = [(0, 0.84 * h), (neck * 1.06, 0.84 * h), (neck * 1.06, h - 1), (neck, h), (0.6 * neck, h), (0, h)]
        model.lathe(top, cloth, pieces=1)
    else:
        screw_cap(model, neck * 1.06, 0.84 * h, h, color, choice(rng, (0, 48)))
    brand = sample_brand(rng, (product, product.split()[0]), ("white", "white", "white", "yellow", "red", "green"))
    image = front(rng, brand, 1.6 * r, 0.5 * h, fruit_art(fruit, int(rng.integers(1, 4))))
    if segments == 28:
        add_label(model, wall, image, 0.12 * h, shoulder * 0.94, rng.uniform(0.75, 1.2))
        if rng.random() < 0.6:
            back = facts(rng, brand, 1.4 * r, 0.5 * h)
            add_label(model, wall, back, 0.16 * h, shoulder * 0.9, 0.7, middle=np.pi)
    feature = "with a checkered lid" if checked else "with a golden lid" if gold else f"with a {lid} lid"
    features = [feature, "with a label" if segments == 28 else "without a label", "closed"]
    return model.instance(jam, "cylindrical", features)


KIND = Kind(
    name="jam jar",
    synonyms=("jar of jam", "jar of preserves", "preserve jar"),
    hypernyms=("jar", "container", "package"),
    function="keeping jam",
    description="a short, wide glass container full of red, dark or golden fruit spread, with a round metal lid and "
    "often a paper label",
    longest=(0.055, 0.125),
    sample=sample,
)
