"""Hex nuts: six-sided rings of steel or brass, plain, flanged or with a colored locking ring."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, tint
from pickclutter_lang.objects.kinds.fittings import fastener_metal, ring
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.skins import ribbed


def sample(rng: Rng) -> Instance:
    """Sample a hex nut, lying flat."""
    model = ModelBuilder()
    outer = rng.uniform(9, 19)
    inner, tall = outer * rng.uniform(0.54, 0.66), outer * rng.uniform(0.7, 1.15)
    skin = fastener_metal(rng)
    ring(model, inner, outer, tall, skin, corners=6, wedges=6, edge=rng.uniform(0.02, 0.08) * outer)
    bore = [
        (inner * 1.005, tall / 2 - 0.3),
        (inner * 0.96, 0.3 * tall),
        (inner * 0.96, -0.3 * tall),
        (inner, -tall / 2),
    ]
    dark = skin.tints[0] * 0.55
    model.lathe(bore, np.ascontiguousarray(np.rot90(ribbed(dark, 9, 0.45, 0.05, 0.9))), segments=24, hull=False)
    form = choice(rng, ("plain", "plain", "flange", "locking"))
    if form == "flange":
        ring(model, inner, outer * 1.32, 0.16 * tall, skin, at=(0, 0, -0.45 * tall), wedges=4)
    if form == "locking":
        color = plain(tint(rng, choice(rng, ("blue", "white", "green"))))
        ring(model, inner * 0.97, 0.86 * outer, 0.22 * tall, skin, at=(0, 0, 0.56 * tall), wedges=1)
        ring(model, inner * 0.93, 0.76 * outer, 0.2 * tall, color, at=(0, 0, 0.6 * tall), wedges=0)
    words = {"flange": "with a flange", "locking": "with a locking ring"}
    return model.instance(skin, "hexagonal", ["with a hole", words.get(form, "")], density=6500)


KIND = Kind(
    name="hex nut",
    synonyms=("hexagonal nut", "bolt nut", "steel nut"),
    hypernyms=("fastener", "hardware"),
    function="holding a bolt",
    description="a thick, six-sided metal ring with a round threaded hole through the middle",
    longest=(0.018, 0.055),
    sample=sample,
)
