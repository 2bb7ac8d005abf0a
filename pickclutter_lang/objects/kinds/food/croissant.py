"""Croissants: golden crescents of rolled dough in steps, thick in the middle."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx

GOLDS = ((184, 122, 60), (168, 104, 50), (194, 138, 78), (154, 94, 46))


def sample(rng: Rng) -> Instance:
    """Sample a croissant, lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=GOLDS)
    color, count = skin.tints[0], rng.uniform(2.4, 3.9)
    length, bend = rng.uniform(110, 190), rng.uniform(0.35, 1.7)
    t = np.linspace(-1, 1, 45)
    angle = bend * t
    path = np.c_[np.cos(angle), np.sin(angle), np.zeros(45)] * length / (2 * bend)
    step = (np.abs(t) * (count - 0.5) + 0.5) % 1  # each roll ends in a step towards the tips
    envelope = 0.22 + 0.78 * np.cos(0.5 * np.pi * np.abs(t) ** 1.15) ** 0.9
    widths = length * rng.uniform(0.15, 0.2) * envelope * (1.08 - 0.2 * step**2.5)
    widths[[0, -1]] *= 0.6
    u, v = tx.uv_grid(176, 48)
    along = (np.abs(2 * v - 1) * (count - 0.5) + 0.5 + 0.03 * np.sin(2 * np.pi * u + 1)) % 1
    layers = 0.5 + 0.5 * np.sin(2 * np.pi * (2.5 * along + 0.2 * tx.grid_noise(rng, u.shape, 20, 3)))
    brown = tx.smoothstep(np.sin(2 * np.pi * u), -0.5, 0.9) * rng.uniform(0.4, 0.95)
    shade = tx.lerp_color(
        np.minimum(color * 1.22, (226, 184, 120)), color * 0.72, brown * (1 - 0.5 * layers * (along > 0.25))
    )
    shade = tx.lerp_color(shade, (236, 198, 128), 0.65 * tx.smoothstep(along, 0.86, 0.98))
    shade = tx.lerp_color(shade, color * 0.5, 0.7 * (1 - tx.smoothstep(np.abs(along - 0.02), 0.0, 0.035)))
    image = tx.to_uint8(tx.pixel_noise(shade * (1 + 0.06 * tx.grid_noise(rng, u.shape, 12, 5)[..., None]), rng, 4))
    model.sweep(path, widths, image, widths * rng.uniform(0.72, 0.95), segments=18, pieces=7)
    return model.instance(
        skin, "crescent-shaped", ["strongly curved" if bend > 1.2 else "straight" if bend < 0.6 else ""]
    )


KIND = Kind(
    name="croissant",
    synonyms=("french croissant", "butter croissant", "crescent roll"),
    hypernyms=("pastry", "baked good", "food"),
    function="eating at breakfast",
    description="a golden brown, flaky roll in the form of a crescent, thick in the middle, with stepped layers",
    longest=(0.07, 0.2),
    sample=sample,
)
