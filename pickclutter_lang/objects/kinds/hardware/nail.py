"""Nails: thin steel rods with a flat head and a point, bright, black or rusty, some bent."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, fastener_metal
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain


def sample(rng: Rng) -> Instance:
    """Sample a nail, lying with its point at +y."""
    model = ModelBuilder()
    r = rng.uniform(1.1, 2.8)
    length = 20 + r * rng.uniform(14, 28)
    rusty = rng.random() < 0.2
    rust = ((126, 72, 42), (108, 66, 44), (140, 84, 50))
    skin = finish(rng, "steel", "brown", wear=1.0, rgb=rust) if rusty else fastener_metal(rng)
    bent = rng.random() < 0.25
    t = np.array([0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1])
    bow = rng.uniform(0.06, 0.2) * length * (t * 1.2 - 0.2).clip(0) ** 1.8 if bent else 0 * t
    y = t * (length - 3.2 * r)
    body = np.c_[bow, y, 0 * t]
    model.sweep(body, r, skin, segments=12, pieces=4 if bent else 1)
    end = body[-1] + (body[-1] - body[-2]) / np.linalg.norm(body[-1] - body[-2]) * 3.2 * r
    model.sweep([body[-1], end], [r, 0.08 * r], skin, segments=4 if rng.random() < 0.6 else 12, pieces=1)
    wide, thick = r * rng.uniform(1.9, 2.6), rng.uniform(0.5, 0.8) * r
    countersunk = rng.random() < 0.25
    head = [(0, -thick), (wide * 0.9, -thick), (wide, -0.5 * thick), (wide, 0), (0, 0.1 if not countersunk else r)]
    if countersunk:
        head.insert(4, (r, 1.2 * r))
    model.lathe(head, skin, segments=16, pieces=1, turn=ALONG_Y)
    for n in range(3):
        model.lathe(
            [(r * 1.0, 0), (r * 1.06, 0.15 * r), (r, 0.3 * r)],
            plain(skin.tints[0] * 0.6),
            segments=10,
            at=(0, (1.2 + 0.8 * n) * r, 0),
            turn=ALONG_Y,
            hull=False,
        )
    features = ["bent" if bent else "straight", "rusty" if rusty else "", "with a flat head"]
    return model.instance(skin, "long and thin", features, density=6500)


KIND = Kind(
    name="nail",
    synonyms=("metal nail", "iron nail"),
    hypernyms=("fastener", "hardware"),
    function="holding pieces of wood together",
    description="a thin, smooth metal rod with a sharp point at one end and a small flat round head at the other",
    longest=(0.025, 0.105),
    sample=sample,
)
