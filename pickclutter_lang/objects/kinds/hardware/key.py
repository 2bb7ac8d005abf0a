"""Keys: flat cut keys with round, square or plastic heads, and old ones with a barrel and bit."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT, ring, strip
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural.surfaces import circle

BRASSES = ((206, 166, 74), (190, 150, 62), (216, 182, 96), (176, 128, 70))
OLD = ((90, 74, 54), (70, 64, 60), (122, 92, 52), (60, 56, 54))


def sample(rng: Rng) -> Instance:
    """Sample a key, lying with its head at -y."""
    return _old(rng) if rng.random() < 0.25 else _cut(rng)


def _cut(rng: Rng) -> Instance:
    model = ModelBuilder()
    length, thick = rng.uniform(26, 40), rng.uniform(1.8, 2.6)
    brass = rng.random() < 0.4
    skin = finish(rng, "metal", "yellow" if brass else "grey", wear=0.7, rgb=BRASSES if brass else STEEL)
    half, teeth = rng.uniform(3, 4.2), int(rng.integers(5, 8))
    y = np.linspace(0, length, 2 * teeth + 3)
    depth = np.zeros(len(y))
    depth[2:-1] = np.repeat(rng.uniform(0, 0.9 * half, teeth), 2) + np.tile((0.0, 0.15), teeth)
    edge = half - depth
    edge[-1] = -0.2 * half
    low = np.full(len(y), -half)
    low[-1] = -0.5 * half
    model.plate(np.c_[low, y], np.c_[edge, y], -thick / 2, thick / 2, skin, pieces=1)
    for z in (-1, 1):
        model.box(
            (0.35 * half, 0.9 * length, 0.3),
            plain(skin.tints[0] * 0.45),
            0,
            at=(-0.45 * half, 0.45 * length, z * thick / 2),
            hull=False,
        )
    form = choice(rng, ("round", "square", "oval", "plastic", "plastic"))
    wide = rng.uniform(20, 27)
    outlines = {
        "round": circle(wide / 2, 24),
        "square": rounded(wide, wide * 0.85, 3),
        "oval": circle(1, 24) * [wide * 0.6, wide * 0.42],
        "plastic": rounded(wide, wide * rng.uniform(0.9, 1.5), wide * rng.uniform(0.2, 0.45)),
    }
    outline = outlines[form]
    back = float(-outline[:, 1].max() + 1.5)
    head = skin if form != "plastic" else finish(rng, "plastic", [*BRIGHT, "black", "black", "black"], wear=0.4)
    high = thick / 2 if form != "plastic" else thick * rng.uniform(1.0, 1.6)
    model.prism(np.add(outline, (0, back)), -high, high, head)
    model.box((1.7 * half, 5, 1.3 * thick), skin, 0.3, at=(0, 1.5, 0), hull=False)
    hole = circle(wide * rng.uniform(0.1, 0.16), 12, (0, back - wide * 0.24))
    model.prism(hole, -high - 0.15, high + 0.15, plain((36, 36, 40)), hull=False)
    features = ["with a plastic head" if form == "plastic" else "with a metal head", "with teeth", "with a hole"]
    colors = (*head.colors, *skin.colors)
    return model.instance(head, "long and flat", features, colors=colors, density=4500, material="metal")


def _old(rng: Rng) -> Instance:
    model = ModelBuilder()
    length, r = rng.uniform(45, 80), rng.uniform(2, 3.4)
    word, rgb = choice(rng, (("brown", OLD[:1]), ("brown", OLD[2:3]), ("grey", STEEL), ("yellow", BRASSES)))
    skin = finish(rng, "metal", word, wear=1.0, rgb=rgb)
    y = np.array([0, 0.06, 0.1, 0.14, 0.2, 0.96, 1]) * length
    model.sweep(np.c_[0 * y, y, 0 * y], r * np.array([1, 1.6, 1.1, 1.6, 1, 1, 0.7]), skin, segments=12, pieces=1)
    size = rng.uniform(8, 12)
    ring_head = rng.random() < 0.5
    if ring_head:
        ring(model, 0.55 * size, size, 1.3 * r, skin, at=(0, -0.9 * size, 0), wedges=4)
    else:
        for angle in np.radians((150, 30, 270)):
            at = (0.6 * size * np.cos(angle), -0.9 * size + 0.6 * size * np.sin(angle), 0)
            ring(model, 0.25 * size, 0.55 * size, 1.3 * r, skin, at=at, wedges=1, segments=16)
    bit, out = rng.uniform(0.16, 0.24) * length, rng.uniform(9, 13)
    line = np.array([(0, 0.94 * length - bit / 2), (out, 0.94 * length - bit / 2)])
    model.plate(*strip(line, bit / 2), -0.45 * r, 0.45 * r, skin, pieces=1)
    notch = plain((44, 44, 48))
    for n in range(2):
        at = (out * 0.75, 0.94 * length - bit * (0.3 + 0.4 * n), 0)
        model.box((out * 0.55, 0.14 * bit, r), notch, 0, at=at, hull=False)
    return model.instance(skin, "long and thin", ["old", "with a ring-shaped head" if ring_head else ""], density=4500)


KIND = Kind(
    name="key",
    synonyms=("door key", "house key", "metal key"),
    hypernyms=("hardware", "household item"),
    function="opening locks",
    description="a small metal object with a flat wide head to hold and a narrow straight blade with a toothed edge",
    longest=(0.035, 0.11),
    sample=sample,
)
