"""Spatulas: turners with a flat, often slotted blade on a bent neck, and scrapers with a soft blade."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.utensils import GRIPS, tool_handle


def sample(rng: Rng) -> Instance:
    """Sample a spatula, lying with its blade at +y."""
    model = ModelBuilder()
    material = choice(rng, ("steel", "plastic", "plastic", "plastic", "wood", "rubber"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*GRIPS, *("black",) * 5))
    skin = finish(rng, material, words, rgb=rgb)
    grip_length, neck = rng.uniform(85, 120), rng.uniform(30, 70)
    blade, wide = rng.uniform(65, 95), rng.uniform(48, 76)
    soft = material == "rubber" or (material == "plastic" and rng.random() < 0.25)
    if soft:
        wide, blade = wide * 0.78, blade * 0.95
    drop = 0.0 if soft or material == "wood" else rng.uniform(6, 20)
    grip, words_of_handle = tool_handle(model, rng, skin, grip_length, rng.uniform(7, 10), z=drop)
    y = grip_length - 4 + (neck + 6) * np.linspace(0, 1, 8)
    bend = drop * (1 - np.clip((np.linspace(0, 1, 8) - 0.3) / 0.7, 0, 1) ** 1.3)
    thin = rng.uniform(1.4, 2.6)
    model.sweep(np.c_[0 * y, y, bend], rng.uniform(3, 5.5), skin, thin, segments=10, pieces=2)
    start, thick = grip_length + neck - 2, rng.uniform(1.2, 2.0) if material == "steel" else rng.uniform(2.4, 4.5)
    slots = 0 if soft else int(choice(rng, (0, 3, 3, 4, 5)))
    flare, tip = rng.uniform(0.72, 1.0), rng.uniform(0.0, 0.12)
    root = np.linspace(0, 0.22, 6)
    half = wide / 2 * flare * np.sin(np.pi / 2 * np.clip(root / 0.22 + 0.12, 0, 1)) ** 0.6
    z, y = np.zeros(6), start + blade * root
    model.plate(np.c_[-half, y], np.c_[half, y], z - thick / 2, z + thick / 2, skin, pieces=1)
    t = np.linspace(0.22, 0.84, 3)
    if slots:
        gap = 0.36 / slots
        for n in range(slots + 1):
            parts = []
            for edge in (n + gap * 0.5 * slots * (n > 0), n + 1 - gap * 0.5 * slots * (n < slots)):
                share = 2 * edge / (slots + 1) - 1
                parts.append(np.c_[share * wide / 2 * (flare + (1 - flare) * (t - 0.22) / 0.62), start + blade * t])
            model.plate(parts[0], parts[1], -thick / 2, thick / 2, skin, pieces=1, hull=False)
        ends = [
            (s * wide / 2 * f, start + blade * a, z)
            for a, f in ((0.2, flare), (0.86, 1))
            for s in (-1, 1)
            for z in (-1, 1)
        ]
        model.hull(np.array(ends) * [1, 1, thick / 2])
    else:
        half = wide / 2 * (flare + (1 - flare) * (t - 0.22) / 0.62)
        model.plate(
            np.c_[-half, start + blade * t], np.c_[half, start + blade * t], -thick / 2, thick / 2, skin, pieces=1
        )
    t = np.linspace(0.83, 1, 6)
    half = wide / 2 * np.sqrt(np.clip(1 - (np.clip(t - 1 + 2 * tip, 0, 1) / (2 * tip + 0.02)) ** 2, 0.3, 1))
    lean = wide * 0.12 * (t - 0.83) / 0.17 if soft else 0 * t
    left, right = np.c_[-half + lean, start + blade * t], np.c_[half, start + blade * t - 0.4 * lean]
    model.plate(left, right, -thick / 2, thick / 2, skin, pieces=1)
    features = [
        words_of_handle,
        f"with {('no', '', '', 'three', 'four', 'five')[slots]} slots" if slots else "without slots",
    ]
    colors = skin.colors if grip is skin else (*skin.colors, *grip.colors)
    return model.instance(skin, "long and thin", features, colors=colors)


KIND = Kind(
    name="spatula",
    synonyms=("turner", "pancake turner", "fish slice"),
    hypernyms=("kitchen tool", "tool"),
    function="turning food in a pan",
    description="a long slim handle that ends in a wide, thin flat blade with square corners, often with slots and "
    "bent at the neck",
    longest=(0.17, 0.3),
    sample=sample,
)
