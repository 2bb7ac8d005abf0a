"""Flower pots: terracotta, glazed or plastic pots that widen to a rim, empty, with soil, or a plant."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import ANY
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats, circle

CLAY = {
    "orange": ((220, 124, 62), (230, 136, 76), (212, 114, 52)),
    "brown": ((150, 84, 50), (166, 98, 62), (140, 84, 58)),
}


def sample(rng: Rng) -> Instance:
    """Sample a flower pot, standing."""
    model = ModelBuilder()
    r = rng.uniform(34, 72)
    h, foot = r * rng.uniform(1.4, 2.0), r * rng.uniform(0.58, 0.78)
    clay = rng.random() < 0.6
    if clay:
        word = choice(rng, tuple(CLAY))
        skin = finish(rng, "stone", word, wear=0.8, rgb=CLAY[word])
    else:
        patterns = ("plain", "plain", "plain", "striped", "dotted", "speckled", "two-coloured")
        skin = finish(
            rng, choice(rng, ("ceramic", "ceramic", "plastic")), (*ANY, "white", "white"), patterns, pitch=(8, 20)
        )
    rim, collar = r * rng.uniform(1.02, 1.12), h * rng.uniform(0.72, 0.84)
    rimmed = clay or rng.random() < 0.5
    outer = [(foot, 0), (foot + (r - foot) * 0.6, h * 0.6), (r * 0.94, collar)]
    outer += [(rim, collar + 1), (rim * 1.02, h)] if rimmed else [(r, h)]
    wall = rng.uniform(3, 5)
    saucer = rng.random() < 0.3
    lift = 4.0 if saucer else 0.0
    model.vessel(outer, wall, skin, skin.solid(0.85), at=(0, 0, lift), wedges=6)
    if saucer:
        dish = [(0, 0), (foot * 1.1, 0), (foot * 1.4, 9), (foot * 1.33, 9), (foot * 1.08, 3.5), (0, 3.5)]
        model.lathe(dish, skin.solid(), pieces=1)
    content = choice(rng, ("empty", "empty", "soil", "plant", "plant"))
    if content != "empty":
        level, broad = h * 0.86 + lift, r * 0.92 - wall
        earth = tx.to_uint8(np.array([70, 48, 32]) * (1 + 0.22 * tx.grid_noise(rng, (48, 48), 18, 18))[..., None])
        model.prism(circle(broad, 20), level - 0.06 * h, level, earth)
    if content == "plant":
        tops = [_upright(model, rng, np.array([0, 0, level - 2]), r * rng.uniform(0.8, 1.7)) for _ in range(9)]
        model.hull(np.concatenate(tops))
    words = {"empty": "empty", "soil": "filled with soil", "plant": "with a plant"}
    features = [words[content], "with a saucer" if saucer else "without a saucer", "with a rim" if rimmed else ""]
    colors = (*skin.colors, "green") if content == "plant" and "green" not in skin.colors else skin.colors
    return model.instance(skin, "conical", features, colors=colors, density=900, material="ceramic" if clay else "")


def _upright(model: ModelBuilder, rng: Rng, foot: Floats, reach: float) -> Floats:
    """Add a pointed leaf that rises and bends over, without a hull; return the points of its middle and edges."""
    angle, spread = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.8)
    out = np.array([np.cos(angle), np.sin(angle), 0])
    t = np.linspace(0, 1, 8)[:, None]
    path = foot + out * reach * spread * t**1.5 + np.array([0, 0, reach]) * (t - 0.35 * spread * t**3)
    width = reach * rng.uniform(0.07, 0.16) * np.sin(np.pi * np.linspace(0.12, 0.97, 8))
    paint = plain(tint(rng, "green") * rng.uniform(0.75, 1.15))
    model.sweep(path, width, paint, 0.7, segments=8, up=out.tolist(), hull=False)
    side = np.cross(out, (0, 0, 1)) * width[:, None]
    return np.concatenate([path + side, path - side])


KIND = Kind(
    name="flower pot",
    synonyms=("plant pot", "flowerpot", "planter"),
    hypernyms=("container", "household item"),
    function="growing plants",
    description="a round pot of fired clay or glazed pottery that widens upward to a thick rim",
    longest=(0.06, 0.3),
    sample=sample,
)
