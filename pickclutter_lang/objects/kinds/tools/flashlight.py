"""Flashlights: tubes of metal or plastic with a wider head, a lens, a switch, and sometimes a wrist strap."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, barrel, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage

COLORS = words("black black black grey red blue yellow yellow orange green purple")


def sample(rng: Rng) -> Instance:
    """Sample a flashlight, lying with its lens towards +y."""
    model = ModelBuilder()
    length, r = rng.uniform(85, 215), rng.uniform(11, 17)
    head = length * rng.uniform(0.2, 0.32)
    skin = finish(rng, choice(rng, ("metal", "plastic")), COLORS, wear=0.4)
    body = length - head
    cap, tail = rng.uniform(0.08, 0.14) * body, r * rng.uniform(0.92, 1.12)
    barrel(model, [(0.85 * tail, 0), (tail, 2), (tail, cap)], skin, 0, 20)
    grip: Skin = ribbed(skin.tints[0], int(rng.integers(14, 26)), 0.35, 0.3, 0.85) if rng.random() < 0.5 else skin
    barrel(model, [(r * 0.94, 0), (r * 0.94, 3), (r, 4), (r, body - cap + 3)], grip, cap, 20)
    _head(model, rng, skin, r, head, body)
    side_switch, strap = rng.random() < 0.6, rng.random() < 0.25
    button = plain(tint(rng, choice(rng, ("red", "black", "green", "grey", "black"))))
    if side_switch:
        model.box((8, rng.uniform(10, 22), 4), button, 1.8, at=(0, body * rng.uniform(0.72, 0.85), r))
    else:
        barrel(model, [(0.6 * tail, -2), (0.6 * tail, 0), (0.5 * tail, 3)], button, 0, 14, hull=False)
    if strap:
        half = np.array([(2, 1, 0), (10, -16, -0.6 * r), (16, -42, -0.9 * r), (0, -54, -0.9 * r)])
        path = smooth(np.concatenate([half, half[-2::-1] * [-1, 1, 1]]), 22)
        path[-1] = path[0]
        model.sweep(path, 1.4, plain(tint(rng, "black")), segments=6, closed=True, pieces=6)
    features = [
        "with a wrist strap" if strap else "without a strap",
        "with a button on its side" if side_switch else "with a button at its end",
    ]
    return model.instance(skin, "cylindrical", features, density=900)


def _head(model: ModelBuilder, rng: Rng, skin: Finish, r: float, head: float, start: float) -> None:
    """Add the head: a cone, a step or a slope, a rim round it, and the lens."""
    wide, slope = r * rng.uniform(1.15, 1.9), choice(rng, (0.35, 0.6, 0.9))
    cone = smooth([(r, 0), (r + 0.35 * (wide - r), 0.4 * slope), (wide, slope)], 8) * [1, head]
    rows = [*cone.tolist(), (wide, head), (0.86 * wide, head), (0.8 * wide, head - 4)]
    second: Skin = plain(tint(rng, choice(rng, ("black", "grey", "red")))) if rng.random() < 0.3 else skin
    model.lathe([(0, 0), *rows], second, segments=24, pieces=2, at=(0, start, 0), turn=ALONG_Y)
    rim = plain(tint(rng, choice(rng, ("black", "grey", skin.colors[0]))))
    bezel = np.array([(0.98, 0), (1.05, 1), (1.05, 6), (0.98, 7), (0.85, 7.2), (0.85, 0), (0.98, 0)]) * [wide, 1]
    model.lathe(bezel, rim, segments=24, at=(0, start + head - 6.5, 0), turn=ALONG_Y, hull=False)
    lens = [(0.84 * wide, 0), (0.6 * wide, 0.4), (0, 0.5)]
    model.lathe(lens, _lens(rng), segments=24, at=(0, start + head - 1.5, 0), turn=ALONG_Y, hull=False)


def _lens(rng: Rng) -> TextureImage:
    """Paint a reflector behind glass, from its rim (v = 0) to the bulb (v = 1); or a group of diodes."""
    u, v = tx.uv_grid(64, 96)
    color = tx.lerp_color(
        (150, 154, 160), (236, 238, 240), 0.5 + 0.5 * np.sin(4 * np.pi * u + rng.uniform(0, 6)) * (1 - v)
    )
    if rng.random() < 0.5:
        color = tx.lerp_color(color, (250, 232, 130), tx.smoothstep(v, 0.72, 0.8))
    else:
        dots = 1 - tx.smoothstep(np.hypot(((u * 6) % 1 - 0.5) * 1.1, (v - 0.5) * 3), 0.3, 0.4)
        color = tx.lerp_color(color * 0.8, (252, 246, 190), np.maximum(dots, tx.smoothstep(v, 0.86, 0.9)))
    return tx.to_uint8(color)


KIND = Kind(
    name="flashlight",
    synonyms=("torch", "hand torch", "pocket torch"),
    hypernyms=("lamp", "hand tool", "tool"),
    function="giving light in the dark",
    description="a straight tube to hold in one hand, with a wider round head that has a clear lens over a shiny "
    "reflector, and a small switch",
    longest=(0.08, 0.29),
    sample=sample,
)
