"""Dice: cubes with 1 to 6 pips, opposite sides summing to 7; sharp or round corners, plain, marbled or of wood."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

COLORS = (*("white",) * 6, *BRIGHT, "red", "black")
_TWO, _FOUR = ((-1, -1), (1, 1)), ((-1, -1), (1, 1), (-1, 1), (1, -1))
DOTS: tuple[tuple[tuple[int, int], ...], ...] = (
    *((), ((0, 0),), _TWO),
    *((*_TWO, (0, 0)), _FOUR, (*_FOUR, (0, 0)), (*_FOUR, (-1, 0), (1, 0))),
)
"""Places of the dots for 0 to 6, from -1 to 1."""


def _side(count: int, skin: Finish, ink: Floats, radius: float, size: float, big_one: bool) -> TextureImage:
    u, v = tx.uv_grid(64, 64)
    mask = np.zeros((64, 64))
    grow = 1.7 if big_one and count == 1 else 1.0
    for x, y in DOTS[count]:
        distance = np.hypot(u - 0.5 - 0.25 * x, v - 0.5 - 0.25 * y) / (radius * grow)
        mask = np.maximum(mask, 1 - tx.smoothstep(distance, 0.88, 1.1))
    return tx.to_uint8(tx.lerp_color(skin.image(size, size, 64), ink, mask))


def sample(rng: Rng) -> Instance:
    """Sample a die."""
    model = ModelBuilder()
    size = rng.uniform(13, 26) if rng.random() < 0.8 else rng.uniform(26, 55)
    wooden = rng.random() < 0.12
    patterns = ("plain", "plain", "plain", "plain", "marbled", "speckled")
    skin = (
        finish(rng, "wood", "brown", rgb=WOODS)
        if wooden
        else finish(rng, "plastic", COLORS, patterns, pitch=(0.25 * size, 0.4 * size))
    )
    light = float(skin.tints[0] @ [0.3, 0.59, 0.11]) > 130
    word = choice(rng, ("black", "black", "black", "red", "blue") if light else ("white", "white", "white", "yellow"))
    word = word if word not in skin.colors else "black" if light else "white"
    ink, radius, big = tint(rng, word), rng.uniform(0.08, 0.12), rng.random() < 0.25
    order = ("top", "front", "right", "left", "back", "bottom")
    sides = {name: _side(n + 1, skin, ink, radius, size, big) for n, name in enumerate(order)}
    edge = choice(rng, (0.04, 0.12, 0.2, 0.3)) * rng.uniform(0.8, 1.1)
    turn = rotation("z", 90 * rng.integers(4)) @ rotation(choice(rng, ("x", "y")), 90 * rng.integers(4))
    model.box((size, size, size * rng.uniform(0.98, 1.0)), sides, rounding=edge * size, turn=turn)
    features = [f"with {word} dots", "with rounded corners" if edge > 0.1 else "with sharp corners"]
    return model.instance(skin, "cube-shaped", features, colors=(*skin.colors, word), density=1200)


KIND = Kind(
    name="dice",
    synonyms=("die", "gaming die", "six-sided die"),
    hypernyms=("game piece", "toy"),
    function="playing games of chance",
    description="a small cube with one to six round dots on its faces, often white with black dots and rounded corners",
    longest=(0.012, 0.056),
    sample=sample,
)
