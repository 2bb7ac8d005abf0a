"""Spray bottles: bottles with a trigger head, a nozzle and a waist to hold; clear, white or colored."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import squarish
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation
from pickclutter_lang.utils.words import with_article

PRODUCTS = (
    "glass cleaner",
    "kitchen spray",
    "multi surface",
    "bath cleaner",
    "window spray",
    "stain remover",
    "degreaser",
)
COLORS = ("white", "white", "white", "blue", "blue", "green", "turquoise", "yellow", "pink", "orange", "grey")
HEADS = ("white", "white", "red", "blue", "black", "green", "yellow", "orange")


def sample(rng: Rng) -> Instance:
    """Sample a spray bottle, standing; its nozzle points to +y."""
    model = ModelBuilder()
    h = rng.uniform(185, 275)
    r, head = h * rng.uniform(0.13, 0.19), h * rng.uniform(0.17, 0.22)
    word = choice(rng, COLORS)
    skin = finish(rng, "plastic", word)
    oval, neck, tall = squarish(rng.uniform(2, 3.4), rng.uniform(0.6, 1.0)), h * 0.05, h - head
    shoulder, waist = tall * rng.uniform(0.55, 0.72), r * rng.uniform(0.5, 0.9)

    def bend(points: Floats) -> Floats:
        blend = np.clip((points[:, 2:] - shoulder) / (tall - shoulder), 0, 1)
        return np.asarray(oval(points) * (1 - blend) + points * blend)

    body = smooth(
        [(r, 4), (r, shoulder * 0.5), (r * 0.98, shoulder), (waist, shoulder + 0.5 * (tall - shoulder)), (neck, tall)],
        15,
    )
    model.lathe([(r * 0.93, 0), *body], skin, bend=bend, pieces=3)
    model.lathe([(0, 1), (r * 0.93, 0)], skin.solid(), bend=bend, hull=False)
    head_word = choice(rng, [c for c in HEADS if c != word])
    color, paint = tint(rng, head_word), finish(rng, "plastic", head_word).solid()
    collar = neck * rng.uniform(1.15, 1.4)
    model.lathe(
        [(collar, tall - 6), (collar, tall + head * 0.3), (collar * 0.8, tall + head * 0.34)], ribbed(color, 22), 20, 1
    )
    z, reach, back = tall + head * 0.34, h * rng.uniform(0.14, 0.18), h * rng.uniform(0.06, 0.1)
    side = [(-back, z + head * 0.34), (-back * 0.6, z), (neck * 0.7, z), (reach * 0.55, z + head * 0.26)]
    side += [
        (reach, z + head * 0.3),
        (reach, z + head * 0.54),
        (-back * 0.2, z + head * 0.66),
        (-back, z + head * 0.58),
    ]
    thick = h * rng.uniform(0.035, 0.05)
    spin = rotation("z", 90) @ rotation("x", 90)
    model.prism(side, -thick, thick, paint.image(60, 40, 48), turn=spin)
    other = plain(tint(rng, choice(rng, HEADS)))
    tip = reach * 0.16
    model.lathe(
        np.array([(0.8, 0), (0.9, 1), (0, 1)]) * [head * 0.17, tip],
        other,
        12,
        1,
        at=(0, reach, z + head * 0.42),
        turn=rotation("x", -90),
    )
    trigger = smooth(
        [(0, reach * 0.55, z + head * 0.3), (0, reach * 0.62, z - head * 0.1), (0, reach * 0.42, z - head * 0.5)], 7
    )
    model.sweep(trigger, thick * 0.8, other, h * 0.012, up=(1, 0, 0), pieces=2)
    labeled = rng.random() < 0.75
    if labeled:
        brand = sample_brand(rng, PRODUCTS, unit="ml")
        low, high, wide = tall * 0.1, shoulder * rng.uniform(0.92, 1.0), rng.uniform(0.8, 1.15)
        for middle in (0.0, np.pi):
            add_label(model, body, front(rng, brand, 1.8 * wide * r, high - low), low, high, wide, bend, middle)
    features = [
        f"with {with_article(head_word)} spray head",
        "with a trigger",
        "with a label" if labeled else "without a label",
    ]
    colors = (word, head_word)
    pattern = "printed" if labeled else "plain"
    return model.instance(skin, "bottle", features, colors=colors, pattern=pattern, density=600)


KIND = Kind(
    name="spray bottle",
    synonyms=("trigger bottle", "spray cleaner", "atomizer bottle"),
    hypernyms=("bottle", "cleaning product", "container"),
    function="spraying",
    description="a plastic bottle with a narrow neck and a head that has a nozzle and a trigger to squeeze",
    longest=(0.18, 0.28),
    sample=sample,
)
