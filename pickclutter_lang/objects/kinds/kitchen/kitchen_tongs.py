"""Kitchen tongs: two long arms joined at one end, with scalloped or soft tips that spring apart."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.utensils import GRIPS
from pickclutter_lang.objects.procedural.surfaces import circle


def sample(rng: Rng) -> Instance:
    """Sample kitchen tongs, lying on their side, open towards +y."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    style = choice(rng, ("steel", "grips", "grips", "plastic"))
    skin = steel if style != "plastic" else finish(rng, "plastic", GRIPS)
    tips = choice(rng, ("steel", "steel", "soft")) if style != "plastic" else "steel"
    tip = finish(rng, "rubber", ("black", "black", *GRIPS)) if tips == "soft" else skin.solid(1.05)
    grip = finish(rng, "rubber", ("black", "black", "black", *GRIPS))
    length = rng.uniform(180, 270)
    gap, thin, tall = rng.uniform(18, 42), rng.uniform(2.2, 3.8), rng.uniform(7, 10)
    for s in (-1, 1):
        bow = rng.uniform(0.9, 1.0)
        line = [(0.1, 0), (0.3, 0.25), (0.62 * bow, 0.55), (0.9, 0.78), (0.95, 0.9)]
        path = smooth([(s * (3 + gap * a), length * t, 0) for a, t in line], 16)
        form = np.r_[np.linspace(0.9, 1.0, 9), np.linspace(1.0, 0.8, 7)]
        model.sweep(path, thin, skin, tall * form, power=6, segments=10, pieces=3)
        if style == "grips":
            part = path[3:11]
            model.sweep(part + np.array([s * 1.2, 0, 0]), thin + 2.4, grip, tall * 1.08, power=3, segments=12, pieces=1)
        end = smooth([path[-1], path[-1] + [-s * 1, 0.04 * length, 0], path[-1] + [-s * 5, 0.1 * length, 0]], 8)
        wide = tall * smooth([(0.8,), (1.5,), (1.9,), (1.3,)], 8)[:, 0] * rng.uniform(0.9, 1.15)
        wide = wide * (1 + 0.1 * (-1.0) ** np.arange(8) * (np.arange(8) > 3))
        model.sweep(end, thin + (1.4 if tips == "soft" else 0.4), tip, wide, power=2.6, segments=12, pieces=1)
    model.prism(circle(rng.uniform(6, 9), 16) * [1, 1.3], -tall * 0.95, tall * 0.95, skin.solid(0.85))
    ring = rng.random() < 0.6
    if ring:
        loop = circle(1, 14) * [5, 8] + np.array([0, -13])
        wire = np.c_[np.r_[loop, loop[:1]], np.zeros(15)]
        model.sweep(wire, 1.2, steel.solid(0.9), segments=6, closed=True, hull=False)
        model.hull([(x, y, z) for x in (-6, 6) for y in (-22, -6) for z in (-1.2, 1.2)])
    colors = tuple(dict.fromkeys((*skin.colors, *(grip.colors if style == "grips" else ()), *tip.colors)))
    features = ["open", "with rubber tips" if tips == "soft" else "", "with a ring at the end" if ring else ""]
    features.append("with rubber grips" if style == "grips" else "")
    return model.instance(skin, "v-shaped", features, colors=colors, density=1500)


KIND = Kind(
    name="kitchen tongs",
    synonyms=("tongs", "serving tongs", "cooking tongs"),
    hypernyms=("kitchen tool", "tool"),
    function="gripping hot food",
    description="two long, narrow flat arms joined at one end that part like a v and end in wider scalloped tips",
    longest=(0.18, 0.33),
    sample=sample,
)
