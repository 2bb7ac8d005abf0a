"""Pepper mills: turned bodies of wood with a waist, a round head and a knob; some of steel."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth


def sample(rng: Rng) -> Instance:
    """Sample a pepper mill, standing."""
    model = ModelBuilder()
    style = choice(rng, likely(wood=5, painted=3, steel=2))
    words = likely(black=3, white=2, red=2, grey=1, green=1, blue=1, yellow=1)
    skin = {
        "wood": finish(rng, "wood", "brown", rgb=(*WOODS, (92, 54, 30), (70, 42, 26))),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
    }.get(style) or finish(rng, "wood", words)
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    h = rng.uniform(110, 250)
    r = rng.uniform(22, 30) * (0.8 + 0.2 * h / 180)
    split = h * rng.uniform(0.66, 0.78)
    if style == "steel" or rng.random() < 0.2:
        body = [(r, 0), (r, 0.04 * h), (r * 0.96, 0.5 * split), (r, split)]
        head = [(r, split + 2), (r, 0.9 * h), (r * 0.7, 0.95 * h), (0, 0.95 * h)]
    else:
        waist, ring = r * rng.uniform(0.5, 0.68), r * rng.uniform(0.72, 0.9)
        low = [(r, 0), (r, 0.1 * split), (r * 0.82, 0.22 * split)]
        body = [*low, (waist, 0.55 * split), (ring, 0.85 * split), (ring * 0.9, split)]
        wide = r * rng.uniform(0.78, 1.0)
        head = [(ring * 0.9, split + 2), (ring, split + 4), (waist * 0.9, split + 0.1 * h)]
        head += [(wide, 0.86 * h), (wide * 0.7, 0.95 * h), (0, 0.965 * h)]
    curve = smooth(body, 16) if len(body) > 4 else np.array(body)
    model.lathe([(0, 0), *curve, (0, split)], skin, segments=24, pieces=3)
    gap = 0.8 * curve[-1, 0]
    model.lathe([(0, split - 1), (gap, split - 1), (gap, split + 3), (0, split + 3)], steel, 20, hull=False)
    top = skin.solid(0.96)
    cap = smooth(head, 14) if len(head) > 4 else np.array(head)
    model.lathe([(0, split + 2), *cap], top, segments=24, pieces=2)
    crank = rng.random() < 0.15
    knob = r * rng.uniform(0.16, 0.26)
    z = float(cap[-1, 1])
    screw = np.array([(0, -0.5), (0.6, -0.5), (0.6, 0.2), (1, 1), (0.7, 1.8), (0, 2)])
    model.lathe(screw * knob + np.array([0, z]), steel, 16, 1)
    if crank:
        arm = smooth([(0, 0, z + knob), (0, 0.8 * r, z + knob + 2), (0, 1.7 * r, z + knob)], 7)
        model.sweep(arm, 3, steel, 1.5, up=(0, 0, 1), segments=8, pieces=1)
        model.ball((9, 9, 14), skin.solid(), rows=9, segments=12, at=(0, 1.7 * r, z + knob + 7))
    features = ["with a crank" if crank else "without a crank", "with a knob", "painted" if style == "painted" else ""]
    return model.instance(skin, "cylindrical", features)


KIND = Kind(
    name="pepper mill",
    synonyms=("pepper grinder", "peppermill"),
    hypernyms=("kitchen tool", "tableware"),
    function="grinding pepper",
    description="a tall turned column, often of dark wood, with a narrow waist, a rounded head that twists, and a "
    "small metal knob on top",
    longest=(0.1, 0.28),
    sample=sample,
)
