"""Clipboards: boards of hardboard or plastic with a metal clip on top, empty or with sheets of paper."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_X, BRIGHT, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle

BOARDS = ((150, 102, 60), (132, 86, 50), (168, 120, 74), (184, 140, 92))


def sample(rng: Rng) -> Instance:
    """Sample a clipboard, lying with its clip at +y."""
    model = ModelBuilder()
    tall = rng.uniform(165, 310)
    wide, thick = tall * rng.uniform(0.66, 0.76), rng.uniform(2.4, 4)
    wooden = rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=BOARDS)
        if wooden
        else finish(rng, "plastic", [*BRIGHT, "black", "black", "white"], wear=0.4)
    )
    model.prism(rounded(wide, tall, rng.uniform(3, 14)), 0, thick, skin)
    top = thick
    loaded = rng.random() < 0.6
    if loaded:
        w, h, stack = wide * rng.uniform(0.82, 0.93), tall * rng.uniform(0.84, 0.92), rng.uniform(0.4, 2.5)
        image, paper = _sheet(rng), plain((236, 236, 230))
        faces = dict.fromkeys(("left", "right", "front", "back", "bottom"), paper) | {"top": image}
        model.box((w, h, stack), faces, 0, at=(0, -0.02 * tall, thick + stack / 2), hull=False)
        top += stack
    metal = steel(rng, ((190, 192, 196), (176, 178, 182)))
    clip: Skin = metal if rng.random() < 0.8 else plain((36, 36, 38))
    span, deep = wide * rng.uniform(0.36, 0.6), tall * rng.uniform(0.05, 0.09) + 8
    y = tall / 2 - deep * rng.uniform(0.35, 0.6)
    size = (span, deep, 2.0)
    model.box(size, clip, 0.6, at=(0, y, top + 2))
    roll = rng.uniform(3.4, 5.5)
    profile = [(0, -span / 2), (roll, -span / 2), (roll, span / 2), (0, span / 2)]
    model.lathe(profile, clip, segments=14, pieces=1, at=(0, y - 0.35 * deep, top + roll - 1), turn=ALONG_X)
    lip = [(0, -0.46 * span), (1.8, -0.46 * span), (1.8, 0.46 * span), (0, 0.46 * span)]
    model.lathe(lip, clip, segments=10, pieces=1, at=(0, y + 0.5 * deep, top + 4), turn=ALONG_X)
    if rng.random() < 0.5:
        outline = circle(1, 18) * [0.16 * span, 0.3 * deep] + np.array([0, y + 0.55 * deep])
        model.prism(outline, top + 1, top + 3, clip)
        model.prism(
            circle(0.13 * deep, 12, (0, y + 0.68 * deep)), top + 0.8, top + 3.2, plain((40, 40, 44)), hull=False
        )
    features = [
        "with sheets of paper" if loaded else "empty",
        "with a metal clip" if clip is metal else "with a black clip",
    ]
    return model.instance(
        skin, "flat rectangular", features, colors=(*skin.colors, "white") if loaded else (), density=700
    )


def _sheet(rng: Rng) -> TextureImage:
    """Paint a sheet: blank, ruled, a form, or written on."""
    image, draw = tx.canvas((112, 152), (240, 240, 236))
    form, ink = choice(rng, ("blank", "ruled", "form", "written")), (70, 74, 90)
    rows = range(24, 146, 8)
    if form == "ruled":
        for y in rows:
            draw.line([(0, y), (112, y)], fill=(150, 176, 214))
        draw.line([(14, 0), (14, 152)], fill=(220, 120, 120))
    elif form == "form":
        draw.rectangle([10, 8, 70, 15], fill=(60, 62, 70))
        for y in rows:
            draw.rectangle([10, y, 15, y + 5], outline=ink)
            draw.line([(20, y + 5), (104, y + 5)], fill=(150, 152, 160))
    elif form == "written":
        for y in rows:
            x = 10.0
            while x < rng.uniform(70, 102):
                step = rng.uniform(4, 12)
                draw.line([(x, y), (x + step, y)], fill=ink, width=2)
                x += step + 3
    return np.asarray(image)


KIND = Kind(
    name="clipboard",
    synonyms=("clip board", "writing board"),
    hypernyms=("office supply", "stationery"),
    function="holding paper while writing",
    description="a thin, stiff rectangular board with a wide metal clip at the middle of its upper edge, often with "
    "sheets of paper",
    longest=(0.16, 0.33),
    sample=sample,
)
