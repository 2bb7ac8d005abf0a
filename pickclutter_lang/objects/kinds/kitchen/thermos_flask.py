"""Thermos flasks: tall steel or painted cylinders with shoulders and a cup for a cap; some have an ear."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import cap_color, likely, round_hull
from pickclutter_lang.objects.kinds.dishes import loop_handle
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth

COLORS = likely(grey=5, black=2, blue=2, green=2, red=2, white=1, pink=1, turquoise=1, orange=1)


def sample(rng: Rng) -> Instance:
    """Sample a thermos flask, standing."""
    model = ModelBuilder()
    word = choice(rng, COLORS)
    steel = word == "grey"
    patterns = ("plain",) if steel else (*("plain",) * 6, "checkered", "striped", "floral", "two-coloured")
    skin = finish(rng, "steel", word, patterns, wear=0.4, rgb=STEEL if steel else ())
    metal = finish(rng, "steel", "grey", rgb=STEEL)
    r = rng.uniform(31, 42)
    h = r * rng.uniform(5.2, 7.4)
    neck, cup = r * rng.uniform(0.72, 0.9), h * rng.uniform(0.16, 0.24)
    shoulder = h - cup - rng.uniform(0.05, 0.1) * h
    slope = smooth([(r, shoulder), (r * 0.97, shoulder + 0.03 * h), (neck, h - cup - 2)], 7)
    foot = [(0, 0), (r * 0.94, 0), (r * 1.01, 5), (r * 1.01, 14), (r, 14.5)]
    model.lathe(foot, plain(metal.tints[0] * 0.8), hull=False)
    model.lathe(
        [*((r, z) for z in np.linspace(14.5, shoulder - 4, 14)), *slope, (neck, h - cup), (0, h - cup)],
        skin,
        hull=False,
    )
    round_hull(model, (r, 0), (r, shoulder), (neck, h - cup))
    cap, color = cap_color(rng, likely(grey=5, black=2, white=1, red=1, blue=1))
    top, low = neck * rng.uniform(0.86, 1.0), neck * 1.04
    base = h - cup
    lid = [(0, base + 2), (low, base + 2), (low, base + 6), (top, h - 4), (top * 0.92, h), (0, h)]
    model.lathe(lid, metal if cap == "grey" else plain(color), pieces=1)
    ear = rng.random() < 0.3
    if ear:
        wall = np.array([(r, 0), (r, h)])
        loop_handle(model, rng, plain((44, 44, 46)), wall, 0.62 * h, 0.2 * h, r * rng.uniform(0.6, 0.8), 5.5)
    button = not ear and rng.random() < 0.3
    if button:
        model.lathe([(0, h - 1), (top * 0.45, h - 1), (top * 0.42, h + 4), (0, h + 4)], plain((48, 48, 50)), 18, 1)
    features = ["with a handle" if ear else "without a handle", f"with a {cap} cap", "closed"]
    features.append("with a button on top" if button else "")
    return model.instance(skin, "cylindrical", features, density=900)


KIND = Kind(
    name="thermos flask",
    synonyms=("thermos", "vacuum flask", "thermos bottle", "insulated flask"),
    hypernyms=("bottle", "container"),
    function="keeping drinks hot",
    description="a tall, smooth metal cylinder, silver or painted, with a narrower shoulder and a tall cap twisted "
    "on top",
    longest=(0.155, 0.32),
    sample=sample,
)
