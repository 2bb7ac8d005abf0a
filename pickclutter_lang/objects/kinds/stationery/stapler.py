"""Staplers: colored or black arms over a metal base, open at the front, jaws towards +y."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BRIGHT, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation

SIDE = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z)


def sample(rng: Rng) -> Instance:
    """Sample a stapler, standing on its base."""
    model = ModelBuilder()
    length = rng.uniform(65, 165)
    wide = length * (rng.uniform(0.2, 0.27) if length > 100 else rng.uniform(0.27, 0.36))
    arm, gap = wide * rng.uniform(0.55, 0.85), rng.uniform(2.5, 8)
    skin = finish(
        rng, choice(rng, ("plastic", "plastic", "metal")), [*BRIGHT, "black", "black", "grey", "red", "blue"], wear=0.4
    )
    dark = plain(tint(rng, choice(rng, ("black", "grey", skin.colors[0]))))
    metal = steel(rng)
    foot = rng.uniform(0.06, 0.09) * length
    y = np.linspace(-0.5, 0.46, 9) * length
    half = wide / 2 * np.interp(np.linspace(0, 1, 9), [0, 0.06, 0.9, 1], [0.75, 1, 0.95, 0.7])
    model.plate(np.c_[-half, y], np.c_[half, y], 0, foot, dark, pieces=1)
    model.box((wide * 0.6, 0.12 * length, 1), metal, 0.2, at=(0, 0.4 * length, foot + 0.3), hull=False)
    tilt = np.degrees(np.arctan(gap / length)) + rng.uniform(0, 6)
    turn, hinge = rotation("x", tilt), np.array([0, -0.42 * length, foot + 0.06 * length])
    rail = 0.075 * length
    model.box(
        (0.45 * wide, 0.86 * length, rail),
        metal,
        0.4,
        at=hinge + turn @ np.array([0, 0.45 * length, 0.2 * rail]),
        turn=turn,
    )
    t = rng.uniform(0.8, 1.25) * 0.13 * length
    curves = (
        [(-0.08, 0.3), (0.2, 1.25), (0.55, 1.15), (0.88, 0.85), (0.97, 0.25)],
        [(-0.08, 0.7), (0.1, 1.0), (0.5, 1.0), (0.93, 0.95), (0.98, 0.5)],
        [(-0.08, 0.9), (0.12, 1.1), (0.4, 0.75), (0.85, 1.05), (0.98, 0.4)],
    )
    form = smooth(np.array(choice(rng, curves)) * [length, t], 12)
    outline = np.concatenate([[(-0.08 * length, -0.1 * t), (0.96 * length, 0.0)], form[::-1]])
    at = hinge + np.array([0, 0, 0.35 * rail])
    model.prism(outline, -arm / 2, arm / 2, skin, turn=turn @ SIDE, at=at)
    back = 0.2 * length
    model.box((wide * 0.95, back, 0.15 * length), dark, 2.5, at=(0, -0.4 * length, foot + 0.05 * length))
    if rng.random() < 0.6:
        name = sample_brand(rng, ("stapler",)).name
        image, _ = tx.canvas((80, 20), skin.tints[0].clip(0, 255).tolist())
        ink = (30, 30, 32) if skin.tints[0].mean() > 120 else (240, 240, 238)
        tx.draw_text(image, name, (40, 10), min(15, 96 / len(name)), ink)
        label = np.asarray(image)
        for side in (-1, 1):
            place = at + turn @ np.array([side * arm / 2, 0.45 * length, 0.42 * t])
            model.box((0.5, 0.36 * length, 0.3 * t), label, 0, at=place, turn=turn, hull=False)
    features = ["small" if length < 85 else "", "open" if tilt > 8 else "closed"]
    return model.instance(skin, "long and rectangular", features, density=1100)


KIND = Kind(
    name="stapler",
    synonyms=("office stapler", "paper stapler", "stapling machine"),
    hypernyms=("office supply", "stationery"),
    function="fastening sheets of paper together",
    description="a long, narrow device of two arms joined at the back, the thick upper one raised over a flat base",
    longest=(0.06, 0.175),
    sample=sample,
)
