"""Calculators: flat cases with a grey-green display, rows of buttons in several colors, and a solar cell."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

CASES = words("black black black grey grey white white blue pink red turquoise green purple yellow")
DISPLAY = ((164, 178, 152), (178, 188, 172), (150, 166, 150), (190, 196, 184))


def sample(rng: Rng) -> Instance:
    """Sample a calculator, lying with its display at +y."""
    model = ModelBuilder()
    height = rng.uniform(85, 165)
    width, thick = height * rng.uniform(0.5, 0.78), rng.uniform(7, 15)
    skin = finish(rng, "plastic", CASES, wear=0.4)
    scientific = rng.random() < 0.35
    rows, cols = (int(rng.integers(7, 9)), int(rng.integers(5, 7))) if scientific else (5, int(rng.integers(4, 6)))
    faces: dict[str, Skin] = dict.fromkeys(("left", "right", "front", "back"), skin)
    keys = rng.uniform(0.56, 0.66) if not scientific else rng.uniform(0.66, 0.72)
    solar = rng.random() < 0.6
    top = _front(rng, skin.tints[0], width, height, keys, solar)
    model.box(
        (width, height, thick),
        {**faces, "top": top, "bottom": _back(rng, skin, width, height)},
        rng.uniform(1, 3.5),
        at=(0, 0, thick / 2),
    )
    dark = skin.tints[0].mean() > 100 or skin.colors[0] == "black"
    base = tint(rng, choice(rng, ("black", "grey"))) if dark and rng.random() < 0.6 else tint(rng, "white")
    if skin.colors[0] == "black":
        base = tint(rng, choice(rng, ("grey", "white", "grey")))
    accents = [
        tint(rng, choice(rng, ("red", "orange", "blue", "green"))),
        tint(rng, choice(rng, ("grey", "blue", "black"))),
    ]
    pitch = np.array([0.9 * width / cols, keys * height / rows])
    images: dict[tuple[int, str], TextureImage] = {}
    labels = ["0", ".", "=", "+", "1", "2", "3", "-", "4", "5", "6", "x", "7", "8", "9", "/"]
    for n in range(rows):
        for m in range(cols):
            digit = n < 4 and m < 4
            color = accents[0] if (n == rows - 1 and m == 0) else accents[1] if m >= 3 or n >= 4 else base
            text = labels[4 * n + m] if digit else ""
            key = (id(color), text)
            if key not in images:
                images[key] = _button(color, text)
            x = -0.45 * width + (m + 0.5) * pitch[0]
            y = -0.47 * height + (n + 0.5) * pitch[1]
            outline = rounded(0.76 * pitch[0], (0.7 if digit else 0.6) * pitch[1], 1, 1)
            side = images.setdefault((id(color), "side"), plain(color * 0.8))
            model.prism(outline, thick - 0.5, thick + 2, images[key], side, at=(x, y, 0), hull=False)
    features = [
        "scientific" if scientific else "",
        "with a solar cell" if solar else "",
        "with a display",
        f"with {rows * cols} buttons",
    ]
    return model.instance(skin, "flat rectangular", features, density=750)


def _button(color: Floats, text: str) -> TextureImage:
    image, _ = tx.canvas((14, 11), color.clip(0, 255).tolist())
    if text:
        tx.draw_text(image, text, (7, 5.5), 9, (20, 20, 22) if color.mean() > 120 else (244, 244, 240))
    return np.asarray(image)


def _back(rng: Rng, skin: Finish, width: float, height: float) -> TextureImage:
    """Paint the back: the lid over the cell, four screws, and often a label."""
    image = Image.fromarray(skin.image(width, height))
    draw, (w, h) = ImageDraw.Draw(image), image.size
    dark = tuple(int(c) for c in skin.tints[0] * 0.6 + 12)
    top = rng.uniform(0.55, 0.75) * h
    draw.rounded_rectangle([0.25 * w, top, 0.75 * w, top + 0.16 * h], 3, outline=dark)
    for x in (0.08 * w, 0.92 * w):
        for y in (0.06 * h, 0.94 * h):
            draw.ellipse([x - 2, y - 2, x + 2, y + 2], fill=(70, 70, 74))
    if rng.random() < 0.6:
        draw.rectangle([0.2 * w, 0.2 * h, 0.8 * w, 0.42 * h], fill=(226, 226, 222))
        for n in range(4):
            y = (0.24 + 0.045 * n) * h
            draw.line([(0.25 * w, y), (rng.uniform(0.5, 0.75) * w, y)], fill=(90, 90, 96))
    return np.asarray(image)


def _front(rng: Rng, color: Floats, width: float, height: float, keys: float, solar: bool) -> TextureImage:
    """Paint the face: a frame, the display with a number, the brand, and a solar cell."""
    w, h = 96, round(96 * height / width)
    image, draw = tx.canvas((w, h), color.clip(0, 255).tolist())
    free = (1 - keys - 0.05) * h
    frame = tuple(int(c) for c in (color * 0.45 if color.mean() > 90 else color + 40).clip(0, 255))
    brand = sample_brand(rng, ("calculator",)).name
    ink = (30, 30, 32) if color.mean() > 120 else (236, 236, 232)
    tx.draw_text(image, brand, (26, 0.14 * free), min(9, 44 / (0.6 * len(brand))), ink)
    if solar:
        draw.rectangle([54, 0.06 * free, 90, 0.24 * free], fill=(52, 36, 34))
        for x in (63, 72, 81):
            draw.line([(x, 0.06 * free), (x, 0.24 * free)], fill=(96, 70, 66))
    draw.rounded_rectangle([4, 0.32 * free, 92, 0.94 * free], 3, fill=frame)
    screen = tuple(int(c) for c in np.array(choice(rng, DISPLAY)) * rng.uniform(0.92, 1.05))
    draw.rectangle([9, 0.4 * free, 87, 0.86 * free], fill=screen)
    _digits(draw, rng, 85, 0.44 * free, 0.38 * free)
    return np.asarray(image)


def _digits(draw: ImageDraw.ImageDraw, rng: Rng, right: float, top: float, size: float) -> None:
    """Draw a number of seven-segment digits that ends at `right`."""
    shapes = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgcde", "abc", "abcdefg", "abcdfg")
    for n in range(int(rng.integers(1, 7))):
        x1 = right - 0.75 * size * n
        x0, middle, bottom = x1 - 0.45 * size, top + size / 2, top + size
        lines = {
            "a": (x0, top, x1, top),
            "b": (x1, top, x1, middle),
            "c": (x1, middle, x1, bottom),
            "d": (x0, bottom, x1, bottom),
            "e": (x0, middle, x0, bottom),
            "f": (x0, top, x0, middle),
            "g": (x0, middle, x1, middle),
        }
        if x0 > 10:
            for segment in choice(rng, shapes):
                draw.line(lines[segment], fill=(34, 38, 34))


KIND = Kind(
    name="calculator",
    synonyms=("electronic calculator", "calculating machine"),
    hypernyms=("electronics", "office supply"),
    function="calculating",
    description="a flat rectangular case with rows of small square buttons below a narrow display",
    longest=(0.08, 0.175),
    sample=sample,
)
