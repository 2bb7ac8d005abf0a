"""Spatulas: turners with a flat, often slotted blade on a bent neck, and scrapers with a soft blade."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.utensils import GRIPS, tool_handle
from pickclutter_lang.objects.procedural.surfaces import Floats


def sample(rng: Rng) -> Instance:
    """Sample a spatula, lying with its blade at +y."""
    model = ModelBuilder()
    material = choice(rng, ("steel", "plastic", "plastic", "plastic", "wood", "rubber"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*GRIPS, *("black",) * 5))
    skin = finish(rng, material, words, rgb=rgb)
    length, neck = rng.uniform(85, 120), rng.uniform(30, 70)
    soft = material == "rubber" or (material == "plastic" and rng.random() < 0.25)
    drop = 0.0 if soft or material == "wood" else rng.uniform(6, 20)
    grip, handle = tool_handle(model, rng, skin, length, rng.uniform(7, 10), z=drop)
    t = np.linspace(0, 1, 8)
    path = np.c_[0 * t, length - 4 + (neck + 6) * t, drop * (1 - np.clip((t - 0.3) / 0.7, 0, 1) ** 1.3)]
    model.sweep(path, rng.uniform(3, 5.5), skin, rng.uniform(1.4, 2.6), segments=10, pieces=2)
    thick = rng.uniform(1.2, 2.0) if material == "steel" else rng.uniform(2.4, 4.5)
    slots = 0 if soft else int(choice(rng, (0, 3, 3, 4, 5)))
    _blade(model, rng, skin, length + neck - 2, thick, slots, soft)
    count = ("without", "", "", "with three", "with four", "with five")[slots]
    colors = skin.colors if grip is skin else (*skin.colors, *grip.colors)
    return model.instance(skin, "long and thin", [handle, f"{count} slots", "soft" if soft else ""], colors=colors)


def _blade(model: ModelBuilder, rng: Rng, skin: Finish, start: float, thick: float, slots: int, soft: bool) -> None:
    """Add a blade along +y from `start`; a soft one has a slanted edge."""
    blade, wide = rng.uniform(65, 95), rng.uniform(48, 76) * (0.78 if soft else 1)
    flare, tip = rng.uniform(0.72, 1.0), rng.uniform(0.0, 0.12)

    def piece(left: Floats, right: Floats, t: Floats, hull: bool = True) -> None:
        y = start + blade * t
        model.plate(np.c_[left, y], np.c_[right, y], -thick / 2, thick / 2, skin, pieces=1, hull=hull)

    root = np.linspace(0, 0.22, 6)
    half = wide / 2 * flare * np.sin(np.pi / 2 * np.clip(root / 0.22 + 0.12, 0, 1)) ** 0.6
    piece(-half, half, root)
    t = np.linspace(0.22, 0.84, 3)
    half = wide / 2 * (flare + (1 - flare) * (t - 0.22) / 0.62)
    for n in range(slots + 1):
        ends = (n + 0.18 * (n > 0), n + 1 - 0.18 * (n < slots))
        left, right = (half * (2 * end / (slots + 1) - 1) for end in ends)
        piece(left, right, t, hull=not slots)
    if slots:
        corners = [(s * h, start + blade * a) for h, a in zip(half, t, strict=True) for s in (-1, 1)]
        model.hull([(x, y, z) for x, y in corners for z in (-thick / 2, thick / 2)])
    t = np.linspace(0.83, 1, 6)
    half = wide / 2 * np.sqrt(np.clip(1 - (np.clip(t - 1 + 2 * tip, 0, 1) / (2 * tip + 0.02)) ** 2, 0.3, 1))
    piece(-half + wide * 0.12 * (t - 0.83) / 0.17 * soft, half, t)


KIND = Kind(
    name="spatula",
    synonyms=("kitchen spatula", "cooking spatula"),
    hypernyms=("kitchen tool", "tool"),
    function="turning food in a pan",
    description="a long slim handle that ends in a wide, thin flat blade with square corners, often with slots and "
    "bent at the neck",
    longest=(0.17, 0.3),
    sample=sample,
)
