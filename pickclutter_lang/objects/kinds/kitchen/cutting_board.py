"""Cutting boards: flat slabs of wood or plastic, with a handle, a hole or a groove, striped or of one piece."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import circle


def sample(rng: Rng) -> Instance:
    """Sample a cutting board, lying flat, its handle at +y."""
    model = ModelBuilder()
    wooden = rng.random() < 0.65
    long = rng.uniform(150, 250)
    wide, thick = long * rng.uniform(0.55, 0.8), rng.uniform(8, 18) if wooden else rng.uniform(5, 9)
    words = likely(white=4, green=2, red=2, blue=1, yellow=1, black=1, pink=1, turquoise=1)
    skin = (
        finish(rng, "wood", "brown", rgb=(*WOODS, (210, 168, 110)), wear=0.6)
        if wooden
        else finish(rng, "plastic", words, wear=0.7)
    )
    shape = choice(rng, ("rectangle", "rectangle", "rectangle", "round")) if wooden else "rectangle"
    outline = rounded(wide, long, wide * rng.uniform(0.04, 0.2)) if shape == "rectangle" else circle(wide * 0.56, 36)
    image = skin.image(wide, long)
    planks = wooden and rng.random() < 0.45
    u, v = tx.uv_grid(*image.shape[:2])
    if planks:
        tones = rng.uniform(0.72, 1.1, 12)
        image = tx.to_uint8(image * tones[np.minimum((u * 9).astype(int), 11)][..., None])
    groove = rng.random() < 0.4
    if groove:
        x, y = np.abs(u - 0.5) * wide, np.abs(v - 0.5) * long
        inset = np.minimum(wide / 2 - x, long / 2 - y) if shape == "rectangle" else wide * 0.56 - np.hypot(x * 1.12, y)
        image = tx.to_uint8(image * (1 - 0.35 * np.exp(-(((inset - 11) / 2.6) ** 2)))[..., None])
    cuts = int(rng.integers(0, 12))
    for _ in range(cuts):
        n, at = int(rng.integers(8, len(image) - 8)), int(rng.integers(4, image.shape[1] // 2))
        image[n, at : at + int(rng.integers(10, 30))] = image[n, at] * 0.8
    model.prism(outline, 0, thick, image, skin.solid(0.9))
    top = float(outline[:, 1].max())
    handle = rng.random() < (0.55 if wooden else 0.25) or shape == "round"
    if handle:
        reach, half = rng.uniform(45, 75), wide * rng.uniform(0.1, 0.17)
        y = np.array([-0.03 * long, 0.04 * long, 0.3 * reach, 0.75 * reach, 0.94 * reach, reach]) + top
        span = half * np.array([1.6, 1.15, 0.85, 1.0, 0.9, 0.55])
        model.plate(np.c_[-span, y], np.c_[span, y], 0.4, thick - 0.4, skin.solid(), pieces=1)
        hole = circle(half * 0.42, 14) + np.array([0, top + 0.72 * reach])
        model.prism(hole, 0, thick + 0.3, plain((40, 38, 36)), hull=False)
    slot = not handle and rng.random() < 0.5
    if slot:
        grip = rounded(wide * 0.3, 14, 6.5) + np.array([0, long / 2 - 20])
        model.prism(grip, -0.3, thick + 0.3, plain((44, 42, 40)), hull=False)
    features = ["with a handle" if handle else "without a handle", "with a hole" if handle or slot else ""]
    features += ["with a groove" if groove else "", "round" if shape == "round" else ""]
    features.append("with strips of wood" if planks else "")
    return model.instance(skin, "flat rectangular" if shape == "rectangle" else "flat", features)


KIND = Kind(
    name="cutting board",
    synonyms=("chopping board", "kitchen board"),
    hypernyms=("kitchen tool",),
    function="cutting food on it",
    description="a flat, smooth slab of wood or plastic with rounded corners, often with a short handle or a hole to "
    "hang it up",
    longest=(0.145, 0.33),
    sample=sample,
)
