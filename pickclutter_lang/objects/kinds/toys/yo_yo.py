"""Yo-yos: two discs joined by an axle, with string in the gap between them and some of it loose."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import star
from pickclutter_lang.objects.kinds.palettes import ANY, BRIGHT
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def sample(rng: Rng) -> Instance:
    """Sample a yo-yo, lying on one disc or standing on its rims."""
    model = ModelBuilder()
    r = rng.uniform(24, 32)
    material = choice(rng, ("plastic", "plastic", "plastic", "wood", "metal"))
    natural = material == "wood" and rng.random() < 0.5
    word = "brown" if natural else choice(rng, ANY)
    skin = finish(rng, material, word, rgb=WOODS if natural else ())
    half, gap, flat = r * rng.uniform(0.4, 0.55), rng.uniform(1.5, 4.5), rng.uniform(0.45, 0.9)
    disc = np.array([(0.45, 0), (0.92, 0.06), (1, 0.2), (0.98, 0.5), (flat, 0.96), (flat * 0.8, 1), (0, 1)])
    turn = rotation("y", choice(rng, (0, 90, 90))) @ rotation("x", rng.uniform(0, 360))
    if rng.random() < 0.4:
        turn = np.eye(3)
    ink = choice(rng, [c for c in (*BRIGHT, "white", "black") if c != word])
    emblem = choice(rng, ("disc", "star", "none", "ring"))
    for side in (0, 180):
        pose = turn @ rotation("x", side)
        model.lathe(disc * [r, half] + [0, gap / 2], skin, turn=pose, pieces=1)
        z = half + gap / 2
        if emblem == "star":
            model.prism(
                star(5, 0.62 * flat * r, 0.28 * flat * r),
                z - 0.2,
                z + 0.5,
                plain(tint(rng, ink)),
                turn=pose,
                hull=False,
            )
        elif emblem == "disc":
            model.prism(circle(0.65 * flat * r, 24), z - 0.2, z + 0.5, plain(tint(rng, ink)), turn=pose, hull=False)
        elif emblem == "ring":
            rows = np.array([(0.8, 0), (0.8, 0.6), (0.55, 0.6), (0.55, 0)]) * [flat * r, 1] + [0, z - 0.1]
            model.lathe(rows, plain(tint(rng, ink)), turn=pose, hull=False)
    string = plain(tint(rng, choice(rng, ("white", "white", "yellow", "black"))))
    wound = r * rng.uniform(0.5, 0.8)
    model.lathe([(wound, -gap / 2 - 1), (wound, gap / 2 + 1)], string, 20, 1, turn=turn)
    loose = rng.random() < 0.5
    if loose:
        a = np.linspace(0, rng.uniform(1.5, 4), 22)
        path = np.c_[(wound + r * a * 0.33) * np.cos(a), (wound + r * a * 0.33) * np.sin(a), 0.2 * gap * np.sin(3 * a)]
        model.sweep(path, 0.9, string, segments=6, turn=turn, pieces=5)
    features = ["with a loose string" if loose else "with a wound string", "with a star" if emblem == "star" else ""]
    colors = (word,) if emblem == "none" else (word, ink)
    return model.instance(skin, "round", features, colors=colors, density=700)


KIND = Kind(
    name="yo-yo",
    synonyms=("yoyo", "string toy"),
    hypernyms=("toy",),
    function="playing",
    description="two thick round discs joined in the middle, with string wound in the narrow groove between them",
    longest=(0.045, 0.19),
    sample=sample,
)
