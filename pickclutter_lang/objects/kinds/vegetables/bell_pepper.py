"""Bell peppers: blocky with three or four lobes; red, yellow, green or orange, with a thick green stem."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import leaf_color, stub
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {
    "red": ((186, 24, 24), (168, 20, 26), (204, 40, 28)),
    "yellow": ((238, 190, 36), (232, 178, 30)),
    "green": ((48, 110, 40), (64, 126, 44), (40, 92, 38)),
    "orange": ((232, 118, 24), (238, 132, 36)),
}


def sample(rng: Rng) -> Instance:
    """Sample a bell pepper, standing."""
    model = ModelBuilder()
    word = choice(rng, ("red", "red", "yellow", "green", "orange"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    r, tall, low = rng.uniform(33, 44), rng.uniform(0.9, 1.35), rng.uniform(0.68, 0.9)
    dent = rng.uniform(0.15, 0.35)
    outline = [
        (0, -1 + dent),
        (0.25, -1 + 0.5 * dent),
        (0.5 * low, -0.98),
        (0.92 * low, -0.8),
        (low + 0.06, -0.3),
        (0.98, 0.35),
        (1, 0.68),
        (0.78, 0.95),
        (0.4, 0.98),
        (0.16, 0.84),
        (0, 0.72),
    ]
    lobes, depth, phase = int(rng.integers(3, 5)), rng.uniform(0.09, 0.18), rng.uniform(0, 6.3)
    lean, odd = rng.normal(0, 0.07, 2), rng.uniform(0.0, 0.12)

    def bend(points: Floats) -> Floats:
        angle, z = np.arctan2(points[:, 1], points[:, 0]), points[:, 2] / (r * tall)
        valley = (1 - np.abs(np.cos(lobes * (angle - phase) / 2))) ** 1.6
        factor = 1 - depth * valley * (1.15 - 0.35 * z) + odd * np.cos(angle - 2 * phase)
        high = np.where(z > 0.6, 1 - 0.12 * valley, 1 + 0.08 * np.cos(lobes * (angle - phase)) * (z < -0.5))
        shifted = points[:, :2] * factor[:, None] + points[:, 2:] * lean
        return np.concatenate([shifted, points[:, 2:] * high[:, None]], axis=1)

    patchy = rng.random() < 0.2
    other = choice(rng, [w for w in SKINS if w != word])
    patches = (choice(rng, SKINS[other]), rng.uniform(0.12, 0.25)) if patchy else (color * 0.85, 0.3)
    image = peel(rng, color, tone=0.05, patches=patches, top=(color * 0.75 + (4, 14, 4), 0.12))
    model.lathe(smooth(outline, 26) * [r, r * tall], image, 36, bend=bend, pieces=1)
    foot = bend(np.array([[0, 0, 0.72 * r * tall]]))[0]
    green = leaf_color(rng)
    model.lathe(
        [(0.34 * r, -2), (0.3 * r, 2), (0.12 * r, 4), (0, 5)],
        peel(rng, green, texels=(12, 24)),
        10,
        at=foot,
        hull=False,
    )
    stub(model, rng, foot, rng.uniform(0.45, 0.95) * r, rng.uniform(3.5, 5.5), green, flare=1.25)
    features = ["with a green stem", f"with {('three', 'four')[lobes - 3]} lobes"]
    return model.instance(skin, "irregular", features, colors=(word, other) if patchy else (word,))


KIND = Kind(
    name="bell pepper",
    synonyms=("sweet pepper", "capsicum", "paprika pepper"),
    hypernyms=("vegetable", "food"),
    function="cooking",
    description="a blocky vegetable with shiny skin, grooves between three or four lobes, and a thick green stem",
    longest=(0.06, 0.16),
    sample=sample,
)
