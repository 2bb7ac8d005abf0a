"""Rolling pins: thick wooden cylinders with turned handles, or tapered rods; some of silicone or marble."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def sample(rng: Rng) -> Instance:
    """Sample a rolling pin, lying along y."""
    model = ModelBuilder()
    material = choice(rng, likely(wood=7, plastic=2, stone=1, steel=1))
    wood = finish(rng, "wood", "brown", rgb=(*WOODS, (214, 172, 116)), wear=0.4)
    words = likely(red=2, blue=2, green=1, pink=2, purple=1, turquoise=1, orange=1)
    skin = {
        "wood": wood,
        "stone": finish(rng, "stone", "white", "marbled", ("grey",)),
        "steel": finish(rng, "steel", "grey"),
    }.get(material) or finish(rng, "plastic", words)
    length = rng.uniform(200, 310)
    flat = rotation("x", 90)
    french = material == "wood" and rng.random() < 0.25
    if french:
        r = rng.uniform(13, 20)
        shape = smooth([(0.5, -0.5), (0.8, -0.38), (1, -0.15), (1, 0.15), (0.8, 0.38), (0.5, 0.5)], 16) * [r, 1]
        profile = np.concatenate([[(0, -0.5)], shape, [(0, 0.5)]]) * [1, length]
        model.lathe(profile, skin, segments=22, turn=flat, hull=False)
        ends = ((0.5 * r, -0.5), (r, -0.15), (r, 0.15), (0.5 * r, 0.5))
        model.hull([(*p, z * length) for q, z in ends for p in circle(q, 16)], turn=flat)
        return model.instance(skin, "cylindrical", ["without handles", "tapered"])
    r, share = rng.uniform(17, 28), rng.uniform(0.54, 0.66)
    half = share * length / 2
    wall = [(r * 0.9, -half), (r, -half + 3), *((r, z) for z in np.linspace(8 - half, half - 8, 7)), (r, half - 3)]
    model.lathe([(0, -half), *wall, (r * 0.9, half), (0, half)], skin, segments=24, turn=flat, hull=False)
    model.hull([(*p, z) for z in (-half, half) for p in circle(r, 16)], turn=flat)
    color = rng.random() < 0.25
    grip = finish(rng, "wood", ("red", "green", "blue", "black")) if color else wood.solid(rng.uniform(0.8, 1.05))
    stub, knob = rng.uniform(4, 6), rng.uniform(7, 11)
    end = length / 2
    for s in (-1, 1):
        form = [(stub, half - 2), (stub, half + 4), (knob * 0.8, half + 7), (knob, 0.55 * half + 0.45 * end)]
        form += [(knob * rng.uniform(0.7, 1), 0.15 * half + 0.85 * end), (knob * 0.8, end - 1), (0, end)]
        handle = np.concatenate([[(0, half - 3)], smooth(form, 16)])
        model.lathe(handle, grip, segments=18, pieces=2, turn=rotation("x", 90 * s))
    colors = tuple(dict.fromkeys((*skin.colors, *grip.colors)))
    features = ["with two handles", "with colored handles" if color else ""]
    return model.instance(skin, "cylindrical", features, colors=colors)


KIND = Kind(
    name="rolling pin",
    synonyms=("dough roller", "pastry roller", "baker's roller"),
    hypernyms=("kitchen tool", "tool"),
    function="rolling out dough",
    description="a thick, smooth cylinder, usually of pale wood, with a narrower turned handle at each end",
    longest=(0.19, 0.32),
    sample=sample,
)
