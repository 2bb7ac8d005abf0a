"""Power drills: pistols of two colors with a chuck, a trigger, a grip, and a battery foot or a cable."""

import numpy as np
from PIL import ImageDraw

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, BLACK, banded, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import Brand, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

COLORS = words("orange orange yellow yellow red red blue blue green turquoise black grey")


def sample(rng: Rng) -> Instance:
    """Sample a power drill, standing, with its chuck towards +y."""
    model = ModelBuilder()
    scale = rng.uniform(0.75, 1.05)
    skin = finish(rng, "plastic", COLORS, wear=0.4)
    second = "black" if skin.colors[0] != "black" else choice(rng, ("grey", "red", "yellow"))
    dark = np.array(BLACK) if second == "black" else tint(rng, second)
    cordless = rng.random() < 0.75
    r, long = scale * rng.uniform(25, 30), scale * rng.uniform(100, 145)
    brand = sample_brand(rng, ("drill",), skin.colors)
    rear = [(0, 0), (0.7, 0), (0.93, 0.07), (1, 0.2), (1, 0.7), (0.92, 0.86), (0.86, 1), (0, 1)]
    tall = rng.uniform(1.05, 1.25)
    slim = rng.uniform(0.82, 0.95)
    model.lathe(
        np.array(rear) * [r, long],
        _housing(rng, brand, skin.tints[0], dark),
        pieces=2,
        bend=lambda q: q * [slim, tall, 1],
        turn=ALONG_Y,
    )
    chuck = scale * rng.uniform(36, 50)
    form = [(0, 0), (0.86, 0), (0.86, 0.2), (0.78, 0.22), (0.78, 0.62), (0.6, 0.7), (0.42, 1), (0.2, 1), (0, 0.9)]
    if rng.random() < 0.4:
        model.lathe(
            np.array([(0.85, 0), (0.94, 0.02), (0.94, 0.2), (0.85, 0.22)]) * [r, chuck],
            plain(tint(rng, skin.colors[0]) if rng.random() < 0.5 else (150, 152, 156)),
            at=(0, long, 0),
            turn=ALONG_Y,
            hull=False,
        )
    model.lathe(
        np.array(form) * [r * 0.95, chuck],
        ribbed((40, 40, 42), 18, -0.5, 0.4, 0.75),
        at=(0, long, 0),
        turn=ALONG_Y,
        pieces=2,
    )
    down, lean = scale * rng.uniform(98, 125), rng.uniform(-14, 18) * scale
    y0 = long * rng.uniform(0.25, 0.42)
    spine = smooth([(0, y0, -0.5 * r), (0, y0 - 0.35 * lean, -0.45 * down), (0, y0 - lean, -down)], 12)
    width = scale * smooth([(23,), (19,), (16.5,), (18,), (22,)], 12)[:, 0] * rng.uniform(0.95, 1.1)
    grip = banded([(0, skin.tints[0]), (0.18, dark), (0.8, skin.tints[0])]) if rng.random() < 0.5 else plain(dark)
    model.sweep(spine, 0.85 * width, grip, width, power=2.4, up=(0, 1, 0), pieces=2)
    trigger = plain(tint(rng, choice(rng, ("black", "red", "black"))))
    model.box((9, 14, 24), trigger, 4, at=(0, y0 + 0.9 * width[2], -1.25 * r - 8))
    foot = y0 - lean
    if cordless:
        size = np.array([rng.uniform(46, 58), rng.uniform(80, 112), rng.uniform(26, 42)]) * scale
        battery = (
            plain(tint(rng, skin.colors[0]))
            if rng.random() < 0.25
            else plain(np.asarray(BLACK) * rng.uniform(0.8, 1.6))
        )
        sides = dict.fromkeys(("top", "bottom", "front", "back"), battery) | {
            name: _battery(rng, brand, battery) for name in ("left", "right")
        }
        model.box(size.tolist(), sides, 5, at=(0, foot + 5, -down - size[2] / 2))
        model.prism(rounded(0.9 * size[0], 0.9 * size[1], 8), -down - 2, -down + 9, skin, at=(0, foot + 4, 0))
    else:
        cable = smooth([(0, foot, -down), (0, foot - 6, -down - 14), (4, foot - 26, -down - 22)], 9)
        model.sweep(cable, np.linspace(6, 3.5, 9), plain(BLACK), up=(1, 0, 0), pieces=2)
    features = ["with a battery" if cordless else "with a cable", "with a trigger", "with lettering"]
    return model.instance(
        skin, "pistol-shaped", features, colors=(*skin.colors, second), pattern="two-coloured", density=900
    )


def _housing(rng: Rng, brand: Brand, color: Floats, dark: Floats) -> TextureImage:
    """Paint the motor's housing: vents at the back, the brand on both sides."""
    image, draw = tx.canvas((160, 96), [*color])
    if rng.random() < 0.6:
        draw.rectangle([0, 0, 160, rng.integers(10, 24)], fill=tuple(int(c) for c in dark))
    for side in (0.0, 0.5, 1.0):
        _vents(draw, 160 * side)
        tx.draw_text(
            image, brand.name, (160 * side, 46), min(14, 64 / len(brand.name)), [*dark], 90 if side != 0.5 else 270
        )
    return np.asarray(image)


def _vents(draw: ImageDraw.ImageDraw, x: float) -> None:
    for n in range(-2, 3):
        draw.rectangle([x + 6 * n - 1, 76, x + 6 * n + 1, 88], fill=(24, 24, 26))


def _battery(rng: Rng, brand: Brand, ground: TextureImage) -> TextureImage:
    image, _ = tx.canvas((96, 40), ground[0, 0].tolist())
    ink = (236, 236, 232) if ground[0, 0].mean() < 120 else (30, 30, 32)
    tx.draw_text(image, choice(rng, ("12 V", "18 V", "20 V MAX", "14.4 V", "LI-ION")), (48, 20), 15, ink)
    return np.asarray(image)


KIND = Kind(
    name="power drill",
    synonyms=("electric drill", "drill driver", "drilling machine"),
    hypernyms=("power tool", "tool"),
    function="drilling holes",
    description="a bulky, pistol-shaped machine with a cylindrical motor housing, a tapered round chuck in front, a "
    "grip with a trigger, and often a thick rectangular block below",
    longest=(0.12, 0.24),
    sample=sample,
)
