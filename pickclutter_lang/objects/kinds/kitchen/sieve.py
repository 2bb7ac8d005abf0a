"""Sieves: bowls of fine wire mesh in a ring, with a handle and a hook or a rest opposite."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import dish
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle


def mesh(rng: Rng, wire: Floats, cells: int) -> TextureImage:
    """Return the image of woven wire on a round bowl, seen from above: bright wires, darker gaps."""
    u, v = tx.uv_grid(96, 224)
    x, y = (1 - v) * np.cos(2 * np.pi * u), (1 - v) * np.sin(2 * np.pi * u)
    turn = rng.uniform(0, np.pi)
    a, b = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    line = np.maximum(np.cos(2 * np.pi * cells * a), np.cos(2 * np.pi * cells * b))
    return tx.to_uint8(tx.lerp_color(wire * 0.5, wire * 1.08, tx.smoothstep(line, 0.2, 0.95)))


def sample(rng: Rng) -> Instance:
    """Sample a sieve, its bowl open upward, its handle at +y."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    r = rng.uniform(36, 74)
    deep, wall = r * rng.uniform(0.48, 0.72), 0.075 * r
    t = np.linspace(0.16, np.pi / 2, 9)
    outer = np.c_[r * np.sin(t), deep * (1 - np.cos(t))]
    inner = np.array([*(outer[::-1] - [wall, 0])[:-2], (outer[0, 0], wall), (0, wall)])
    cells = int(rng.integers(8, 15))
    wire = np.asarray(steel.tints[0])
    dish(model, outer, inner, mesh(rng, wire, cells)[::-1], mesh(rng, wire * 0.94, cells), wedges=7)
    colored = rng.random() < 0.45
    words = likely(red=2, white=3, blue=2, green=2, black=2, yellow=1, orange=1)
    rim = finish(rng, "plastic", words) if colored else steel
    ring = circle(1, 28) * (r + 0.4)
    loop = np.c_[np.r_[ring, ring[:1]], np.full(29, deep)]
    model.sweep(loop, 2.2, rim, rng.uniform(2, 4.5), segments=8, closed=True, hull=False)
    length = rng.uniform(75, 125) if r < 60 else rng.uniform(75, 110)
    wood, plastic = finish(rng, "wood", "brown", rgb=WOODS), finish(rng, "plastic", "black")
    grip = choice(rng, (rim, rim, rim, wood, plastic))
    rise = rng.uniform(0, 12)
    if grip is steel:
        for s in (-1, 1):
            bend = [(9, 0, 0), (5, 0.3, 1), (6.5, 0.7, 1), (3, 1, 1)]
            bar = smooth([(s * x, r + length * y, deep + rise * z) for x, y, z in bend], 12)
            model.sweep(bar, 1.9, steel, segments=8, pieces=1)
        end = np.array([(x, r + length, deep + rise) for x in (-3.5, 3.5)])
        model.sweep(end, 1.9, steel, segments=8, hull=False)
    else:
        rod = np.array([(0, r - 1, deep), (0, r + 0.35 * length, deep + rise)])
        model.sweep(rod, 3.4, steel, 1.8, segments=8, pieces=1)
        y = r + length * np.linspace(0.25, 1, 10)
        form = smooth([(0.7,), (0.9,), (1.0,), (0.8,)], 10)[:, 0] * rng.uniform(7, 9.5)
        path = np.c_[0 * y, y, np.full(10, deep + rise)]
        model.sweep(path, form, grip, 0.6 * form, power=2.6, segments=14, pieces=1)
    rest = rng.random() < 0.6
    if rest:
        loop = smooth([(-12, -r + 2, deep), (-9, -r - 11, deep), (9, -r - 11, deep), (12, -r + 2, deep)], 11)
        model.sweep(loop, 1.7, steel, segments=8, pieces=1)
    material = {"wood": "wooden"}.get(grip.material, grip.material)
    features = [f"with a {material} handle", "with a mesh", "with a rest at its rim" if rest else "", "empty"]
    colors = tuple(dict.fromkeys(("grey", *(rim.colors if colored else ()), *grip.colors)))
    return model.instance(steel, "hemispherical", features, colors=colors, density=700)


KIND = Kind(
    name="sieve",
    synonyms=("kitchen sieve", "strainer", "mesh strainer"),
    hypernyms=("kitchen tool", "tool"),
    function="sifting flour",
    description="a rounded cage of fine woven wire held by a round rim, with a long slim handle on one side",
    longest=(0.15, 0.3),
    sample=sample,
)
