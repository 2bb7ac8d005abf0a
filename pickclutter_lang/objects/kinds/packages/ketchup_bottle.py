"""Ketchup bottles: red squeeze bottles, most standing on their cap, or glass bottles with a long neck."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.containers import cap_color, screw_cap, squeeze_bottle
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import facts, front, pile_art, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth

PRODUCTS = ("ketchup", "tomato ketchup", "hot ketchup", "sweet ketchup", "ketchup", "catsup")
RGB = ((178, 22, 20), (196, 30, 24), (160, 18, 18), (206, 36, 26))


def sample(rng: Rng) -> Instance:
    """Sample a ketchup bottle, standing."""
    model = ModelBuilder()
    height = rng.uniform(145, 225)
    glass = rng.random() < 0.25
    width = height * (rng.uniform(0.27, 0.33) if glass else rng.uniform(0.36, 0.5))
    skin = finish(rng, "glass" if glass else "plastic", "red", rgb=RGB, wear=0.2)
    brand = sample_brand(rng, PRODUCTS, ("white", "white", "red", "yellow", "green", "black"))
    label = front(rng, brand, width, height * 0.45, pile_art("red", 4, 0.9) if rng.random() < 0.6 else None)
    cap, color = cap_color(rng, ("white", "white", "red", "red", "green", "black"))
    if glass:
        r = width / 2
        neck = r * rng.uniform(0.36, 0.46)
        curve = smooth([(r, 0.5 * height), (r * 0.8, 0.62 * height), (neck, 0.78 * height), (neck, 0.9 * height)], 12)
        segments = choice(rng, (8, 28))
        model.lathe([(0, 1), (r * 0.9, 0), (r, 4), *curve, (0, 0.9 * height)], skin, segments=segments, pieces=3)
        screw_cap(model, neck * 1.25, 0.88 * height, height, color, 30 if rng.random() < 0.6 else 0)
        reach = rng.uniform(0.9, 1.4)
        wall = np.array([(r, 0), (r, height)])
        add_label(model, wall, label, 0.1 * height, 0.48 * height, reach)
        if rng.random() < 0.7:
            back = facts(rng, brand, width, height * 0.4)
            add_label(model, wall, back, 0.12 * height, 0.46 * height, 0.8 * reach, middle=np.pi)
        feature = "with a long neck"
    else:
        size = (width * rng.uniform(0.55, 0.75), width, height)
        style = choice(rng, ("stand", "stand", "cone", "flip"))
        squeeze_bottle(model, rng, skin, color, label, size, style)
        feature = {"cone": "with a pointed cap", "flip": "with a flat cap", "stand": "with a wide cap below"}[style]
    features = [feature, "with a label", f"with a {cap} cap"]
    return model.instance(skin, "bottle", features, colors=("red",), density=900)


KIND = Kind(
    name="ketchup bottle",
    synonyms=("bottle of ketchup", "tomato ketchup", "ketchup"),
    hypernyms=("bottle", "container", "package"),
    function="squeezing out ketchup",
    description="a red bottle of soft plastic or glass with a broad body, a printed label, and a small cap at its "
    "narrow end",
    longest=(0.14, 0.23),
    sample=sample,
)
