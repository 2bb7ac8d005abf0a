"""Whisks: loops of wire that bulge like a balloon, on a handle of steel, wood or plastic."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS, tool_handle
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a whisk, lying with its wires at +y."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    length, cage = rng.uniform(85, 125), rng.uniform(75, 130)
    r = cage * rng.uniform(0.22, 0.32)
    grip, words = tool_handle(model, rng, steel, length, rng.uniform(7, 10.5))
    neck = rng.uniform(4.5, 7)
    model.sweep(np.array([(0, length - 6, 0), (0, length + 9, 0)]), neck, steel, segments=12, pieces=1)
    soft = rng.random() < 0.25
    word = choice(rng, GRIPS) if soft else "grey"
    wire = plain(tint(rng, word) if soft else np.array(choice(rng, STEEL)) * rng.uniform(0.9, 1.1))
    thick, loops, belly = rng.uniform(1.0, 1.5) * (1.3 if soft else 1), int(rng.integers(4, 6)), rng.uniform(0.6, 0.74)
    side = [(0, neck * 0.6), (0.2, 0.35 * r + 2), (belly, r), (0.9, 0.72 * r), (1, 0.1 * r)]
    for n in range(loops):
        turn = rotation("y", 180 * (n + 0.3) / loops)
        for s in (-1, 1):
            points = smooth([(s * q, length + 5 + cage * v, 0) for v, q in side], 13)
            model.sweep(points, thick, wire, segments=5, up=(0, 0, 1), pieces=1, turn=turn)
    features = [words, "with a balloon of wires", f"with {word} wires" if soft else "with steel wires"]
    colors = tuple(dict.fromkeys((*grip.colors, word)))
    return model.instance(grip if grip is not steel else steel, "long", features, colors=colors, density=900)


KIND = Kind(
    name="whisk",
    synonyms=("balloon whisk", "egg whisk", "egg beater"),
    hypernyms=("kitchen tool", "tool"),
    function="beating eggs and cream",
    description="a long slim handle with a rounded, hollow cage of thin curved wire loops at one end",
    longest=(0.165, 0.27),
    sample=sample,
)
