"""Saucers: small round dishes with curved sides and a ring for the cup in the middle."""

import numpy as np

from pickclutter_lang.objects.kinds.dishes import PLATE_PATTERNS, banded, china, dish, seen_from_above
from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample a saucer, lying with its upper side up."""
    model = ModelBuilder()
    skin = china(rng, PLATE_PATTERNS)
    r, thick, foot_share = rng.uniform(54, 78), rng.uniform(2.2, 3.4), rng.uniform(0.42, 0.52)
    h, foot = r * rng.uniform(0.22, 0.34), r * foot_share
    outer = smooth([(foot, 0), (foot * 1.25, 0.2 * h), (r * 0.84, 0.66 * h), (r, h)], 9)
    ring = foot * rng.uniform(0.8, 0.95)
    well = [(ring + 3, thick + 1.2), (ring + 1, thick + 2.2), (ring - 1, thick + 2.0), (ring - 2.5, thick - 0.4)]
    slope = outer[::-1][1:-3] + np.array([-1.2, thick])
    inner = np.array([(r - 0.9, h + 0.5), *slope, *well, (0, thick - 0.4)])
    inside, colors = seen_from_above(skin, r, rng.random() < 0.5), skin.colors
    rim = skin.pattern == "plain" and rng.random() < 0.5
    if rim:
        word = choice(rng, [c for c in ("blue", "red", "green", "black", "yellow", "brown") if c != colors[0]])
        inside, colors = banded(rng, inside, word, (0, 0.02)), (*colors, word)
    _, v = tx.uv_grid(*inside.shape[:2])
    shade = np.exp(-(((v - 1 + foot_share * 0.8) / 0.025) ** 2))
    inside = tx.to_uint8(tx.lerp_color(inside, inside * 0.78, shade))
    dish(model, outer, inner, skin.solid(), inside)
    features = ["with a colored rim" if rim else "", "with a ring for a cup", "empty"]
    return model.instance(skin, "flat", features, colors=colors)


KIND = Kind(
    name="saucer",
    synonyms=("cup saucer", "tea saucer"),
    hypernyms=("tableware",),
    function="standing a cup on it",
    description="a small, round shallow dish with gently curved sides and a raised ridge around a sunken circle in its "
    "middle",
    longest=(0.105, 0.165),
    sample=sample,
)
