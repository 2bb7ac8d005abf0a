"""Bananas: yellow, greenish or spotted, more or less bent, with ridges, a stem and a dark tip."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample a banana, lying flat."""
    model = ModelBuilder()
    length, bend, thick = rng.uniform(150, 215), rng.uniform(0.5, 1.25), rng.uniform(15, 20)
    t = np.linspace(-1, 1, 24)
    angle = bend * t
    path = np.c_[-np.cos(angle), np.sin(angle), np.zeros(24)] * length / (2 * bend)
    path[:, 0] += 8 * np.clip(t - 0.75, 0, 1) * rng.uniform(-1, 4)
    widths = thick * smooth([(0.25,), (0.62,), (0.9,), (1,), (1,), (1,), (0.88,), (0.55,), (0.24,), (0.26,)], 24)[:, 0]
    stage = choice(rng, ("ripe", "ripe", "ripe", "unripe", "spotted"))
    u, v = tx.uv_grid(128, 64)
    base = tint(rng, "yellow") if stage != "unripe" else np.array([170, 186, 54]) * rng.uniform(0.85, 1.05)
    ridges = tx.smoothstep(np.abs((u * 5 + 0.25) % 1 - 0.5), 0.0, 0.1)
    color = tx.lerp_color(base * 0.82, base, ridges)
    ends = np.maximum(tx.smoothstep(v, 0.75, 0.95), tx.smoothstep(-v, -0.2, -0.05))
    color = tx.lerp_color(color, (120, 150, 48), ends * rng.uniform(0.3, 0.9))
    spots = tx.smoothstep(tx.grid_noise(rng, (128, 64), 28, 9), *((0.9, 1.3) if stage == "spotted" else (2.0, 2.5)))
    tips = np.maximum(tx.smoothstep(v, 0.95, 0.985), tx.smoothstep(-v, -0.07, -0.02))
    color = tx.lerp_color(color, (78, 52, 26), np.maximum(0.75 * spots, tips))
    model.sweep(path, widths, tx.to_uint8(color), power=2.3, segments=15, pieces=6)
    word = "green" if stage == "unripe" else "yellow"
    skin = finish(rng, "food", word)
    features = ["unripe"] if stage == "unripe" else ["ripe", "with brown spots" if stage == "spotted" else ""]
    return model.instance(skin, "curved", features, colors=("yellow", "brown") if stage == "spotted" else (word,))


KIND = Kind(
    name="banana",
    synonyms=("banana fruit",),
    hypernyms=("fruit", "food"),
    function="eating",
    description="a curved, elongated yellow fruit with slightly angular sides, a tapered dark tip and a narrow "
    "stem at the other end",
    longest=(0.12, 0.22),
    sample=sample,
)
