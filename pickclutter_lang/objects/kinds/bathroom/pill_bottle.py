"""Pill bottles: orange or white plastic cylinders with a white ribbed cap and a printed label."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_cap, add_label
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import facts, front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.utils.words import with_article

PRODUCTS = ("vitamin c", "aspirin", "tablets", "omega 3", "magnesium", "zinc", "ibuprofen", "multivitamin", "capsules")


def sample(rng: Rng) -> Instance:
    """Sample a pill bottle, standing."""
    model = ModelBuilder()
    h = rng.uniform(55, 125)
    r, cap = h * rng.uniform(0.2, 0.3), h * rng.uniform(0.18, 0.26)
    pharmacy = rng.random() < 0.5
    word = (
        choice(rng, ("orange", "orange", "orange", "brown"))
        if pharmacy
        else choice(rng, ("white",) * 5 + ("green", "brown", "blue"))
    )
    clear = pharmacy or (word == "brown" and rng.random() < 0.5)
    skin = finish(rng, "plastic", word, rgb=((226, 118, 28), (214, 96, 20), (236, 134, 40)) if word == "orange" else ())
    top, neck = h - cap, r * rng.uniform(0.78, 0.9)
    straight = pharmacy or rng.random() < 0.3
    if straight:
        body = np.array([(r, 3), (r, top * 0.4), (r, top)])
    else:
        body = smooth([(r, 3), (r, top * 0.5), (r, top * 0.84), (r * 0.94, top * 0.93), (neck, top)], 11)
    model.lathe([(r * 0.95, 0), *body], skin, pieces=2)
    model.lathe([(0, 1), (r * 0.95, 0)], skin.solid(), hull=False)
    cap_word = choice(rng, ("white",) * 6 + ("black", "red", "blue", "green"))
    color, broad = tint(rng, cap_word), (r if straight else neck) * rng.uniform(1.03, 1.14)
    add_cap(model, broad, top - 1, h, ribbed(color, 34), plain(color))
    brand = sample_brand(rng, PRODUCTS, ("white",) if pharmacy else (), "mg")
    low, high = top * 0.1, top * rng.uniform(0.78, 0.88)
    wide = rng.uniform(1.3, 2.6)
    if pharmacy:
        add_label(model, body, facts(rng, brand, 1.6 * r, high - low), low, high, wide * 0.6, None, 0.0)
    else:
        image = front(rng, brand, 2 * wide * r * 0.7, high - low)
        add_label(model, body, image, low, high, wide * 0.7)
    features = [f"with {with_article(cap_word)} cap", "with a label", "see-through" if clear else "opaque", "closed"]
    colors = tuple(dict.fromkeys((word, cap_word)))
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=500)


KIND = Kind(
    name="pill bottle",
    synonyms=("medicine bottle", "pill container", "bottle of pills"),
    hypernyms=("bottle", "container", "package"),
    function="keeping pills",
    description="a small plastic cylinder, amber or white, with a wide ribbed white cap and a printed paper label",
    longest=(0.05, 0.13),
    sample=sample,
)
