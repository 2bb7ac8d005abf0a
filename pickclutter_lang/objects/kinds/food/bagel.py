"""Bagels: plump shiny rings of bread with a small hole; plain or with sesame, poppy or mixed seeds."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import CRUSTS, crust, ring, strewn
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx

SEEDS = {
    "sesame seeds": ((240, 226, 186),),
    "poppy seeds": ((38, 36, 42),),
    "mixed seeds": ((240, 226, 186), (38, 36, 42)),
}


def sample(rng: Rng) -> Instance:
    """Sample a bagel, lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=(*CRUSTS, (128, 78, 42)))
    color, thick = skin.tints[0], rng.uniform(20, 28)
    radius, tall = thick * rng.uniform(1.2, 1.5), thick * rng.uniform(0.66, 0.9)
    u, _ = tx.uv_grid(160, 112)
    up = np.sin(2 * np.pi * u)
    baked = crust(rng, color, (160, 112))
    pale = np.minimum(color * 1.28 + 14, (236, 202, 146))
    image = tx.to_uint8(tx.lerp_color(baked, pale, 0.7 * tx.smoothstep(-up, -0.1, 0.5)))
    seeds = choice(rng, ("", "", *SEEDS))
    if seeds:
        strewn_on = strewn(
            rng,
            image,
            int(rng.integers(300, 900)),
            SEEDS[seeds],
            0 if seeds == "poppy seeds" else 2,
            1,
        )
        image = np.where((up > 0.05)[..., None], strewn_on, image)
    ring(model, rng, radius, thick, tall, image)
    return model.instance(skin, "ring-shaped", [f"with {seeds}" if seeds else "without seeds", "with a small hole"])


KIND = Kind(
    name="bagel",
    synonyms=("bread ring", "boiled bread ring"),
    hypernyms=("baked good", "food"),
    function="eating at breakfast",
    description="a thick, plump bread roll shaped like a ring, with a smooth shiny brown crust and often seeds on top",
    longest=(0.08, 0.15),
    sample=sample,
)
