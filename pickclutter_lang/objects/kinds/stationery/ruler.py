"""Rulers: flat strips of wood, plastic, clear plastic or steel with a scale of lines and numbers."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle

WOODEN = {"yellow": ((230, 190, 92), (222, 178, 84)), "brown": ((188, 136, 84), (204, 154, 98), (214, 168, 112))}


def sample(rng: Rng) -> Instance:
    """Sample a ruler, lying along y."""
    model = ModelBuilder()
    count = int(choice(rng, (10, 15, 15, 20, 25, 30)))
    length = count * 10 + rng.uniform(3, 10)
    if length > 300:
        length = 305
    wide = rng.uniform(22, 34) * (0.7 + 0.01 * count)
    material = choice(rng, ("wood", "wood", "plastic", "plastic", "clear", "steel"))
    if material == "wood":
        word = choice(rng, ("yellow", "brown", "brown"))
        skin, thick = finish(rng, "wood", word, wear=0.5, rgb=WOODEN[word]), rng.uniform(2.2, 4)
    elif material == "steel":
        skin, thick = steel(rng, ((196, 198, 202), (180, 182, 186))), rng.uniform(1.0, 1.4)
    elif material == "clear":
        skin, thick = (
            finish(rng, "plastic", "white", wear=0.4, rgb=((206, 216, 220), (216, 222, 222), (196, 212, 218))),
            rng.uniform(1.6, 2.6),
        )
    else:
        skin, thick = finish(rng, "plastic", [*BRIGHT, "white"], wear=0.4), rng.uniform(1.8, 3)
    two = rng.random() < 0.6
    image = _scale(skin, wide, length, count, two)
    sides = {"top": image, "bottom": skin if rng.random() < 0.6 else image} | dict.fromkeys(
        ("left", "right", "front", "back"), skin.solid(0.95)
    )
    bevel = material in ("wood", "plastic") and rng.random() < 0.4
    model.box((wide, length, thick), sides, 0.4, at=(0, 0, thick / 2))
    if bevel:
        model.box((0.42 * wide, length - 0.5, 1.6), skin, 0.3, at=(-0.04 * wide, 0, thick + 0.3), hull=False)
    hole = rng.random() < 0.5
    if hole:
        model.prism(
            circle(min(3.2, 0.12 * wide), 14),
            -0.1,
            thick + 1.3 * bevel + 0.15,
            plain((52, 56, 66)),
            at=(0, length / 2 - 5.5, 0),
            hull=False,
        )
    features = [
        "with a hole" if hole else "",
        "with two scales" if two else "with one scale",
        {"clear": "transparent", "wood": "wooden", "steel": "", "plastic": ""}[material],
        "short" if count <= 15 else "long" if count >= 30 else "",
    ]
    return model.instance(skin, "long and flat", features, density=1200)


def _scale(skin: Finish, wide: float, length: float, count: int, two: bool) -> TextureImage:
    """Paint lines every half centimeter and numbers at every centimeter, along one or both edges."""
    rows = 360
    base = skin.image(wide, length, rows)
    cols = base.shape[1]
    image = tx.canvas((cols, rows), (0, 0, 0))[0]
    image.paste(Image.fromarray(base))
    draw = ImageDraw.Draw(image)
    ink = (24, 24, 28) if skin.tints[0].mean() > 95 else (240, 240, 236)
    pitch, first = rows * 10 / length, rows * (0.5 - 5 * count / length)
    for n in range(2 * count + 1):
        y, long = first + n * pitch / 2, 0.3 if n % 2 == 0 else 0.16
        draw.line([(0, y), (long * cols, y)], fill=ink)
        if two:
            draw.line([(cols, y), ((1 - long) * cols, y)], fill=ink)
        if n % 2 == 0 and pitch > 9:
            tx.draw_text(image, str(n // 2), (0.42 * cols, y), min(9, 0.8 * pitch), ink, 90)
    return np.asarray(image)


KIND = Kind(
    name="ruler",
    synonyms=("straight ruler", "measuring ruler", "school ruler"),
    hypernyms=("measuring tool", "office supply", "stationery"),
    function="measuring and drawing straight lines",
    description="a long, flat, straight strip of wood, plastic or metal with fine lines and numbers along its edge",
    longest=(0.1, 0.31),
    sample=sample,
)
