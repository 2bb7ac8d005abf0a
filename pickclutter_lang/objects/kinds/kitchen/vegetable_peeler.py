"""Vegetable peelers: a slotted blade between the arms of a y, or at the end of a straight handle."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS


def sample(rng: Rng) -> Instance:
    """Sample a vegetable peeler, lying with its blade at +y."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    kind = choice(rng, ("plastic", "plastic", "plastic", "rubber", "wood", "steel"))
    grip = {"wood": finish(rng, "wood", "brown", rgb=WOODS), "steel": steel}.get(kind) or finish(rng, kind, GRIPS)
    length, thick = rng.uniform(72, 108), rng.uniform(6.5, 10)
    yoke = rng.random() < 0.55
    y = np.linspace(0, length, 11)
    form = smooth(np.array([0.75, 1.1, rng.uniform(0.85, 1.1), 1.0, 0.7])[:, None], 11)[:, 0] * thick
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, form * rng.uniform(0.5, 0.8), power=2.6, segments=14, pieces=1)
    if yoke:
        span, reach = rng.uniform(19, 26), rng.uniform(26, 38)
        arm = grip if rng.random() < 0.6 else steel
        for s in (-1, 1):
            bow = [(0.05, 0), (0.7, 0.35), (1, 0.65), (1, 1)]
            path = smooth([(s * span * a, length - 5 + (reach + 5) * t, 0) for a, t in bow], 10)
            model.sweep(path, np.linspace(4.5, 3, 10), arm, np.linspace(4.5, 3.5, 10), power=3, segments=10, pieces=2)
        at = length + reach - 4
        for side in (-1, 1):
            x = np.array([-span, span])
            edge = np.full(2, at + side * 4.6)
            left, right = np.c_[x, edge + 2.6], np.c_[x, edge - 2.6]
            model.plate(left, right, 1.0, 2.2, steel.solid(1.05), pieces=1)
        eye = rng.random() < 0.4
        if eye:
            loop = smooth([(span, at - 8, 0), (span + 8, at - 7, 0), (span + 9, at + 3, 0), (span, at + 4, 0)], 10)
            model.sweep(loop, 1.6, arm, segments=8, pieces=1)
        words = ["y-shaped", "with a blade across its arms"]
    else:
        blade, half = rng.uniform(52, 70), rng.uniform(7.5, 10.5)
        t = np.linspace(0, 1, 9)
        wide = half * smooth([(0.6,), (1.0,), (1.0,), (0.9,), (0.25,)], 9)[:, 0]
        for s in (-1, 1):
            inner = s * wide * 0.3 * (t > 0.1) * (t < 0.85)
            outer = s * wide
            left, right = (outer, inner) if s < 0 else (inner, outer)
            rise, y = 0.6 * np.sin(np.pi * t), length + blade * t
            model.plate(np.c_[left, y], np.c_[right, y], rise, rise + 1.4, steel.solid(1.04), pieces=1)
        model.sweep(np.array([(0, length - 4, 0), (0, length + 5, 0.6)]), 3.6, steel, 2.4, segments=10, pieces=1)
        words = ["straight", "with a slotted blade"]
    material = "wooden" if grip.material == "wood" else grip.material
    colors = tuple(dict.fromkeys((*grip.colors, "grey")))
    return model.instance(grip, "long", [*words, f"with a {material} handle"], colors=colors)


KIND = Kind(
    name="vegetable peeler",
    synonyms=("peeler", "potato peeler"),
    hypernyms=("kitchen tool", "tool"),
    function="peeling vegetables",
    description="a short handle that holds a narrow steel blade with a long slit, across two arms or straight ahead",
    longest=(0.09, 0.19),
    sample=sample,
)
