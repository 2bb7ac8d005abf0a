"""Can openers: two long arms that close, a toothed wheel, and a winged key to turn; plastic or steel grips."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS
from pickclutter_lang.objects.procedural.surfaces import circle


def sample(rng: Rng) -> Instance:
    """Sample a can opener, lying flat, its wheel at +y and its key on top."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL, wear=0.4)
    covered = rng.random() < 0.75
    grip = finish(rng, choice(rng, ("plastic", "rubber")), ("black", "black", "white", *GRIPS)) if covered else steel
    length = rng.uniform(120, 165)
    gap, thick = rng.uniform(7, 17), rng.uniform(6.5, 9.5) if covered else rng.uniform(5, 6.5)
    for s in (-1, 1):
        line = [(0.45, 0.98), (0.7, 0.8), (1.0, 0.5), (1.0, 0.2), (0.8, 0)]
        path = smooth([(s * (2 + (gap + thick - 4) * a * 0.7), length * t, 0) for a, t in line], 16)
        model.sweep(path[:8], 4.4, steel, 1.5, power=4, segments=10, pieces=1)
        form = thick * smooth([(0.7,), (1.0,), (0.95,), (1.05,), (0.8,)], 12)[:, 0]
        model.sweep(path[4:], form * 0.8, grip, form * (0.8 if covered else 0.35), power=2.8, segments=14, pieces=2)
    head = rng.uniform(26, 40)
    y = length + head * np.array([-0.6, -0.25, 0.1, 0.35, 0.5])
    half = np.array([8, 11, 12, 10, 6.0])
    model.plate(np.c_[-half, y], np.c_[half, y], -1.6, 1.6, steel, pieces=1)
    at = np.array([rng.uniform(-3, 3), length - 0.05 * head])
    teeth = np.where(np.arange(32) % 2, 1.0, 0.84)[:, None] * circle(rng.uniform(8, 10.5), 32)
    model.prism(teeth + at + np.array([0, 9]), -5.5, -2, steel.solid(0.9), hull=False)
    model.prism(circle(rng.uniform(7, 9), 20) + at + np.array([4, -7]), -5, -2, steel.solid(0.8), hull=False)
    model.hull([(*(p + at), z) for p in circle(12, 10) for z in (-5.5, -1.5)])
    model.prism(circle(4.5, 14) + at, 1, 9, steel.solid(0.85), hull=False)
    wing = rng.uniform(22, 32)
    angle = rng.uniform(0, np.pi)
    t = np.linspace(-1, 1, 11)
    wide = smooth([(4,), (9,), (8,), (4.5,), (8,), (9,), (4,)], 11)[:, 0]
    ahead, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    spine = at + wing * t[:, None] * ahead
    key = grip if covered and rng.random() < 0.75 else steel
    edges = [spine + s * wide[:, None] * across for s in (1, -1)]
    tall = rng.uniform(4, 7) if key is grip else 2.5
    model.plate(edges[0], edges[1], 8.0, 8 + tall, key, pieces=1)
    colors = tuple(dict.fromkeys((*grip.colors, "grey")))
    features = [
        f"with {grip.material} grips" if covered else "with bare steel arms",
        "with a turning grip",
        "with a wheel",
    ]
    return model.instance(grip, "long", features, colors=colors, density=2200)


KIND = Kind(
    name="can opener",
    synonyms=("tin opener", "manual can opener"),
    hypernyms=("kitchen tool", "tool"),
    function="opening tins",
    description="two long arms joined at a steel head with a small toothed wheel and a winged grip that turns it",
    longest=(0.12, 0.2),
    sample=sample,
)
