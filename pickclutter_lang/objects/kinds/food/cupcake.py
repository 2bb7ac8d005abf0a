"""Cupcakes: cake in a pleated paper liner under swirled frosting, with sprinkles, a berry or nothing on top."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import CRUMBS, ICINGS, STREWN, crumb, strewn
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

LINERS = ("white", "brown", "pink", "red", "blue", "turquoise", "yellow", "green", "black", "purple")


def sample(rng: Rng) -> Instance:
    """Sample a cupcake, standing."""
    model = ModelBuilder()
    word = choice(rng, ("pink", "pink", "white", "white", "brown", "brown", *ICINGS))
    frosting = finish(rng, "food", word, rgb=ICINGS[word])
    liner = finish(rng, "paper", LINERS, ("plain", "plain", "striped", "dotted"), pitch=(6, 12), wear=0.05)
    foot, rim, low = rng.uniform(20, 27), rng.uniform(29, 36), rng.uniform(28, 42)
    pleats = int(rng.integers(14, 22))

    def pleated(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        factor = 1 + 0.035 * np.cos(pleats * angle)
        return np.asarray(points * np.stack([factor, factor, np.ones(len(points))], -1))

    flat = liner.image(2 * np.pi * rim, low + foot)
    folds = 0.85 + 0.15 * np.cos(2 * np.pi * pleats * tx.uv_grid(*flat.shape[:2])[0])
    paper = tx.to_uint8(flat * folds[..., None])
    model.lathe([(0, 0), (foot, 0), (rim, low)], paper, pleats * 3, bend=pleated, pieces=1)
    model.lathe(
        [(rim, low), (0.9 * rim, low + 5), (0, low + 6)], crumb(rng, choice(rng, CRUMBS), (24, 64)), 24, hull=False
    )
    tall, tiers, lobes = rng.uniform(24, 46), int(rng.integers(2, 5)), int(rng.integers(6, 12))
    swirl, depth = rng.uniform(0.4, 1.5), rng.uniform(0.04, 0.14)
    t = np.linspace(0, 1, 8 * tiers + 1)
    radius = (
        rim * rng.uniform(0.88, 1.06) * (1 - t**1.4) ** 0.75 * (1 + 0.14 * np.abs(np.sin(np.pi * tiers * t)) - 0.07)
    )
    profile = [(0.6 * rim, low + 2), *np.c_[radius, low + 3 + tall * t]]

    def swirled(points: Floats) -> Floats:
        angle, up = np.arctan2(points[:, 1], points[:, 0]), (points[:, 2] - low) / tall
        factor = 1 + depth * np.cos(lobes * (angle + swirl * 2 * up))
        lift = 2.5 * np.cos(angle - 6.3 * tiers * up) * (up > 0.1)
        return np.stack([points[:, 0] * factor, points[:, 1] * factor, points[:, 2] + lift], -1)

    color = frosting.tints[0]
    image = peel(rng, color, tone=0.03, streaks=(color * 0.9, 0.15), texels=(56, 128))
    topping = choice(rng, ("sprinkles", "sprinkles", "cherry", "", ""))
    if topping == "sprinkles":
        image = strewn(rng, image, int(rng.integers(30, 80)), STREWN, 5, 2)
    model.lathe(profile, image, 36, bend=swirled, pieces=1)
    if topping == "cherry":
        red = peel(rng, np.array((178, 20, 36)) * rng.uniform(0.85, 1.1), texels=(24, 32))
        model.ball((17, 17, 16), red, rows=11, segments=16, at=(0, 0, low + tall + 6))
    features = [
        "with sprinkles" if topping == "sprinkles" else "",
        "with a cherry on top" if topping == "cherry" else "without a cherry",
        f"with a {liner.colors[0]} paper liner",
    ]
    return model.instance(frosting, "cup-shaped", features, colors=(word, liner.colors[0]))


KIND = Kind(
    name="cupcake",
    synonyms=("fairy cake", "frosted cupcake"),
    hypernyms=("cake", "dessert", "food"),
    function="eating as a treat",
    description="a small round cake baked in a pleated paper liner, with a swirl of colorful frosting on top",
    longest=(0.055, 0.115),
    sample=sample,
)
