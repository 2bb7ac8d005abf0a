"""Ladles: deep round bowls on a long handle that rises and hooks at its end; of steel, plastic or wood."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS


def sample(rng: Rng) -> Instance:
    """Sample a ladle, its bowl open upward, its handle rising towards -y."""
    model = ModelBuilder()
    material = choice(rng, ("steel", "steel", "plastic", "plastic", "metal", "wood"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*GRIPS, *("black",) * 4))
    skin = finish(rng, material, words, rgb=rgb)
    r = rng.uniform(29, 43)
    deep, length, wall = r * rng.uniform(0.6, 0.95), rng.uniform(150, 205), rng.uniform(1.8, 3.0)
    t = np.linspace(0.25, np.pi / 2, 8)
    outer = np.c_[r * np.sin(t), deep * (1 - np.cos(t))]
    model.vessel(outer, wall, skin, skin.solid(0.9), wedges=7)
    rise = rng.uniform(15, 80)
    bend = [(0, -r + 1.5, deep - 3), (0, -r - 10, deep + 6), (0, -r - 0.5 * length, deep + 0.55 * rise)]
    path = smooth([*bend, (0, -r - length, deep + rise)], 16)
    half = np.linspace(rng.uniform(3.4, 5), rng.uniform(5, 9), 16)
    thick = rng.uniform(1.5, 2.6) if material in ("steel", "metal") else rng.uniform(3, 5)
    model.sweep(path, half, skin, thick, power=2.6, segments=12, pieces=2)
    hook = rng.random() < 0.35
    colors = skin.colors
    words_of_handle = ""
    if hook:
        end, step = path[-1], path[-1] - path[-2]
        back = np.array([0, 0.0, -1.0]) * 14
        loop = smooth([end - step * 0.3, end + step * 0.7, end + step * 1.1 + back * 0.5, end + step * 0.4 + back], 10)
        model.sweep(loop, half[-1] * 0.7, skin, thick, segments=10, pieces=2)
    elif rng.random() < 0.5:
        grip = (
            finish(rng, "wood", "brown", rgb=WOODS)
            if rng.random() < 0.3
            else finish(rng, "plastic", ("black", "black", *GRIPS))
        )
        part = path[7:]
        model.sweep(part, 1.25 * half[7:] + 1.5, grip, 5.5, power=2.4, segments=12, pieces=1)
        colors = (*skin.colors, *grip.colors)
        words_of_handle = f"with a {'wooden' if grip.material == 'wood' else 'plastic'} handle"
    features = ["with a hook at its end" if hook else "without a hook", words_of_handle]
    return model.instance(skin, "long", features, colors=colors)


KIND = Kind(
    name="ladle",
    synonyms=("soup ladle", "serving ladle", "dipper"),
    hypernyms=("kitchen tool", "tool"),
    function="serving soup",
    description="a deep round scoop fixed at an angle to the end of a long, thin handle that often bends at its end",
    longest=(0.18, 0.32),
    sample=sample,
)
