"""Toothbrushes: bent plastic handles, some with a rubber strip, and bristles in two colors."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx

COLORS = ("red", "blue", "green", "pink", "purple", "orange", "yellow", "turquoise", "white", "black")


def sample(rng: Rng) -> Instance:
    """Sample a toothbrush, lying with its head at +y and bristles up."""
    model = ModelBuilder()
    length, thick = rng.uniform(155, 200), rng.uniform(4.5, 6.5)
    wooden = rng.random() < 0.15
    skin = finish(rng, "wood", "brown", rgb=WOODS[:3]) if wooden else finish(rng, "plastic", COLORS)
    t, bow = np.linspace(0, 1, 18), rng.uniform(-6, 10)
    height = bow * np.sin(np.pi * np.clip(t / 0.85, 0, 1)) * (0 if wooden else 1)
    path = np.c_[0 * t, t * length, height]
    form = smooth([(0.7,), (1.0,), (0.85,), (1.05,), (0.8,), (0.5,), (0.45,), (0.95,), (0.9,)], 18)[:, 0]
    model.sweep(
        path,
        thick * 1.15 * form,
        skin,
        thick * smooth([(0.7,), (0.9,), (0.8,), (0.9,), (0.6,), (0.45,), (0.4,)], 18)[:, 0],
        power=2.5,
        pieces=3,
    )
    strip = not wooden and rng.random() < 0.5
    if strip:
        part = slice(1, 9)
        model.sweep(
            path[part] + [0, 0, 0.35 * thick],
            0.62 * thick * form[part],
            plain(tint(rng, "white" if skin.colors[0] != "white" else "blue")),
            0.7 * thick,
            hull=False,
        )
    head, tall, wide = rng.uniform(24, 32), rng.uniform(9, 12), thick * rng.uniform(0.85, 1.05)
    rows = int(rng.integers(7, 10))
    other = tint(rng, skin.colors[0]) if not wooden else tint(rng, "white")
    y0, gap = length * 0.985 - head, head / rows
    u, _ = tx.uv_grid(24, 32)
    tufts = tx.smoothstep(np.abs((u * 12) % 1 - 0.5), 0.2, 0.5)
    for n in range(rows):
        color = other if (n < 2 or n >= rows - 2) and rng.random() < 0.9 else np.array((240, 240, 238))
        image = tx.to_uint8(tx.lerp_color(color, color * 0.72, tufts))
        model.box(
            (2 * wide, gap * 0.72, tall + rng.uniform(0, 1.5)),
            image,
            0.6,
            at=(0, y0 + (n + 0.5) * gap, height[-1] + tall / 2 + 1),
            hull=False,
        )
    z = height[-1]
    model.hull([(x, y, z + h) for x in (-wide, wide) for y in (y0, y0 + head) for h in (0, tall + 2)])
    features = ["with a rubber grip" if strip else "", "with bristles"]
    return model.instance(skin, "long and thin", features)


KIND = Kind(
    name="toothbrush",
    synonyms=("tooth brush", "dental brush"),
    hypernyms=("brush", "toiletry"),
    function="brushing teeth",
    description="a long, slim plastic stick with a rounded grip, a narrow neck and a small head with short, "
    "dense rows of bristles",
    longest=(0.15, 0.21),
    sample=sample,
)
