"""Pencil sharpeners: metal wedges and blocks with a blade, plastic ones, and barrels that keep the shavings."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def sample(rng: Rng) -> Instance:
    """Sample a pencil sharpener."""
    return _barrel(rng) if rng.random() < 0.35 else _wedge(rng)


def _wedge(rng: Rng) -> Instance:
    """Return a small block with a slanted blade on top, its hole at -y."""
    model = ModelBuilder()
    length = rng.uniform(22, 32)
    wide, tall = length * rng.uniform(0.5, 0.68), length * rng.uniform(0.38, 0.48)
    metal = rng.random() < 0.5
    skin = (
        finish(rng, "metal", "grey", wear=0.5, rgb=STEEL)
        if metal
        else finish(rng, "plastic", [*BRIGHT, "black", "red"], wear=0.4)
    )
    taper = rng.uniform(0.55, 0.8) if metal or rng.random() < 0.5 else 1.0
    t = np.linspace(0, 1, 9)
    y = (t - 0.5) * length
    waist = 1 - (0.2 * np.sin(np.pi * t) if rng.random() < 0.7 else 0 * t)
    half = wide / 2 * np.interp(t, [0, 1], [1, taper]) * waist
    top = np.interp(t, [0, 1], [tall, tall * rng.uniform(0.7, 0.95)])
    model.plate(np.c_[-half, y], np.c_[half, y], 0, top, skin, pieces=1)
    slope = np.degrees(np.arctan2(top[-1] - top[0], length))
    turn = rotation("x", slope) @ rotation("z", rng.uniform(4, 10))
    middle = np.array([0, 0, float(top.mean()) + 0.5])
    blade = 0.82 * length
    wide_blade = rng.uniform(0.36, 0.46) * wide
    model.box(
        (wide_blade, blade, 0.7), steel(rng, ((206, 208, 212), (190, 192, 196))), 0.1, at=middle, turn=turn, hull=False
    )
    slot = middle + turn @ np.array([0.62 * wide_blade, 0.02 * length, -0.45])
    model.box((0.22 * wide, 0.8 * blade, 0.5), plain((34, 32, 32)), 0, at=slot, turn=turn, hull=False)
    disc(model, 0.13 * wide, -0.1, 1.2, plain((120, 122, 126) if rng.random() < 0.6 else (196, 160, 84)), at=middle)
    model.prism(
        circle(0.29 * wide, 16),
        -0.3,
        0.3,
        plain((24, 24, 26)),
        at=(0, -length / 2, 0.48 * tall),
        turn=rotation("x", 90),
        hull=False,
    )
    ribs = plain(skin.tints[0] * 0.7)
    for n in range(5):
        for side in (-1, 1):
            at = (side * half[3 + n // 2] * 0.98, (n - 2) * 0.08 * length, 0.45 * tall)
            model.box((0.6, 0.025 * length, 0.6 * tall), ribs, 0, at=at, hull=False)
    features = ["with a metal blade", "with one hole"]
    return model.instance(skin, "wedge-shaped", features, density=2000 if metal else 1200)


def _barrel(rng: Rng) -> Instance:
    """Return a round container with a hole in its lid, standing."""
    model = ModelBuilder()
    r, tall = rng.uniform(14, 22), rng.uniform(26, 52)
    skin = finish(rng, "plastic", BRIGHT, ("plain", "plain", "plain", "striped", "dotted"), pitch=(5, 9), wear=0.3)
    form = [(0.7, 0), (0.9, 0.04), (rng.uniform(0.9, 1.05), 0.3), (1.0, 0.62)]
    body = smooth(form, 9) * [r, tall]
    model.lathe([(0, 0), *body, (0, 0.62 * tall)], skin, pieces=1)
    top = finish(
        rng, "plastic", [c for c in ("black", "white", "grey", "red", "yellow", "blue") if c != skin.colors[0]]
    )
    lid = smooth([(1.02, 0.62), (1.02, 0.85), (0.8, 0.97), (0.6, 1.0)], 9) * [r, tall]
    model.lathe([(0, 0.62 * tall), *lid, (0, tall)], top, pieces=1)
    holes = int(choice(rng, (1, 1, 2)))
    for n in range(holes):
        x = 0.0 if holes == 1 else (n - 0.5) * 0.62 * r
        size = (0.3 if holes == 1 else 0.24 - 0.06 * n) * r
        model.lathe(
            np.array([(size * 1.25, 0), (size * 1.25, 1), (size, 1)]),
            top.solid(0.8),
            segments=16,
            at=(x, 0, tall - 0.4),
            hull=False,
        )
        disc(model, size, tall - 0.5, tall + 0.5, plain((22, 22, 24)), at=(x, 0, 0))
    features = ["with a container for shavings", f"with {('one hole', 'two holes')[holes - 1]}"]
    return model.instance(skin, "cylindrical", features, colors=(*skin.colors, *top.colors), density=500)


KIND = Kind(
    name="pencil sharpener",
    synonyms=("sharpener", "crayon sharpener"),
    hypernyms=("office supply", "stationery"),
    function="sharpening pencils",
    description="a small block of metal or plastic with a round hole at one end and a blade on its slanted top, or a "
    "little round container with such a hole",
    longest=(0.02, 0.056),
    sample=sample,
)
