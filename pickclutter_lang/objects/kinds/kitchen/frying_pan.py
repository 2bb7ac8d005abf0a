"""Frying pans: shallow round pans, black inside, with one long handle."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import circle

DARK = ((38, 38, 40), (50, 50, 52), (62, 62, 64))


def pan_handle(model: ModelBuilder, rng: Rng, skin: Finish, wall: float, z: float, length: float) -> tuple[Finish, str]:
    """Add a long handle at +y that leaves a wall at the height z; return its finish and words for it."""
    kind = choice(rng, ("plastic", "plastic", "steel", "wood", "same"))
    grip = {
        "wood": finish(rng, "wood", "brown", rgb=WOODS),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
        "same": skin.solid(),
    }.get(kind) or finish(rng, "plastic", likely(black=6, red=1, white=1, grey=1))
    rise = rng.uniform(0, 0.22) * length
    spine = smooth([(0, wall - 3, z), (0, wall + 0.2 * length, z + 0.3 * rise), (0, wall + length, z + rise)], 14)
    half = smooth([(5,), (6.5,), (9,), (9.5,), (7,)], 14)[:, 0] * rng.uniform(0.85, 1.15)
    tall = half * rng.uniform(0.5, 0.8)
    neck = int(rng.integers(2, 5))
    metal = skin.painted(choice(rng, STEEL))
    model.sweep(spine[: neck + 1], half[: neck + 1] * 0.9, metal, tall[: neck + 1] * 0.8, segments=12, pieces=1)
    model.sweep(spine[neck - 1 :], half[neck - 1 :], grip, tall[neck - 1 :], power=2.5, segments=14, pieces=1)
    if rng.random() < 0.6:
        (x, y, top), deep = spine[-2], tall[-2] + 0.4
        model.prism(circle(3, 12) + np.array([x, y]), top - deep, top + deep, skin.painted((30, 30, 32)), hull=False)
    return grip, f"with a {'wooden' if grip.material == 'wood' else grip.material} handle"


def sample(rng: Rng) -> Instance:
    """Sample a small frying pan, standing, its handle at +y."""
    model = ModelBuilder()
    style = choice(rng, likely(coated=6, iron=2, steel=2))
    words = likely(black=5, red=2, grey=1, blue=1, green=1, turquoise=1)
    skin = {
        "iron": finish(rng, "metal", "black", rgb=DARK, wear=0.5),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
    }.get(style) or finish(rng, "metal", words)
    light = style == "coated" and rng.random() < 0.15
    inside = skin.painted((214, 208, 194)) if light else skin.painted(np.array(choice(rng, DARK)))
    if style == "steel":
        inside = skin.solid(0.94)
    r = rng.uniform(58, 88)
    h, foot = r * rng.uniform(0.3, 0.46), r * rng.uniform(0.7, 0.84)
    outer = smooth([(foot, 0), (foot + 0.55 * (r - foot), 0.4 * h), (r, h)], 7)
    model.vessel(outer, rng.uniform(2.5, 3.5), skin, inside)
    at = float(np.interp(0.75 * h, outer[:, 1], outer[:, 0]))
    grip, words_of_handle = pan_handle(model, rng, skin, at, 0.75 * h, r * rng.uniform(1.25, 1.7))
    dark = "black" if style != "steel" and not light else ""
    colors = tuple(dict.fromkeys(c for c in (dark, *skin.colors, *grip.colors) if c))
    features = [words_of_handle, "with a black inside" if dark else "", "without a lid", "shallow", "empty"]
    return model.instance(skin, "round", features, colors=colors, density=1800)


KIND = Kind(
    name="frying pan",
    synonyms=("skillet", "frypan", "fry pan"),
    hypernyms=("cookware", "kitchen tool"),
    function="frying food",
    description="a shallow round metal vessel with low sloping sides, often black inside, and one long straight handle",
    longest=(0.19, 0.35),
    sample=sample,
)
