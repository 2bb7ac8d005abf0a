"""Markers: thick felt-tip pens with caps in the color of their ink, permanent markers and highlighters."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import barrel, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.kinds.writing_tools import clip
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

INKS = words("black black red blue green orange purple pink yellow turquoise brown")


def sample(rng: Rng) -> Instance:
    """Sample a marker, lying with its tip or cap at +y."""
    model = ModelBuilder()
    length, r = rng.uniform(95, 145), rng.uniform(6, 10)
    word = choice(rng, INKS)
    ink = tint(rng, word)
    bodied = choice(rng, (word, word, "white", "white", "grey", "black"))
    skin = finish(rng, "plastic", bodied, wear=0.3)
    if bodied == word:
        skin = skin.painted(ink)
    body = length * rng.uniform(0.56, 0.66)
    end: Skin = plain(ink)
    foot = rng.uniform(5, 14)
    barrel(model, [(0.8 * r, 0), (0.92 * r, 2), (0.92 * r, foot)], end, 0)
    capped = rng.random() < 0.72
    field = choice(rng, ("white", "black", "yellow")) if capped and rng.random() < 0.5 else ""
    waist = rng.uniform(0.9, 1.04)
    barrel(
        model,
        [(0.96 * r, 0), (r, 3), (waist * r, 0.5 * body), (r, body - foot)],
        _label(rng, skin.tints[0], ink, field),
        foot,
        20,
    )
    cap = [(0.98 * r, 0), (1.04 * r, 1), (0.96 * r, length - body - 4), (0.7 * r, length - body)]
    if capped:
        barrel(model, cap, end, body, 20)
        if rng.random() < 0.6:
            clip(model, r, body + 3, length - 6, 0.8 * r, end)
    else:
        barrel(
            model,
            [(0.85 * r, 0), (0.8 * r, 6), (0.5 * r, 11), (0.45 * r, 16)],
            plain(np.array((40, 40, 42)) if rng.random() < 0.5 else skin.tints[0] * 0.85),
            body,
        )
        if rng.random() < 0.5:
            barrel(model, [(0.36 * r, 0), (0.36 * r, 6), (0.12 * r, 10)], plain(ink * 0.9), body + 15, 12)
        else:
            y = np.array([0, 6, 9]) + body + 15
            model.sweep(
                np.c_[0 * y, y, 0 * y],
                np.array([0.36, 0.36, 0.2]) * r,
                plain(ink * 0.9),
                np.array([0.3, 0.3, 0.05]) * r,
                power=4,
                segments=8,
                pieces=1,
            )
    features = ["with a cap" if capped else "without a cap", f"with {word} ink", "thick" if r > 8.5 else ""]
    colors = (word, field or bodied) if capped else (bodied, word)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=700)


def _label(rng: Rng, color: Floats, ink: Floats, field_word: str) -> TextureImage:
    """Paint a barrel with a printed field and the brand along it."""
    image, draw = tx.canvas((96, 128), color.clip(0, 255).tolist())
    field = tint(rng, field_word) if field_word else color
    if field_word:
        draw.rectangle([0, rng.integers(16, 40), 96, rng.integers(84, 116)], fill=tuple(int(c) for c in field))
    name = sample_brand(rng, ("marker",)).name
    dark = (30, 30, 34) if field.mean() > 120 else (244, 244, 240)
    for x in (0, 32, 64, 96):
        tx.draw_text(image, name, (x, 60), min(17, 84 / len(name)), dark, 90)
    if rng.random() < 0.6:
        draw.rectangle([0, 6, 96, 12], fill=tuple(int(c) for c in ink.clip(0, 255)))
    return np.asarray(image)


KIND = Kind(
    name="marker",
    synonyms=("felt-tip marker", "marker pen", "felt marker"),
    hypernyms=("writing tool", "stationery"),
    function="writing in thick lines",
    description="a thick, straight plastic tube with a printed middle and a cap or soft tip in the color of its ink",
    longest=(0.065, 0.16),
    sample=sample,
)
