"""Sponges: porous blocks, many with a scouring layer, straight, rounded or waisted."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

COLORS = ["yellow", "yellow", "yellow", "yellow", "blue", "pink", "green", "orange", "turquoise", "purple"]
SCOURERS = ["green", "green", "green", "black", "blue", "red"]


def _pores(rng: Rng, color: Floats, rows: int, cols: int, coarse: float) -> TextureImage:
    """Paint the cut through foam: fine pores, and some large ones."""
    fine = tx.grid_noise(rng, (rows, cols), rows // 3, cols // 3)
    large = tx.grid_noise(rng, (rows, cols), max(3, rows // 9), max(3, cols // 9))
    depth = 0.4 * tx.smoothstep(fine, 0.6, 1.6) + 0.45 * coarse * tx.smoothstep(large, 1.0, 1.6)
    tone = 1 + 0.05 * tx.grid_noise(rng, (rows, cols), 3, 4)
    return tx.to_uint8(color * (tone * (1 - depth))[..., None])


def sample(rng: Rng) -> Instance:
    """Sample a sponge, lying."""
    model = ModelBuilder()
    length = rng.uniform(75, 125)
    width, thick = length * rng.uniform(0.55, 0.8), length * rng.uniform(0.2, 0.38)
    word = choice(rng, COLORS)
    color, coarse = tint(rng, word) * (1.0, 1.0, rng.uniform(0.9, 1.2)), float(rng.random() < 0.4)
    top, side = _pores(rng, color, 72, 110, coarse), _pores(rng, color * 0.97, 27, 256, coarse)
    outline = rounded(length, width, choice(rng, (1.5, 4, 10, 0.5 * width)) * rng.uniform(0.7, 1.0), 6)
    waisted = rng.random() < 0.2
    if waisted:
        dense = np.concatenate(
            [np.linspace(a, b, 5)[:-1] for a, b in zip(outline, np.roll(outline, -1, 0), strict=True)]
        )
        outline = dense * np.c_[np.ones(len(dense)), 1 - 0.2 * np.cos(np.pi * np.clip(dense[:, 0] / length, -0.5, 0.5))]
    scourer = rng.random() < 0.65
    layer = thick * rng.uniform(0.15, 0.28) if scourer else 0.0
    # The scouring layer is on top, or at the bottom.
    turn = rotation("z", 90) @ rotation("y", choice(rng, (0, 180, 180)))
    model.prism(outline, 0, thick - layer, top, side, turn=turn)
    rough = choice(rng, [c for c in SCOURERS if c != word])
    if scourer:
        dark = tint(rng, rough) * rng.uniform(0.6, 0.9)
        felt = tx.to_uint8(tx.pixel_noise(dark * (1 + 0.1 * tx.grid_noise(rng, (64, 96), 24, 36))[..., None], rng, 9))
        model.prism(outline, thick - layer, thick, felt, turn=turn)
    skin = finish(rng, "foam", word)
    features = ["with a scouring pad" if scourer else "without a scouring pad", "waisted" if waisted else ""]
    colors = (word, rough) if scourer else (word,)
    return model.instance(skin, "rectangular", features, colors=colors, pattern="two-coloured" if scourer else "plain")


KIND = Kind(
    name="sponge",
    synonyms=("dish sponge", "kitchen sponge", "cleaning sponge", "scrubbing sponge"),
    hypernyms=("cleaning product", "household item"),
    function="washing dishes and wiping",
    description="a soft, light rectangular block full of small pores, often with a thin rough layer of another "
    "color on one side",
    longest=(0.07, 0.13),
    sample=sample,
)
