"""Mushrooms: domed caps, white to brown, gills below, on a thick stem."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {"white": (232, 224, 208), "brown": (150, 104, 64)}


def sample(rng: Rng) -> Instance:
    """Sample a mushroom, standing."""
    model = ModelBuilder()
    word = choice(rng, ("white", "white", "brown"))
    r, tall = rng.uniform(20, 42), rng.uniform(0.5, 1.0)
    foot, height = r * rng.uniform(0.32, 0.5), r * rng.uniform(0.7, 1.4)
    lean = rng.uniform(-0.12, 0.12, 2)
    dents, phase = rng.uniform(0, 0.05), rng.uniform(0, 6.3)

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        wavy = 1 + dents * np.cos(3 * angle + phase)[:, None] * [1, 1, 0]
        return np.asarray(points * wavy + points[:, 2:] * [*lean, 0])

    color = np.array(SKINS[word]) * rng.uniform(0.88, 1.06)
    skin = finish(rng, "food", word).painted(color)
    cap = peel(rng, color, spots=(color * 0.72, rng.uniform(0, 0.08)), bottom=(color * 0.8, 0.12), spot_count=26)
    dome = smooth(
        [(r * 0.86, -0.16 * r), (r, 0.0), (r * 0.93, 0.3 * r * tall), (r * 0.6, 0.75 * r * tall), (0, 0.9 * r * tall)],
        14,
    )
    model.lathe(np.add(dome, (0, height)), cap, bend=bend, pieces=1)
    u, _ = tx.uv_grid(32, 128)
    gills = tx.smoothstep(np.abs((u * 44) % 1 - 0.5), 0.1, 0.5)
    gill_color = np.array(choice(rng, ((150, 110, 84), (202, 168, 140), (96, 66, 50))))
    under = [(foot * 0.8, height + 0.02 * r), (r * 0.6, height - 0.06 * r), (r * 0.86, height - 0.16 * r)]
    model.lathe(under, tx.to_uint8(tx.lerp_color(gill_color, gill_color * 0.6, gills)), bend=bend, hull=False)
    stalk = smooth(
        [(foot * 0.9, 0), (foot * rng.uniform(1, 1.3), height * 0.2), (foot * 0.85, height * 0.6), (foot, height)], 9
    )
    model.lathe([(0, 0), *stalk, (0, height)], skin.painted(np.array(SKINS["white"]) * 0.96), bend=bend, pieces=1)
    return model.instance(skin, "umbrella-shaped", ["with a thick stem" if foot > 0.42 * r else ""])


KIND = Kind(
    name="mushroom",
    synonyms=("button mushroom", "champignon", "edible mushroom"),
    hypernyms=("vegetable", "food"),
    function="cooking",
    description="a small pale plant-like food with a smooth, rounded domed cap, fine gills underneath, and a "
    "short, thick stem",
    longest=(0.035, 0.12),
    sample=sample,
)
