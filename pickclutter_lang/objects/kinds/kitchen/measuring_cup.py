"""Measuring cups: clear or white jugs with a scale, a lip and an ear, or scoops with a flat handle."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import dish, loop_handle, spout
from pickclutter_lang.objects.kinds.finishes import STEEL, Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats


def scale(rng: Rng, ground: Floats, ink: Floats, unit: str) -> TextureImage:
    """Return the image of a scale: long and short lines with numbers, an arrow of color up the middle."""
    image, draw = tx.canvas((72, 120), [*np.clip(ground, 0, 255)])
    color = tuple(int(c) for c in np.clip(ink, 0, 255))
    step, count = int(choice(rng, (50, 100, 100, 125))), int(rng.integers(4, 7))
    draw.line([(38, 4), (38, 116)], fill=color, width=1)
    for n in range(count):
        y = 112 - n * 100 / (count - 1)
        draw.line([(38, y), (62, y)], fill=color, width=3)
        draw.line([(38, y - 50 / (count - 1)), (52, y - 50 / (count - 1))], fill=color, width=2)
        if n:
            tx.draw_text(image, str(n * step), (19, y), 13, color)
    tx.draw_text(image, unit, (54, 8), 12, color)
    return np.asarray(image)


def sample(rng: Rng) -> Instance:
    """Sample a measuring cup, standing, its lip at -y and its handle at +y."""
    model = ModelBuilder()
    if rng.random() < 0.25:
        return _scoop(model, rng)
    material = choice(rng, ("glass", "glass", "plastic", "plastic", "steel"))
    if material == "glass":
        skin = finish(rng, "glass", "white").painted(np.array((206, 214, 216)) * rng.uniform(0.92, 1.04))
    elif material == "steel":
        skin = finish(rng, "steel", "grey", rgb=STEEL)
    else:
        skin = finish(rng, "plastic", likely(white=6, blue=1, green=1, pink=1, yellow=1, turquoise=1))
    r = rng.uniform(36, 56)
    h, foot, wall = r * rng.uniform(1.5, 2.6), r * rng.uniform(0.72, 0.95), 3.0
    outer = smooth([(foot, 0), (0.5 * (foot + r) + 1, 0.4 * h), (r, h)], 9)
    inner = np.array([*(outer[::-1] - [wall, 0])[:-1], (foot - wall, wall), (0, wall)])
    bend = spout(h, r * rng.uniform(0.2, 0.4), 0.35)
    dish(model, outer, inner, skin, skin.solid(0.9), bend=bend)
    ink = tint(rng, choice(rng, ("red", "red", "blue", "black", "black", "green")))
    low, high = 0.14 * h, 0.86 * h
    marks = scale(rng, skin.tints[0], ink, choice(rng, ("ml", "ml", "cup")))
    add_label(model, outer, marks, low, high, 0.62)
    top, bottom, open_end = 0.9 * h, h * rng.uniform(0.2, 0.35), rng.random() < 0.5
    grip, reach = _grip(rng, skin), r * rng.uniform(0.5, 0.7)
    loop_handle(model, rng, grip, outer, top, bottom, reach, rng.uniform(4, 6), open_end)
    features = ["with a handle", "with a scale", "with a spout", "transparent" if material == "glass" else ""]
    return model.instance(skin, "cup-shaped", features)


def _grip(rng: Rng, skin: Finish) -> Finish:
    return (
        skin.solid() if rng.random() < 0.75 else skin.painted(tint(rng, choice(rng, ("red", "blue", "black", "green"))))
    )


def _scoop(model: ModelBuilder, rng: Rng) -> Instance:
    """Add a cup with a flat handle, as of a set for flour and sugar."""
    word = choice(rng, likely(grey=5, red=1, blue=1, green=1, yellow=1, orange=1, white=1, turquoise=1, pink=1))
    steel = word == "grey"
    skin = finish(rng, "steel" if steel else "plastic", word, rgb=STEEL if steel else ())
    r = rng.uniform(22, 40)
    h, wall = r * rng.uniform(0.8, 1.15), 2.0
    outer = smooth([(r * 0.8, 0), (r * 0.95, 0.3 * h), (r, h)], 7)
    model.vessel(outer, wall, skin, skin.solid(0.92))
    length = rng.uniform(60, 95)
    y = r - 2 + np.linspace(0, length, 8)
    half = smooth([(9,), (6,), (7.5,), (9,), (5,)], 8)[:, 0]
    model.plate(np.c_[-half, y], np.c_[half, y], h - 3.5, h - 0.8, skin.solid(), pieces=1)
    image, _ = tx.canvas((24, 64), [*np.clip(skin.tints[0], 0, 255)])
    dark = (36, 36, 40) if float(skin.tints[0].mean()) > 90 else (240, 240, 240)
    tx.draw_text(image, choice(rng, ("1 cup", "1/2 cup", "1/3 cup", "1/4 cup")), (12, 32), 13, dark, 90)
    model.box((9, length * 0.5, 0.4), np.asarray(image), 0.0, at=(0, r + 0.55 * length, h - 0.7), hull=False)
    return model.instance(skin, "cup-shaped", ["with a long flat handle", "with lettering", "without a spout"])


KIND = Kind(
    name="measuring cup",
    synonyms=("measure cup", "kitchen measure"),
    hypernyms=("kitchen tool", "container"),
    function="measuring liquids and flour",
    description="an open cup, clear, white or steel, with printed lines or numbers and a handle",
    longest=(0.06, 0.2),
    sample=sample,
)
