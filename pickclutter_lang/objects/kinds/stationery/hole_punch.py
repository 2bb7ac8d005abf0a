"""Hole punches: two-hole punches for the desk with a wide lever, and pliers for single holes."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BRIGHT, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural.surfaces import circle, rotation

SIDE = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z)
COLORS = [*BRIGHT, "black", "black", "black", "grey", "blue", "red"]


def sample(rng: Rng) -> Instance:
    """Sample a hole punch."""
    return _hand(rng) if rng.random() < 0.25 else _desk(rng)


def _desk(rng: Rng) -> Instance:
    """Return a punch for two holes, standing; its lever rises towards +y."""
    model = ModelBuilder()
    wide = rng.uniform(92, 130)
    deep, foot = wide * rng.uniform(0.55, 0.85), rng.uniform(9, 15)
    skin = finish(rng, choice(rng, ("metal", "plastic")), COLORS, wear=0.5)
    tray = plain(tint(rng, choice(rng, ("black", "black", "grey", skin.colors[0]))))
    model.prism(rounded(wide, deep, rng.uniform(3, 12)), 0, foot, tray)
    back, body = -0.2 * deep, rng.uniform(16, 24)
    model.box(
        (0.86 * wide, 0.38 * deep, body),
        steel(rng) if rng.random() < 0.5 else skin,
        1.5,
        at=(0, back, foot + body / 2 + 4),
    )
    metal, gap = steel(rng), wide * rng.uniform(0.3, 0.36)
    for side in (-1, 1):
        post = circle(rng.uniform(4, 5.5), 14, (side * gap, back + 0.2 * deep))
        model.prism(post, foot - 1, foot + body + 8, metal, hull=False)
    z, rise = foot + body + 3, rng.uniform(12, 30)
    front = rng.uniform(0.48, 0.58) * deep
    bow = [
        (-0.45 * deep, 0.0),
        (-0.42 * deep, 8),
        (-0.1 * deep, 10 + 0.35 * rise),
        (front - 8, 8 + rise),
        (front, 2 + rise),
    ]
    top = smooth(bow, 12)
    outline = np.concatenate([[(-0.45 * deep, -3), (0.2 * deep, -2 + 0.4 * rise), (front, -1 + rise)], top[::-1]])
    half = wide * rng.uniform(0.34, 0.46)
    model.prism(outline, -half, half, skin, turn=SIDE, at=(0, 0, z))
    guide = rng.random() < 0.4
    if guide:
        bar = (0.45 * wide, 9, 1.6)
        model.box(
            bar, plain(tint(rng, choice(rng, ("white", "grey")))), 0.3, at=(0.55 * wide, back + 0.25 * deep, foot + 1)
        )
    features = ["with a paper guide" if guide else "", "with a wide lever"]
    return model.instance(skin, "irregular", features, density=900)


def _hand(rng: Rng) -> Instance:
    """Return pliers for one hole, lying, with the jaws at +y."""
    model = ModelBuilder()
    long = rng.uniform(110, 150)
    wide, thick = long * rng.uniform(0.07, 0.09), rng.uniform(7, 11)
    metal = steel(rng)
    coated = rng.random() < 0.6
    skin = finish(rng, "plastic", COLORS, wear=0.4) if coated else metal
    spread = long * rng.uniform(0.14, 0.2)
    for side in (-1, 1):
        line = [
            (side * 0.6 * wide, 2),
            (side * (spread * 0.9), -0.3 * long),
            (side * spread, -0.62 * long),
            (side * 0.7 * spread, -0.72 * long),
        ]
        path = np.c_[smooth(line, 14), np.zeros(14)]
        model.sweep(path, np.linspace(0.6 * wide, 0.5 * wide, 14), skin, thick / 2, power=3, segments=12, pieces=3)
        jaw = [(side * 0.4 * wide, -2), (side * 1.5 * wide, 0.1 * long), (side * 1.2 * wide, 0.28 * long)]
        path = np.c_[smooth(jaw, 8), np.zeros(8)]
        model.sweep(path, np.linspace(0.75 * wide, 0.5 * wide, 8), metal, thick / 2, power=3, segments=12, pieces=2)
    y = 0.26 * long
    model.box((1.3 * wide, 10, 0.9 * thick), metal, 1.5, at=(-0.9 * wide, y, 0))
    model.lathe(
        [(0, 0), (3, 0), (3, 1.2 * wide), (0, 1.2 * wide)],
        metal.solid(0.8),
        segments=12,
        pieces=1,
        at=(0, y, 0),
        turn=rotation("y", 90),
    )
    disc(model, 0.8 * wide, -thick / 2 - 1, thick / 2 + 1, plain((120, 122, 126)))
    colors = (*skin.colors, *metal.colors) if coated else metal.colors
    return model.instance(
        skin, "x-shaped", ["hand-held", "with plastic handles" if coated else ""], colors=colors, density=2000
    )


KIND = Kind(
    name="hole punch",
    synonyms=("hole puncher", "paper punch", "paper hole punch"),
    hypernyms=("office supply", "stationery"),
    function="punching holes into paper",
    description="a small, heavy device with a broad lever or two grips, and a narrow slot in which it cuts round holes",
    longest=(0.085, 0.175),
    sample=sample,
)
