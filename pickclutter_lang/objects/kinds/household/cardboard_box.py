"""Cardboard boxes: plain brown cartons, closed with tape or with open flaps, some printed with arrows or a label."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import bar_code
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import rotation

KRAFT = ((186, 146, 98), (170, 128, 82), (198, 160, 112), (158, 118, 76))


def _print(rng: Rng, ground: TextureImage) -> TextureImage:
    """Print arrows, a glass, or a word on a side."""
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    h, w = ground.shape[:2]
    ink, unit = choice(rng, ((40, 34, 30), (150, 30, 30), (40, 60, 120))), min(h, w) * 0.14
    style = choice(rng, ("arrows", "word", "label", "label"))
    x, y = w * 0.25, h * 0.35
    if style == "arrows":
        for k in (0, 1.4):
            a = x + k * unit
            draw.polygon([(a, y - unit), (a + 0.5 * unit, y), (a - 0.5 * unit, y)], fill=ink)
            draw.rectangle([a - 0.18 * unit, y, a + 0.18 * unit, y + unit], fill=ink)
    elif style == "word":
        tx.draw_text(
            image,
            choice(rng, ("FRAGILE", "PARTS", "BOOKS", "THIS SIDE UP", "20 PCS")),
            (w / 2, h / 2),
            max(6, 0.13 * w),
            ink,
        )
    else:
        draw.rectangle([0.4 * w, 0.3 * h, 0.86 * w, 0.8 * h], fill=(244, 244, 240))
        bar_code(draw, 0.45 * w, 0.55 * h, 0.36 * w, 0.2 * h, rng)
        for line in (0.36, 0.42, 0.48):
            draw.line([(0.44 * w, line * h), (rng.uniform(0.6, 0.8) * w, line * h)], fill=(60, 60, 64))
    return np.asarray(image)


def sample(rng: Rng) -> Instance:
    """Sample a cardboard box, standing."""
    model = ModelBuilder()
    y = rng.uniform(70, 220)
    x, z = y * rng.uniform(0.5, 1.0), y * rng.uniform(0.28, 0.95)
    word = choice(rng, ("brown",) * 9 + ("white",))
    skin = finish(rng, "cardboard", word, wear=0.9, rgb=KRAFT if word == "brown" else ())
    opened = rng.random() < 0.35
    printed = rng.random() < 0.55
    sides = {n: skin.image(*s) for n, s in {"right": (y, z), "front": (x, z)}.items()}
    sides |= {"left": sides["right"], "back": sides["front"], "top": sides["front"], "bottom": sides["front"]}
    if printed:
        sides[choice(rng, ("right", "right", "front"))] = _print(rng, sides["right"])
    top = skin.image(x, y).astype(float)
    u, _ = tx.uv_grid(*top.shape[:2])
    # The flaps meet in the middle along y; tape lies over the slit.
    taped = rng.random() < 0.75
    tape_color = np.array(choice(rng, ((206, 176, 126), (150, 106, 60), (222, 214, 190), (60, 60, 64))))
    top = top * (1 - 0.5 * (np.abs(u - 0.5) < 0.008))[..., None]
    if taped:
        width = rng.uniform(0.06, 0.12)
        top = tx.lerp_color(top, tape_color, 0.85 * (np.abs(u - 0.5) < width))
    lid = tx.to_uint8(top)
    if not opened:
        model.box((x, y, z), sides | {"top": lid, "bottom": skin.image(x, y)}, 1.0, at=(0, 0, z / 2))
        if taped:
            for s in (-1, 1):
                model.box(
                    (x * 2 * width, 0.8, z * 0.25),
                    plain(tape_color * 0.92 + 8),
                    0,
                    at=(0, s * y / 2, z * 0.875),
                    hull=False,
                )
    else:
        wall = 2.5
        for s in (-1, 1):
            model.box((wall, y, z), sides, 0.5, at=(s * (x - wall) / 2, 0, z / 2))
            model.box((x, wall, z), sides, 0.5, at=(0, s * (y - wall) / 2, z / 2))
            for axis, long, deep in (("y", y, x * 0.46), ("x", x, y * 0.3)):
                tilt = rng.uniform(15, 120)
                turn = rotation(axis, s * tilt * (1 if axis == "y" else -1))
                size = (wall, long * 0.96, deep) if axis == "y" else (long * 0.96, wall, deep)
                edge = np.array([s * x / 2, 0, z] if axis == "y" else [0, s * y / 2, z])
                model.box(size, skin.image(60, 60, 64), 0.3, at=edge + turn @ [0, 0, deep / 2], turn=turn)
        model.box((x - wall, y - wall, wall), skin.image(x, y, 80), 0, at=(0, 0, wall / 2))
    features = [
        "open" if opened else "closed",
        "with tape" if taped and not opened else "",
        "with print" if printed else "without print",
    ]
    return model.instance(skin, "box-shaped", features, pattern="printed" if printed else "plain", density=150)


KIND = Kind(
    name="cardboard box",
    synonyms=("shipping box", "parcel", "moving box"),
    hypernyms=("box", "package", "container"),
    function="packing things",
    description="a plain brown box of stiff paper with four flaps on top, closed with tape or open",
    longest=(0.065, 0.34),
    sample=sample,
)
