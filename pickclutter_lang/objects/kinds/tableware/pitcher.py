"""Pitchers: tall jugs with a pouring lip and a large ear, of ceramic, plastic, metal or glass."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import CHINA, china, dish, glass, loop_handle, spout
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth


def sample(rng: Rng) -> Instance:
    """Sample a pitcher, standing, its lip at -y."""
    model = ModelBuilder()
    material = choice(rng, likely(ceramic=4, plastic=4, glass=2, metal=1, steel=1))
    if material == "ceramic":
        skin = china(rng)
    elif material == "glass":
        skin = glass(rng)
    else:
        words = "grey" if material == "steel" else (*CHINA, "blue", "blue", "red", "purple")
        skin = finish(rng, material, words, rgb=STEEL if material == "steel" else ())
    r = rng.uniform(40, 62)
    h = r * rng.uniform(2.3, 3.6)
    foot, neck, rim = r * rng.uniform(0.72, 1.0), r * rng.uniform(0.68, 1.0), r * rng.uniform(0.78, 1.0)
    belly = h * rng.uniform(0.22, 0.5)
    outer = smooth([(foot, 0), (r, belly), (neck, h * 0.8), (rim, h)], 11)
    wall = rng.uniform(3, 4.5)
    inner = np.array([*(outer[::-1] - [wall, 0])[:-1], (foot - wall, wall + 1), (0, wall + 1)])
    inside = skin.painted((236, 234, 226)) if skin.material == "ceramic" and rng.random() < 0.4 else skin.solid(0.92)
    dish(model, outer, inner, skin, inside, bend=spout(h, r * rng.uniform(0.3, 0.55), rng.uniform(0.35, 0.55)))
    top, low = h * rng.uniform(0.84, 0.94), h * rng.uniform(0.2, 0.4)
    loop_handle(model, rng, skin.solid(), outer, top, low, r * rng.uniform(0.55, 0.8), rng.uniform(4.5, 7))
    tall = "tall" if h > 3 * r else "short and wide" if h < 2.6 * r else ""
    return model.instance(skin, "cylindrical", ["with a handle", "with a spout", "without a lid", tall])


KIND = Kind(
    name="pitcher",
    synonyms=("jug", "pouring jug", "jug with a handle"),
    hypernyms=("tableware", "container"),
    function="pouring drinks",
    description="a tall, open vessel with rounded sides, a pouring lip drawn out of its rim, and a large curved handle "
    "opposite",
    longest=(0.09, 0.24),
    sample=sample,
)
