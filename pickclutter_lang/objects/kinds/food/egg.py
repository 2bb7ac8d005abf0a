"""Eggs: smooth ovals with one narrower end; white, brown, speckled, rarely blue or green."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.produce import lying
from pickclutter_lang.objects.kinds.skins import peel

SHELLS = {
    "white": ((242, 238, 228), (234, 230, 220), (246, 240, 226)),
    "brown": ((196, 140, 100), (180, 122, 84), (208, 158, 122), (164, 108, 74)),
    "turquoise": ((140, 204, 198), (156, 212, 202)),
}


def sample(rng: Rng) -> Instance:
    """Sample an egg, lying on its side."""
    model = ModelBuilder()
    word = choice(rng, (*("white",) * 6, *("brown",) * 6, "turquoise"))
    skin = finish(rng, "food", word, rgb=SHELLS[word])
    color = skin.tints[0]
    r, slim, point = rng.uniform(19, 24), rng.uniform(1.2, 1.42), rng.uniform(0.08, 0.26)
    if rng.random() < 0.08:
        r *= 0.62
    speckled = rng.random() < (0.3 if r > 16 else 1)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 21)
    profile = np.c_[r * np.cos(angle) * (1 - point * np.sin(angle) * np.cos(angle) ** 0.5), r * slim * np.sin(angle)]
    specks = ((110, 74, 50), rng.uniform(0.01, 0.05)) if speckled else None
    image = peel(
        rng, color, tone=0.018, patches=(color * 0.96, 0.4), spots=specks, spot_count=int(rng.integers(40, 62))
    )
    model.lathe(profile, image, 26, turn=lying(rng), pieces=1)
    features = ["with brown specks" if speckled else "with a clean shell"]
    colors = (word, "brown") if speckled else (word,)
    return model.instance(skin, "oval", features, colors=colors, pattern="speckled" if speckled else "plain")


KIND = Kind(
    name="egg",
    synonyms=("whole egg", "raw egg", "breakfast egg"),
    hypernyms=("food",),
    function="cooking and baking",
    description="a small smooth oval with a thin hard shell, rounder at one end and narrower at the other",
    longest=(0.028, 0.075),
    sample=sample,
)
