"""Teapots: round or tall bodies with a spout, an ear, and a lid with a knob."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import CHINA, china, loop_handle
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth


def sample(rng: Rng) -> Instance:
    """Sample a teapot, standing, its spout at -y."""
    model = ModelBuilder()
    material = choice(rng, likely(ceramic=6, metal=2, steel=1))
    skin = china(rng)
    if material != "ceramic":
        skin = finish(rng, material, "grey" if material == "steel" else CHINA, rgb=STEEL if material == "steel" else ())
    r = rng.uniform(46, 66)
    h, foot, neck = r * rng.uniform(1.2, 1.9), r * rng.uniform(0.55, 0.78), r * rng.uniform(0.45, 0.66)
    belly = h * rng.uniform(0.36, 0.55)
    wide = [(0.55 * foot + 0.45 * r, 0.14 * h), (r, belly), (0.5 * (r + neck), 0.87 * h)]
    outer = smooth([(foot, 0), *wide, (neck, h)], 15)
    model.lathe([(0, 0), *outer, (0, h)], skin, pieces=1)
    lid = skin.solid(rng.uniform(0.85, 1.05)) if rng.random() < 0.7 else skin.painted((236, 234, 226))
    top, knob = neck * rng.uniform(0.2, 0.45), r * rng.uniform(0.14, 0.2)
    dome = smooth([(neck * 1.05, h), (neck * 0.8, h + 0.6 * top), (knob * 0.6, h + top)], 7)
    ball = smooth([(0.6, 0), (1.0, 1.0), (0.8, 1.7), (0, 2.0)], 8) * knob + np.array([0, h + top])
    model.lathe([(0, h - 1), (neck * 1.05, h - 1), *dome, *ball[1:]], lid, segments=24, pieces=2)
    low, tip = h * rng.uniform(0.24, 0.42), h * rng.uniform(0.9, 1.04)
    wall = float(np.interp(low, outer[:, 1], outer[:, 0]))
    far = r * rng.uniform(1.5, 1.75)
    bend = [(0, -0.65 * wall - 0.35 * far - 4, low + 0.12 * h), (0, -0.9 * far, 0.7 * tip)]
    path = smooth([(0, -wall + 6, low), *bend, (0, -far, tip)], 12)
    tube = np.linspace(r * rng.uniform(0.26, 0.36), r * rng.uniform(0.11, 0.16), 12)
    model.sweep(path, tube, skin.solid(), tube, up=(1, 0, 0), pieces=3)
    opening = np.array([(0, -far + 0.5, tip - 2), (0, -far - 0.4, tip + 0.6)])
    model.sweep(opening, tube[-1] * 0.7, skin.painted((40, 36, 34)), segments=8, up=(1, 0, 0), hull=False)
    over = rng.random() < 0.22
    grip = skin.solid() if rng.random() < 0.75 else finish(rng, "wood", "brown").painted((96, 62, 36))
    if over:
        t = np.linspace(0, np.pi, 15)
        side = 0.8 * r
        loop = np.c_[0 * t, side * np.cos(t), h * 0.78 + r * rng.uniform(1.0, 1.3) * np.sin(t)]
        model.sweep(loop, rng.uniform(3, 5), grip, rng.uniform(3, 4), up=(1, 0, 0), segments=10, pieces=4)
    else:
        upper, lower = h * rng.uniform(0.74, 0.88), h * rng.uniform(0.18, 0.34)
        loop_handle(model, rng, grip, outer, upper, lower, r * rng.uniform(0.45, 0.62), rng.uniform(4, 6))
    features = ["with a handle over the top" if over else "with a handle at the side", "with a lid", "with a spout"]
    return model.instance(skin, "round", features, density=900)


KIND = Kind(
    name="teapot",
    synonyms=("tea pot", "pot for tea"),
    hypernyms=("tableware", "container"),
    function="brewing and pouring tea",
    description="a rounded pot with a curved spout on one side, a loop-shaped handle on the other, and a small lid "
    "with a knob on top",
    longest=(0.12, 0.25),
    sample=sample,
)
