"""Onions: globes of papery skin with a dry neck and a beard of roots; brown, purple or white."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.produce import uneven
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {
    "brown": ((192, 132, 66), (178, 114, 54), (206, 150, 84)),
    "purple": ((146, 42, 108), (128, 36, 98)),
    "white": ((236, 230, 212),),
}


def sample(rng: Rng) -> Instance:
    """Sample an onion."""
    model = ModelBuilder()
    word = choice(rng, ("brown", "brown", "brown", "purple", "purple", "white"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    r, tall, neck = rng.uniform(26, 46), rng.uniform(0.76, 1.08), rng.uniform(0.06, 0.14)
    top = rng.uniform(1.08, 1.32)
    outline = [
        (0, -0.98),
        (0.16, -0.98),
        (0.56, -0.8),
        (0.95, -0.3),
        (0.98, 0.15),
        (0.72, 0.64),
        (0.3, 0.9),
        (neck, 1.04),
        (neck * 0.8, top - 0.1),
        (neck * 1.3, top),
        (0, top - 0.04),
    ]
    base = peel(
        rng,
        color,
        tone=0.06,
        streaks=(color * 0.72, rng.uniform(0.1, 0.3)),
        top=(np.minimum(color * 0.9 + 30, 210), 0.25),
        bottom=(color * 0.8 + 20, 0.08),
        texels=(88, 144),
    )
    u, _ = tx.uv_grid(88, 144)
    veins = np.abs((u * int(rng.integers(16, 26)) + 0.25 * tx.grid_noise(rng, u.shape, 3, 10)) % 1 - 0.5)
    image = tx.lerp_color(base, color * 0.62, 0.4 * (1 - tx.smoothstep(veins, 0.02, 0.16)))
    peeled = rng.random() < 0.35
    if peeled:
        bare = tx.smoothstep(tx.grid_noise(rng, u.shape, 2, 3), 0.9, 1.05)
        image = tx.lerp_color(image, np.minimum(color * 1.1 + 55, (240, 226, 190)), 0.75 * bare)
    model.lathe(smooth(outline, 30) * [r, r * tall], tx.to_uint8(image), 30, bend=uneven(rng, 0.05, lean=0.05))
    beard = rng.random() < 0.7
    roots: list[Floats] = []
    for _ in range(int(rng.integers(9, 15)) if beard else 0):
        a, d = rng.uniform(0, 6.3), rng.uniform(0.5, 1.6)
        out, foot = np.array([np.cos(a), np.sin(a), 0]), -0.96 * r * tall
        root = [
            out * 0.06 * r + [0, 0, foot],
            out * 0.14 * r * d + [0, 0, foot - 3],
            out * 0.3 * r * d + [0, 0, foot - 1],
        ]
        roots += root
        model.sweep(root, 0.5, plain((172, 144, 100)), segments=4, hull=False)
    if beard:
        model.hull(roots)
    features = ["with roots" if beard else "without roots", "with loose skin" if peeled else ""]
    return model.instance(skin, "round", features)


KIND = Kind(
    name="onion",
    synonyms=("onion bulb", "bulb onion", "raw onion"),
    hypernyms=("vegetable", "food"),
    function="cooking",
    description="a round bulb with thin papery skin streaked from end to end, a dry pointed top and short roots below",
    longest=(0.045, 0.13),
    sample=sample,
)
