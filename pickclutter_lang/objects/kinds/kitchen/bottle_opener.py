"""Bottle openers: a steel ring with a tooth on a handle, or a flat bar with an opening at one end."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS
from pickclutter_lang.objects.procedural.surfaces import circle

_TOOTH = ((-0.3, -0.5), (-0.2, -0.1), (0.2, -0.1), (0.3, -0.5))
OPENING = ((0.62, -0.5), (0.62, 0.4), (0, 0.66), (-0.62, 0.4), (-0.62, -0.5), *_TOOTH)


def sample(rng: Rng) -> Instance:
    """Sample a bottle opener, lying flat, its opening at +y."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", wear=0.4, rgb=STEEL)
    thick = rng.uniform(2.2, 3.6)
    if rng.random() < 0.35:
        return _bar(model, rng, thick)
    kind = choice(rng, ("wood", "wood", "plastic", "plastic", "rubber", "steel"))
    grip = {"wood": finish(rng, "wood", "brown", rgb=WOODS), "steel": steel}.get(kind) or finish(rng, kind, GRIPS)
    length, ring = rng.uniform(70, 110), rng.uniform(15, 20)
    y = np.linspace(0, length, 11)
    form = smooth(np.array([0.7, 1.1, rng.uniform(0.8, 1.1), 1.0, 0.65])[:, None], 11)[:, 0] * rng.uniform(7.5, 11)
    flat = 0.35 if kind == "steel" else rng.uniform(0.55, 0.9)
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, form * flat, power=2.6, segments=14, pieces=1)
    neck = rng.uniform(8, 18)
    rod = np.array([(0, length - 5, 0), (0, length + neck + 2, 0)])
    model.sweep(rod, rng.uniform(4, 6), steel, thick, power=4, segments=10, pieces=1)
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, 25)
    squeeze = np.array([rng.uniform(0.95, 1.2), rng.uniform(0.8, 1.05)])
    center = np.array([0, length + neck + ring * squeeze[1]])
    loop = np.stack([np.cos(angle), np.sin(angle)], -1) * ring * squeeze + center
    loop[-1] = loop[0]
    model.sweep(
        np.c_[loop, 0 * angle], rng.uniform(3.4, 4.6), steel, thick, power=4, segments=10, closed=True, pieces=6
    )
    tooth = [(-6, -ring * squeeze[1] + 1), (6, -ring * squeeze[1] + 1), (5, -ring * 0.4), (-5, -ring * 0.4)]
    model.prism(np.array(tooth) + center, -thick * 0.6, thick * 0.6, steel.solid(0.92), hull=False)
    material = "wooden" if grip.material == "wood" else grip.material
    colors = tuple(dict.fromkeys((*grip.colors, "grey")))
    return model.instance(grip, "long", [f"with a {material} handle", "with an open ring"], colors=colors, density=2000)


def _bar(model: ModelBuilder, rng: Rng, thick: float) -> Instance:
    """Add a flat bar, as barkeepers use, with an opening at one end and a hole at the other."""
    word = choice(rng, ("grey", "grey", "black", "red", "blue", "green", "white"))
    skin = finish(rng, "steel", word, wear=0.6, rgb=STEEL if word == "grey" else ())
    length, wide = rng.uniform(100, 175), rng.uniform(17, 21)
    t = np.linspace(0, 1, 15)
    half = (
        wide * smooth([(0.8,), (0.86,), (0.8,), (0.8,), (0.95,), (1.05,)], 15)[:, 0] * np.sqrt(np.clip(t * 30, 0.25, 1))
    )
    half = half * np.sqrt(np.clip((1 - t) * 12, 0.4, 1))
    model.plate(np.c_[-half, length * t], np.c_[half, length * t], -thick / 2, thick / 2, skin, pieces=1)
    dark = plain((40, 42, 46))
    top = length - wide * 1.05
    opening = smooth(OPENING, 24) * wide * 0.95 + np.array([0, top + 3])
    hole = circle(wide * 0.32, 16) + np.array([0, wide * 0.7])
    for outline in (opening, hole):
        model.prism(outline, -thick / 2 - 0.3, thick / 2 + 0.3, dark, hull=False)
    return model.instance(skin, "flat", ["without a grip", "with a hole at its end"], density=4000)


KIND = Kind(
    name="bottle opener",
    synonyms=("beer opener", "bottle cap opener", "crown cap opener"),
    hypernyms=("kitchen tool", "tool"),
    function="opening bottles",
    description="a short handle or flat steel bar with a rounded opening at one end, in which a small tooth lifts caps",
    longest=(0.095, 0.19),
    sample=sample,
)
