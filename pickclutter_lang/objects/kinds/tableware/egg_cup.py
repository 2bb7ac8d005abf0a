"""Egg cups: small cups on a foot or a stem, empty or with an egg in them."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely, round_hull
from pickclutter_lang.objects.kinds.dishes import CHINA, CHINA_PATTERNS
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.skins import peel


def sample(rng: Rng) -> Instance:
    """Sample an egg cup, standing."""
    model = ModelBuilder()
    material = choice(rng, likely(ceramic=6, plastic=3, steel=1, wood=1))
    words = {"steel": ("grey",), "wood": ("brown",)}.get(material, (*CHINA, "red", "yellow", "orange", "blue"))
    rgb = {"steel": STEEL, "wood": WOODS}.get(material, ())
    patterns = CHINA_PATTERNS if material == "ceramic" else ("plain",)
    skin = finish(rng, material, words, patterns, pitch=(5, 12), rgb=rgb)
    r, wall = rng.uniform(22, 26), rng.uniform(2.2, 3.2)
    bowl, up = r * rng.uniform(1.0, 1.35), rng.uniform(0.25, 1.2) * r
    waist, foot = r * rng.uniform(0.28, 0.5), r * rng.uniform(0.66, 0.95)
    outer = smooth([(waist, 0), (0.8 * r, 0.3 * bowl), (r, 0.75 * bowl), (r * rng.uniform(0.97, 1.04), bowl)], 9)
    model.vessel(outer, wall, skin, skin.solid(0.94), at=(0, 0, up), wedges=7)
    stem = smooth([(foot, 0), (foot * 0.96, 2.5), (waist * 1.1, 0.55 * up + 2), (waist, up + 2)], 10)
    model.lathe([(0, 0), *stem, (0, up + 2)], skin.solid(), segments=24, pieces=2)
    egg = rng.random() < 0.45
    brown = rng.random() < 0.6
    if egg:
        base = np.array((206, 154, 110) if brown else (240, 236, 228)) * rng.uniform(0.92, 1.04)
        shell = peel(rng, base, 0.03, spots=(base * 0.86, 0.03), texels=(40, 56))
        z = up + bowl * 0.98
        size = (1.98 * (r - wall), 1.98 * (r - wall), 2.61 * (r - wall))
        model.ball(size, shell, lambda q: 1 - 0.06 * np.clip(q[..., 2], 0, 1), at=(0, 0, z), hull=False)
        a, c = size[0] / 2, size[2] / 2
        rows = ((0.6, -0.8), (1, 0), (0.8, 0.5), (0.5, 0.8), (0.05, 0.95))
        round_hull(model, *((a * q, z + c * t) for q, t in rows))
    tall = "with a tall stem" if up > 0.9 * r else "with a low foot"
    content = f"with a {'brown' if brown else 'white'} egg in it" if egg else "empty"
    return model.instance(skin, "goblet", [content, tall])


KIND = Kind(
    name="egg cup",
    synonyms=("eggcup", "boiled egg holder", "egg holder"),
    hypernyms=("cup", "tableware"),
    function="eating a boiled egg",
    description="a very small open vessel on a short foot, just wide enough for the lower half of a boiled breakfast "
    "shell",
    longest=(0.04, 0.1),
    sample=sample,
)
