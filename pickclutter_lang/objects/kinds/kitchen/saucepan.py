"""Saucepans: deep round pots with one long handle; with a lid of steel or glass, or open."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.kitchen.frying_pan import pan_handle
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth


def sample(rng: Rng) -> Instance:
    """Sample a small saucepan, standing, its handle at +y."""
    model = ModelBuilder()
    word = choice(rng, likely(grey=6, red=2, black=2, blue=2, white=1, green=1, orange=1, yellow=1))
    steel = word == "grey"
    patterns = ("plain",) if steel else ("plain", "plain", "plain", "dotted", "floral", "two-coloured")
    skin = finish(rng, "steel" if steel else "metal", word, patterns, rgb=STEEL if steel else ())
    inside = skin.painted(choice(rng, (STEEL[0], STEEL[1], (232, 230, 222), (52, 52, 54))))
    r = rng.uniform(50, 72)
    h = r * rng.uniform(0.85, 1.35)
    outer = smooth([(r * 0.92, 0), (r * 0.99, 0.1 * h), (r, 0.5 * h), (r, h - 3), (r + 2, h)], 9)
    lid = rng.random() < 0.4
    model.vessel(outer, rng.uniform(2.4, 3.2), skin, inside, wedges=7 if lid else 8)
    grip, words = pan_handle(model, rng, skin, r, h * rng.uniform(0.78, 0.88), r * rng.uniform(1.3, 1.8))
    see = False
    if lid:
        see = rng.random() < 0.4
        cover = finish(rng, "glass", "white").painted((150, 160, 164)) if see else skin.solid(1.04)
        rise = r * rng.uniform(0.12, 0.24)
        model.lathe(
            [(0, h), (r + 2.5, h), (r + 2.5, h + 2.5), (r * 0.7, h + 0.7 * rise), (0, h + rise)], cover, pieces=1
        )
        knob = plain((34, 34, 36)) if rng.random() < 0.6 else inside.painted(STEEL[1])
        top = np.array([(0, 0), (4, 0), (4, 6), (11, 9), (11, 13), (8, 16), (0, 16)]) * rng.uniform(0.8, 1.2)
        model.lathe(top + np.array([0, h + rise - 1]), knob, segments=20, pieces=1)
    features = ["with a lid" if lid else "without a lid", words, "with a glass lid" if see else "", "deep"]
    colors = tuple(dict.fromkeys((*skin.colors, *grip.colors)))
    return model.instance(skin, "cylindrical", features, colors=colors, density=900)


KIND = Kind(
    name="saucepan",
    synonyms=("sauce pan", "cooking pot with a long handle"),
    hypernyms=("cookware", "kitchen tool"),
    function="cooking sauce",
    description="a deep round metal vessel with straight sides, a flat base, and one long handle that sticks out near "
    "its rim",
    longest=(0.16, 0.33),
    sample=sample,
)
