"""Corkscrews: a wire spiral under a bar for a handle, with two wings, or folded as a waiter's friend."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def _worm(model: ModelBuilder, steel: Finish, start: float, length: float, r: float, turn: float = 0.0) -> None:
    """Add the spiral along +y from `start`, then turned about z by degrees."""
    t, out = np.linspace(0, 1, 50), rotation("z", turn)
    angle, radius = 2 * np.pi * 5 * t, r * np.clip(t * 12, 0.1, 1) * np.clip((1 - t) * 10, 0.15, 1)
    path = np.c_[radius * np.cos(angle), start + length * t, radius * np.sin(angle)]
    model.sweep(path, 1.25, steel, segments=6, up=(0, 1, 0.02), hull=False, turn=out)
    corners = [(x, y, z) for x in (-r, r) for z in (-r, r) for y in (start, start + 0.9 * length)]
    model.hull([*corners, (0, start + length, 0)], turn=out)


def _word(grip: Finish) -> str:
    return "wooden" if grip.material == "wood" else grip.material


def _bar(model: ModelBuilder, rng: Rng, steel: Finish, grip: Finish) -> Instance:
    """Add a crosswise handle on a shaft."""
    span, thick = rng.uniform(38, 52), rng.uniform(8, 12)
    shape = smooth([(0.62, -1), (0.95, -0.8), (1.05, -0.35), (0.9, 0), (1.05, 0.35), (0.95, 0.8), (0.62, 1)], 15)
    profile = np.concatenate([[(0, -1)], shape, [(0, 1)]]) * [thick, span]
    turn = rotation("y", 90)
    model.lathe(profile, grip, segments=20, turn=turn, hull=False)
    rings = ((0.66, -1), (1.06, -0.8), (1.06, 0.8), (0.66, 1))
    model.hull([(*p, z * span) for q, z in rings for p in circle(q * thick, 14)], turn=turn)
    shaft = rng.uniform(22, 34)
    model.sweep(np.array([(0, 0, 0), (0, thick + shaft, 0)]), 2.6, steel, segments=10, pieces=1)
    _worm(model, steel, thick + shaft - 2, rng.uniform(48, 62), 4.2)
    features = [f"with a {_word(grip)} handle", "without wings"]
    return model.instance(grip, "t-shaped", features, colors=(*grip.colors, "grey"), density=1200)


def _wings(model: ModelBuilder, rng: Rng, steel: Finish, grip: Finish) -> Instance:
    """Add a barrel with two arms and a grip to turn."""
    metal = steel if rng.random() < 0.65 else finish(rng, "metal", ("red", "black", "blue", "yellow"))
    body, wide = rng.uniform(72, 92), rng.uniform(11, 14)
    rings = [(0.9, 0), (1.0, 0.04), (1.0, 0.22), (0.75, 0.3), (0.62, 0.5), (0.62, 0.8), (0.8, 0.88), (0.8, 1.0)]
    profile = np.concatenate([[(0, 0)], np.array(rings) * [wide, 1], [(0, 1)]]) * [1, -body]
    model.lathe(profile[::-1], metal, segments=22, pieces=2, turn=rotation("x", 90))
    raised = rng.uniform(0.25, 1.1)
    for s in (-1, 1):
        a, reach = np.array([s * np.sin(raised), np.cos(raised)]), rng.uniform(64, 76)
        base = np.array([s * 9.0, 0.2 * body])
        t = np.linspace(0, 1, 9)
        center = base + t[:, None] * reach * a * [1, 1]
        half = smooth([(4.5,), (4,), (4.5,), (8,), (4,)], 9)[:, 0]
        across = np.array([-a[1], a[0]])
        left, right = center + half[:, None] * across, center - half[:, None] * across
        model.plate(left, right, -2.2, 2.2, metal.solid(0.94), pieces=2)
        model.prism(circle(9, 18) * 0.9 + base, -4, 4, metal.solid(0.88))
    model.sweep(np.array([(0, -8, 0), (0, 0.1 * body, 0)]), 3.4, steel, segments=10, pieces=1)
    _worm(model, steel, body - 3, rng.uniform(22, 45), 4.2)
    head, cover = np.array([-16.0, 0, 16]) * rng.uniform(0.9, 1.2), metal if rng.random() < 0.6 else grip
    model.sweep(np.c_[head, np.full(3, -12.0), 0 * head], 7, cover, 4, power=3, segments=14, pieces=1)
    features = ["with two wings", "with a turning grip"]
    return model.instance(metal, "long", features, colors=metal.colors, density=2200)


def _waiter(model: ModelBuilder, rng: Rng, steel: Finish, grip: Finish) -> Instance:
    """Add a handle from which the spiral and a lever unfold."""
    half, thick = rng.uniform(50, 58), rng.uniform(5, 7)
    y = np.linspace(-half, half, 11)
    bow = rng.uniform(2, 6) * np.cos(np.linspace(-1.4, 1.4, 11))
    model.sweep(np.c_[bow, y, 0 * y], rng.uniform(6, 8), grip, thick, power=3, segments=14, pieces=2)
    for n in (1, -2):
        rivet = circle(3, 12) + np.array([bow[n], 0.92 * y[n]])
        model.prism(rivet, -thick - 0.4, thick + 0.4, steel, hull=False)
    _worm(model, steel, 4, rng.uniform(42, 52), 4.2, rng.uniform(60, 110))
    lever = smooth([(float(bow[-1]), half - 6, 0), (-10, half + 2, 0), (-26, half - 8, 0), (-40, half - 14, 0)], 9)
    model.sweep(lever, 4, steel, 3, power=4, segments=10, pieces=2)
    features = [f"with a {_word(grip)} handle", "with a folding spiral", "without wings"]
    return model.instance(grip, "long", features, colors=(*grip.colors, "grey"), density=1500)


def sample(rng: Rng) -> Instance:
    """Sample a corkscrew, lying flat, its spiral towards +y, or a folding one."""
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    wood = rng.random() < 0.5
    grip = finish(rng, "wood", "brown", rgb=WOODS) if wood else finish(rng, "plastic", ("black", *GRIPS))
    make = choice(rng, (_bar, _wings, _waiter))
    return make(ModelBuilder(), rng, steel, grip)


KIND = Kind(
    name="corkscrew",
    synonyms=("cork screw", "wine opener", "cork puller"),
    hypernyms=("kitchen tool", "tool"),
    function="pulling corks",
    description="a sharp spiral of steel wire under a crosswise handle, or between two raised arms with toothed ends",
    longest=(0.09, 0.2),
    sample=sample,
)
