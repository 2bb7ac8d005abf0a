"""Spoons: teaspoons to tablespoons of steel, plastic or wood, some with another handle."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.utensils import STYLES, cutlery_finish, cutlery_handle, scoop
from pickclutter_lang.objects.procedural.surfaces import Floats


def sample(rng: Rng) -> Instance:
    """Sample a spoon, lying with its bowl at +y, open side up."""
    model = ModelBuilder()
    style = choice(rng, STYLES)
    skin = cutlery_finish(rng, style)
    length = rng.uniform(130, 210)
    head = length * rng.uniform(0.27, 0.34)
    wide, deep = head * rng.uniform(0.6, 0.78), head * rng.uniform(0.13, 0.2)
    bow, shaft = rng.uniform(6, 14), length - head

    def rise(y: Floats) -> Floats:
        t = y / shaft
        return np.asarray(bow * (0.35 * np.sin(np.pi * np.clip(t, 0, 1.2)) - 0.3 * np.clip(t, 0, 2) ** 2))

    grip, words = cutlery_handle(model, rng, skin, style, shaft + 0.12 * head, rise)
    z = float(rise(np.array([shaft + 0.06 * head]))[0])
    thick = 1.6 if skin.material == "steel" else 2.6
    at, pointed = (0, shaft + head / 2, z + 0.6), rng.uniform(-0.1, 0.16)
    scoop(model, skin, (wide, head, deep), thick, at, pointed, skin.solid(0.88))
    colors = skin.colors if grip is skin else (*grip.colors, *skin.colors)
    return model.instance(skin, "long and thin", [words], colors=colors)


KIND = Kind(
    name="spoon",
    synonyms=("eating spoon", "table spoon"),
    hypernyms=("cutlery", "tableware"),
    function="eating soup",
    description="a long slim utensil with a flat handle and a shallow, rounded oval hollow at one end",
    longest=(0.125, 0.215),
    sample=sample,
)
