"""Peaches: round and velvety with a groove, yellow to orange with a red blush."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.plants import leaf
from pickclutter_lang.objects.kinds.produce import stub, uneven
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

GROUNDS = {"yellow": ((232, 184, 70), (238, 196, 96)), "orange": ((230, 142, 60), (224, 124, 52), (236, 156, 80))}
BLUSHES = ((190, 44, 40), (168, 30, 40), (206, 70, 48))


def sample(rng: Rng) -> Instance:
    """Sample a peach."""
    model = ModelBuilder()
    word = choice(rng, ("yellow", "orange", "orange"))
    skin = finish(rng, "food", word, rgb=GROUNDS[word])
    blush, share = np.array(choice(rng, BLUSHES)) * rng.uniform(0.9, 1.1), rng.uniform(0.15, 0.75)
    r, tall, point = rng.uniform(28, 41), rng.uniform(0.86, 1.02), rng.uniform(0, 0.12)
    outline = [
        (0, -0.94 - point),
        (0.2, -0.96 - point * 0.4),
        (0.72, -0.72),
        (1, -0.05),
        (0.9, 0.5),
        (0.5, 0.86),
        (0.18, 0.86),
        (0, 0.66),
    ]
    field = tx.grid_noise(rng, (80, 128), 2, 2) + 0.2 * tx.grid_noise(rng, (80, 128), 5, 40)
    level, soft = float(np.quantile(field, 1 - share)), rng.uniform(0.8, 2.2)
    base = tx.lerp_color(skin.tints[0], blush, 0.92 * tx.smoothstep(field, level - soft, level + soft))
    spotted = peel(rng, (255, 255, 255), spots=(blush, rng.uniform(-0.02, 0.012)), texels=(80, 128), spot_count=64)
    hollow = tx.smoothstep(tx.uv_grid(80, 128)[1], 0.84, 0.97) * rng.uniform(0, 1)
    base = tx.lerp_color(base * spotted / 255, (222, 176, 90), hollow)
    velvet = tx.pixel_noise(tx.lerp_color(base, (236, 208, 190), np.full((80, 128), rng.uniform(0.02, 0.14))), rng, 4)
    crease = rng.uniform(0.05, 0.13)
    model.lathe(smooth(outline, 24) * [r, r * tall], tx.to_uint8(velvet), 32, bend=uneven(rng, 0.05, crease=crease))
    foot = np.array([0, 0, r * tall * 0.66])
    stalk = rng.random() < 0.4
    if stalk:
        stub(model, rng, foot, rng.uniform(0.2, 0.34) * r, 1.7, (108, 82, 48))
    leafy = stalk and rng.random() < 0.5
    if leafy:
        leaf(model, rng, np.add(foot, (0, 0, 5)), rng.uniform(1.0, 1.6) * r)
    words = ("red", word) if share > 0.5 else (word, "red")
    return model.instance(skin, "round", ["with a leaf" if leafy else "without a leaf", "with a groove"], colors=words)


KIND = Kind(
    name="peach",
    synonyms=("peach fruit", "velvety peach"),
    hypernyms=("stone fruit", "fruit", "food"),
    function="eating",
    description="a round fruit with soft velvety skin that blends from yellow to red, and a groove down one side",
    longest=(0.05, 0.115),
    sample=sample,
)
