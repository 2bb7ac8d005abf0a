"""Tape dispensers: heavy desk bodies or light hand-held ones, with a roll of clear tape and a toothed edge."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BRIGHT, ring
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural.surfaces import circle, rotation

SIDE = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z)
TAPES = ((222, 208, 160), (232, 232, 224), (212, 204, 178), (206, 216, 220))


def sample(rng: Rng) -> Instance:
    """Sample a tape dispenser, standing, its edge towards +y."""
    model = ModelBuilder()
    desk = rng.random() < 0.65
    roll = rng.uniform(26, 36) if desk else rng.uniform(18, 30)
    skin = finish(rng, "plastic", [*BRIGHT, "black", "black", "black", "grey", "red"], wear=0.4)
    tape = plain(np.array(choice(rng, TAPES)) * rng.uniform(0.92, 1.04))
    wide, wall = rng.uniform(14, 20), rng.uniform(2.5, 6) if desk else rng.uniform(1.2, 2)
    core = plain(tint(rng, choice(rng, ("white", "red", "blue", "black", skin.colors[0]))))
    inner = roll * rng.uniform(0.42, 0.6) if desk else roll * rng.uniform(0.55, 0.72)
    z = roll * (1.08 if desk else 1.0) + 3
    turn = rotation("y", 90)
    ring(model, inner, roll, wide, tape, at=(0, 0, z), turn=turn, wedges=1 if desk else 6, segments=28)
    if desk:
        ring(model, 0.18 * inner, inner, wide * 1.15, core, at=(0, 0, z), turn=turn, wedges=0, segments=20)
        nose, tail = roll * rng.uniform(1.7, 2.2), roll * rng.uniform(1.0, 1.3)
        high = z * rng.uniform(0.85, 1.15)
        line = [
            (nose, 0),
            (nose * 1.02, 0.5 * high),
            (nose, high),
            (0.88 * nose, high * 1.02),
            (0.62 * nose, 0.55 * high),
        ]
        line += [
            (0.1 * nose, 0.38 * high),
            (-0.55 * tail, 0.5 * high),
            (-0.9 * tail, 0.95 * high),
            (-tail, 0.6 * high),
            (-1.02 * tail, 0),
        ]
        top = smooth(line, 26)
        half = wide / 2 + wall
        for a, b in ((0, 9), (8, 17), (16, 25)):
            part = top[a : b + 1]
            low = np.c_[part[:, 0], np.zeros(len(part))]
            model.plate(low, part, -half, half, skin, turn=SIDE, pieces=1)
        for side in (-1, 1):
            near, far = sorted((side * (wide / 2 + 0.8), side * half))
            hub = np.array([(-0.5, 0.2), (0.5, 0.2), (0.28, 1.18), (0, 1.32), (-0.28, 1.18)]) * [roll, z]
            model.prism(hub * [1, 0.86], near, far, skin, turn=SIDE)
            model.prism(circle(0.26 * roll, 16, (0, z)), near - 0.4, far + 0.4, core, turn=SIDE, hull=False)
        tip = np.array([0, nose * 0.97, high])
    else:
        half, nose, high = wide / 2 + wall, roll * rng.uniform(1.5, 1.8), 0.55 * roll
        for side in (-1, 1):
            near, far = sorted((side * (wide / 2 + 0.2), side * half))
            hoop = (inner, roll * 1.08)
            x = side * (wide / 2 + 0.2 + wall / 2)
            ring(model, *hoop, wall, skin, at=(x, 0, z), turn=turn, wedges=0, segments=28)
            shank = np.array([(0.3 * roll, 0), (nose, 0.12 * roll), (nose, high), (0.85 * roll, 0.9 * roll)])
            model.prism(shank, near, far, skin, turn=SIDE, hull=False)
        ring(model, inner * 0.94, inner, 2 * half, skin, at=(0, 0, z), turn=turn, wedges=0, segments=28)
        model.box((2 * half, nose * 0.9, 1.5), skin, 0.4, at=(0, 0.55 * nose, 1.5), hull=False)
        model.hull(
            [
                (x, y, q)
                for x in (-half, half)
                for y, q in ((0, 0), (nose, 0.1 * roll), (nose, high), (0.5 * roll, 1.5 * roll))
            ]
        )
        tip = np.array([0, nose * 0.98, high])
    model.box((2 * half * 0.96, 3, 4), plain((186, 188, 192)), 0.4, at=np.add(tip, (0, 1, 0)))
    start = np.array([0, 0.55 * roll, z + 0.82 * roll])
    path = np.linspace(start, np.add(tip, (0, -1, 2.2)), 3)
    model.sweep(path, wide / 2, tape, 0.4, power=6, segments=8, hull=False)
    features = ["" if desk else "hand-held", "with a cutting edge", "with a roll of tape"]
    return model.instance(skin, "irregular", features, density=1100 if desk else 500)


KIND = Kind(
    name="tape dispenser",
    synonyms=("sticky tape dispenser", "adhesive tape dispenser", "tape holder"),
    hypernyms=("office supply", "stationery"),
    function="tearing off pieces of sticky tape",
    description="a curved plastic holder with a round wheel of clear sticky film and a small metal cutting edge "
    "in front",
    longest=(0.045, 0.17),
    sample=sample,
)
