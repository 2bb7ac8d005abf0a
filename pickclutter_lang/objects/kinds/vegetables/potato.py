"""Potatoes: uneven ovals with eyes and specks; pale brown, yellow, red or purple."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, bumps
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {
    "brown": ((172, 132, 84), (150, 112, 70), (184, 148, 98)),
    "yellow": ((226, 188, 104), (234, 198, 112)),
    "red": ((182, 64, 62), (170, 56, 60)),
}


def sample(rng: Rng) -> Instance:
    """Sample a potato."""
    model = ModelBuilder()
    word = choice(rng, (*("brown",) * 5, "yellow", "yellow", "red"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    length = rng.uniform(48, 120)
    size = length * rng.uniform(0.62, 0.85), length, length * rng.uniform(0.52, 0.72)
    eyes = rng.normal(size=(int(rng.integers(5, 10)), 3))
    eyes /= np.linalg.norm(eyes, axis=1, keepdims=True)
    lumpy = bumps(rng, rng.uniform(0.03, 0.07), 2.0)

    def shape(directions: Floats) -> Floats:
        near = np.exp((directions @ eyes.T - 1) * 90).max(axis=-1)
        return np.asarray(lumpy(directions) - 0.045 * near)

    base = peel(
        rng,
        color,
        tone=0.06,
        patches=(color * 0.82, 0.3),
        spots=(color * 0.62, rng.uniform(0.01, 0.06)),
        texels=(88, 128),
        spot_count=60,
    )
    directions = tx.sphere_directions(88, 128)
    dark = np.exp((directions @ eyes.T - 1) * 260).max(axis=-1)
    soil = tx.smoothstep(tx.grid_noise(rng, dark.shape, 14, 20), rng.uniform(0.9, 2.2), 3.0)
    dusty = tx.pixel_noise(tx.lerp_color(base, (92, 66, 42), np.maximum(0.6 * dark, 0.6 * soil)), rng, 4)
    model.ball(size, tx.to_uint8(dusty), shape, rows=17, segments=26)
    shape_word = "oval" if size[0] < 0.8 * length else "irregular"
    return model.instance(skin, shape_word, ["with red skin" if word == "red" else "", "with earthy specks"])


KIND = Kind(
    name="potato",
    synonyms=("spud", "tater", "raw potato"),
    hypernyms=("root vegetable", "vegetable", "food"),
    function="cooking",
    description="a lumpy oval root with thin dull skin, small dark dents called eyes, and earthy specks",
    longest=(0.045, 0.135),
    sample=sample,
)
