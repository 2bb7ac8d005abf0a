"""Funnels: open cones that end in a narrow tube, of plastic or steel, some with an ear or a ring."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import dish
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural.surfaces import circle


def sample(rng: Rng) -> Instance:
    """Sample a funnel, its wide side up."""
    model = ModelBuilder()
    word = choice(rng, likely(white=3, red=2, blue=2, green=2, yellow=2, grey=3, black=1, orange=1, turquoise=1))
    steel = word == "grey"
    skin = finish(rng, "steel" if steel else "plastic", word, rgb=STEEL if steel else ())
    r = rng.uniform(34, 66)
    tube, narrow = r * rng.uniform(0.15, 0.26), rng.uniform(0.6, 0.85)
    stem, cone, rim = r * rng.uniform(0.6, 1.1), r * rng.uniform(0.75, 1.1), r * rng.uniform(0.05, 0.3)
    wall = rng.uniform(1.8, 2.8)
    top = stem + cone + rim
    outer = np.array([(tube, stem), (r * 0.98, stem + cone), (r, top)])
    inner = np.array([(r - wall, top), (r * 0.98 - wall, stem + cone), (tube * 0.75, stem + 0.6 * wall)])
    dish(model, outer, [*inner, (0, stem - 2)], skin, skin.solid(0.93), wedges=8)
    model.lathe([(0, 0), (tube * narrow, 0), (tube * 1.02, stem), (0, stem)], skin.solid(), segments=20, pieces=1)
    hole = skin.painted((34, 34, 36))
    model.prism(circle(tube * 0.72, 18), stem + 0.3, stem + 1.4, hole, hull=False)
    model.prism(circle(tube * narrow * 0.78, 16), -0.3, 0.4, hole, hull=False)
    edge = rng.uniform(0.5, 1.6)
    rim_edge = [(r - wall, top - 1), (r + edge, top - 1), (r + edge, top + 1), (r - wall, top + 1)]
    model.lathe(rim_edge, skin.solid(), hull=False)
    ear = choice(rng, ("tab", "ring", "none"))
    if ear == "tab":
        y = np.array([r - 1, r + 9, r + 17, r + 19])
        half = np.array([11, 10, 7, 3.0])
        model.plate(np.c_[-half, y], np.c_[half, y], top - 2.2, top, skin.solid(), pieces=1)
    elif ear == "ring":
        loop = circle(1, 14) * 9 + np.array([0, r + 8])
        path = np.c_[np.r_[loop, loop[:1]], np.full(15, top - 1)]
        model.sweep(path, 2.2, skin.solid(), 1.4, segments=8, closed=True, pieces=2)
    words = {"tab": "with a tab at its rim", "ring": "with a ring to hang it up", "none": "without a handle"}
    return model.instance(skin, "conical", [words[ear]])


KIND = Kind(
    name="funnel",
    synonyms=("filling funnel", "pouring funnel", "kitchen funnel"),
    hypernyms=("kitchen tool", "tool"),
    function="filling bottles",
    description="a wide open cone that narrows to a slim tube at its lower end",
    longest=(0.065, 0.165),
    sample=sample,
)
