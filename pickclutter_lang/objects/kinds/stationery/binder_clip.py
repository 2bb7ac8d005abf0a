"""Binder clips: triangular bodies of black or colored sheet steel with two wire levers."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural.surfaces import rotation

SIDE = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z)


def sample(rng: Rng) -> Instance:
    """Sample a binder clip, its mouth towards +y, its long side along x."""
    model = ModelBuilder()
    wide = rng.uniform(15, 52)
    deep, tall = wide * rng.uniform(0.45, 0.62) + 2, wide * rng.uniform(0.3, 0.42) + 2
    wall = max(0.7, 0.028 * wide)
    patterned = ("plain",) * 5 + ("striped", "dotted")
    skin = finish(rng, "metal", [*("black",) * 9, *BRIGHT, "grey"], patterned, pitch=(3, 7), wear=0.4)
    half = tall / 2
    for z in (-1, 1):
        flank = np.array(
            [(-deep / 2, z * half), (-deep / 2, z * (half - wall)), (deep / 2, 0.0), (deep / 2, z * 1.2 * wall)]
        )
        model.prism(flank if z > 0 else flank[::-1], -wide / 2, wide / 2, skin, turn=SIDE)
        lip = [(x, deep / 2, z * wall) for x in (-wide / 2, wide / 2)]
        model.sweep(lip, 1.3 * wall, skin.solid(0.9), segments=10, up=(0, 0, 1), hull=False)
    model.box((wide, wall, tall), skin, 0.2, at=(0, -deep / 2, 0))
    metal = steel(rng)
    thin, reach = max(0.7, 0.03 * wide), deep * rng.uniform(0.95, 1.25)
    folded = rng.random() < 0.3
    loops = {
        0: [(0.3, 0), (0.26, 0.45), (0.2, 0.72), (0.1, 0.78), (0, 0.79)],
        1: [(0.3, 0), (0.12, 0.4), (0.16, 0.72), (0.1, 0.95), (0, 1)],
    }
    points = np.array(loops[int(rng.integers(2))]) * [wide, reach]
    wire = np.concatenate([points, points[-2::-1] * [-1, 1]])
    for z in (-1, 1):
        angle = rng.uniform(8, 40)
        turn = rotation("x", z * angle) if not folded else rotation("x", 180 - z * rng.uniform(16, 24))
        foot = (0, deep / 2 + 0.5, z * 1.6 * wall)
        model.sweep(np.c_[wire, 0 * wire[:, 0]], thin, metal, segments=8, at=foot, turn=turn, pieces=4)
    word = choice(rng, ("with levers folded back", "with its levers over its back")) if folded else "with levers spread"
    features = [word, "with two metal levers", "small" if wide < 22 else "large" if wide > 42 else ""]
    return model.instance(skin, "triangular", features, density=2500)


KIND = Kind(
    name="binder clip",
    synonyms=("foldback clip", "letter clip", "spring paper clip"),
    hypernyms=("fastener", "office supply", "stationery"),
    function="holding stacks of paper together",
    description="a short folded strip of springy sheet metal, triangular from the side, with two looped wire levers",
    longest=(0.016, 0.095),
    sample=sample,
)
