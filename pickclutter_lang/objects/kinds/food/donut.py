"""Donuts: rings of fried dough; plain, sugared, glazed or iced, with or without sprinkles."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import CRUSTS, ICINGS, STREWN, crust, ring, ring_icing, strewn
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample a donut, lying."""
    model = ModelBuilder()
    dough = finish(rng, "food", "brown", rgb=CRUSTS)
    iced = rng.random() < 0.82
    thick = rng.uniform(13, 19)
    radius, tall = thick * rng.uniform(1.5, 2.0), thick * rng.uniform(0.7, 0.95)
    u, _ = tx.uv_grid(112, 72)
    belt = np.exp(-((np.minimum(np.abs(u - 0.5), np.minimum(u, 1 - u)) / 0.05) ** 2))
    image = tx.to_uint8(tx.lerp_color(crust(rng, dough.tints[0], (112, 72)), (228, 190, 130), 0.7 * belt))
    if not iced:
        sugar = rng.random() < 0.5
        if sugar:
            image = strewn(rng, image, 900, ((246, 242, 234),), 0, 2)
        ring(model, rng, radius, thick, tall, image)
        return model.instance(dough, "ring-shaped", ["with sugar" if sugar else "without icing", "with a hole"])
    ring(model, rng, radius, thick, tall, image)
    word = choice(rng, ("pink", "pink", "pink", "brown", "brown", "brown", "white", "white", *ICINGS))
    color = np.array(choice(rng, ICINGS[word])) * rng.uniform(0.92, 1.04)
    icing = peel(rng, color, tone=0.03, texels=(56, 176))
    topping = choice(rng, ("sprinkles", "sprinkles", "drizzle", "", ""))
    if topping == "sprinkles":
        icing = strewn(
            rng,
            icing,
            int(rng.integers(50, 130)),
            STREWN if rng.random() < 0.7 else STREWN[4:5] if word == "brown" else ((84, 48, 30),),
            6,
            2,
        )
    elif topping == "drizzle":
        a, b = tx.uv_grid(56, 176)
        line = tx.smoothstep(-np.abs((a * int(rng.integers(14, 24)) + 0.5 * b) % 1 - 0.5), -0.22, -0.12)
        stripe = np.array(choice(rng, ICINGS["white" if word != "white" else "brown"]))
        icing = tx.to_uint8(tx.lerp_color(icing, stripe, line * (b > 0.12) * (b < 0.9)))
    ring_icing(model, rng, radius, thick, tall, icing, rng.uniform(0.04, 0.2))
    features = [
        f"with {word} icing" if word != "brown" else "with chocolate icing",
        f"with {topping}" if topping else "without sprinkles",
        "with a hole",
    ]
    return model.instance(dough, "ring-shaped", features, colors=(word, "brown"))


KIND = Kind(
    name="donut",
    synonyms=("doughnut", "ring donut"),
    hypernyms=("pastry", "dessert", "food"),
    function="eating",
    description="a soft round ring of fried dough with a hole in the middle, often with colorful icing and sprinkles",
    longest=(0.06, 0.13),
    sample=sample,
)
