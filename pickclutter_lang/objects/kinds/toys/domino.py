"""Dominoes: flat tiles with two fields of 0 to 6 pips, lying or standing on an edge, of plastic or wood."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.kinds.toys.dice import DOTS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation

INKS = ("red", "blue", "green", "orange", "purple", "pink")


def sample(rng: Rng) -> Instance:
    """Sample a domino, its pips up or to +x."""
    model = ModelBuilder()
    width = rng.uniform(19, 30)
    length, thick = width * rng.uniform(1.9, 2.1), width * rng.uniform(0.28, 0.42)
    wooden = rng.random() < 0.3
    word = "brown" if wooden else choice(rng, ("white",) * 6 + ("black",) * 4 + BRIGHT)
    skin = finish(rng, "wood" if wooden else "plastic", word, rgb=WOODS if wooden else ())
    light = float(skin.tints[0] @ [0.3, 0.59, 0.11]) > 105
    ink_word = choice(rng, ("black",) * 5 + (INKS if word in ("white", "brown") else ())) if light else "white"
    ink_word = ink_word if ink_word != word else "black"
    ink = tint(rng, ink_word)
    image = skin.image(width, length, 128).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    counts = rng.integers(0, 7, 2)
    radius = rng.uniform(0.065, 0.1)
    mask = (1 - tx.smoothstep(np.abs(v - 0.5), 0.008, 0.014)) * (np.abs(u - 0.5) < 0.42)
    for count, middle in zip(counts, (0.75, 0.25), strict=True):
        for x, y in DOTS[count]:
            distance = np.hypot(u - 0.5 - 0.27 * x, 2 * (v - middle) - 0.27 * y)
            mask = np.maximum(mask, 1 - tx.smoothstep(distance, 0.85 * radius, 1.15 * radius))
    face = tx.to_uint8(tx.lerp_color(image, ink, mask))
    back = skin.image(width, length, 96)
    sides = {"top": face, "bottom": back} | {n: skin.solid().image(length, thick, 64) for n in ("left", "right")}
    sides |= {n: skin.solid().image(width, thick, 48) for n in ("front", "back")}
    turn = rotation("z", choice(rng, (0, 90)))
    standing = rng.random() < 0.35
    if standing:
        turn = rotation("x", choice(rng, (0, 90))) @ rotation("y", 90) @ rotation("z", 90)
    model.box((width, length, thick), sides, thick * rng.uniform(0.05, 0.25), turn=turn)
    features = ["with dots" if counts.sum() else "without dots", "standing" if standing else "lying"]
    colors = (word, ink_word) if counts.sum() else (word,)
    return model.instance(skin, "flat rectangular", features, colors=colors, density=1100)


KIND = Kind(
    name="domino",
    synonyms=("domino tile", "domino piece", "domino stone"),
    hypernyms=("game piece", "toy"),
    function="playing dominoes",
    description="a flat rectangular tile, twice as long as wide, divided by a line into two squares with dots",
    longest=(0.033, 0.066),
    sample=sample,
)
