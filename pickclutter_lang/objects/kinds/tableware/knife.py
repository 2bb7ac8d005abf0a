"""Table knives: rounded or pointed blades of steel or plastic, plain or serrated, on flat or thick handles."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.utensils import STYLES, cutlery_finish, cutlery_handle
from pickclutter_lang.objects.procedural.surfaces import Floats


def sample(rng: Rng) -> Instance:
    """Sample a table knife, lying flat with its blade at +y."""
    model = ModelBuilder()
    style = choice(rng, STYLES)
    skin = cutlery_finish(rng, style)
    length = rng.uniform(165, 240)
    blade, wide = length * rng.uniform(0.42, 0.54), rng.uniform(15, 23)
    shaft = length - blade

    def rise(y: Floats) -> Floats:
        return np.zeros(len(y))

    grip, words = cutlery_handle(model, rng, skin, style, shaft + 2, rise)
    t = np.linspace(0, 1, 22)
    y = shaft + blade * t
    back = -wide * rng.uniform(0.3, 0.45) * np.clip(0.55 + 6 * t, 0, 1) * np.sqrt(np.clip((1 - t) / 0.05, 0.01, 1))
    pointed = rng.random() < 0.35
    tip = np.clip((1 - t) / (rng.uniform(0.25, 0.4) if pointed else rng.uniform(0.06, 0.14)), 0, 1)
    edge = wide * 0.6 * np.clip(0.4 + 7 * t, 0, 1) * (0.86 + 0.14 * np.sin(np.pi * t)) * np.sin(np.pi / 2 * tip) ** 0.6
    edge = np.where(tip < 1, back + (edge - back) * np.sin(np.pi / 2 * tip) ** 0.5, edge)
    serrated = rng.random() < 0.45
    if serrated:
        edge = edge - 1.3 * (np.arange(22) % 2) * (t > 0.3) * (t < 0.92)
    thick = rng.uniform(1.4, 2.0) if skin.material == "steel" else 2.6
    right = np.c_[np.maximum(edge, back + 0.4), y]
    model.plate(np.c_[back, y], right, -thick / 2, thick / 2, skin.solid(1.04), pieces=2)
    colors = skin.colors if grip is skin else (*grip.colors, *skin.colors)
    tip_words = "with a pointed tip" if pointed else "with a rounded tip"
    features = [words, "with a serrated blade" if serrated else "", tip_words]
    return model.instance(skin, "long and thin", features, colors=colors)


KIND = Kind(
    name="knife",
    synonyms=("table knife", "dinner knife", "eating knife"),
    hypernyms=("cutlery", "tableware"),
    function="cutting food",
    description="a long slim utensil with a straight handle and a flat, narrow blade with one sharp, slightly curved "
    "edge",
    longest=(0.16, 0.25),
    sample=sample,
)
