"""Magnifying glasses: round lenses in rims of plastic or metal, on handles of plastic, wood or metal."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, BRASS, BRIGHT, ring, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample a magnifying glass, lying with its lens at +y."""
    model = ModelBuilder()
    r = rng.uniform(20, 48)
    rim, thick = r * rng.uniform(0.06, 0.13) + 1, rng.uniform(5, 9)
    grip, neck = rng.uniform(50, 105), rng.uniform(3, 16)
    form = choice(rng, ("plastic", "plastic", "wood", "metal"))
    if form == "plastic":
        skin = finish(rng, "plastic", [*BRIGHT, *("black",) * 7], wear=0.4)
    elif form == "wood":
        skin = finish(rng, "wood", "brown", wear=0.4, rgb=WOODS)
    else:
        skin = steel(rng)
    bright = steel(rng).painted(BRASS if rng.random() < 0.4 else (186, 188, 192))
    same = form == "plastic" and rng.random() < 0.6
    frame = skin if same else bright
    ring(model, r, r + rim, thick, frame, at=(0, r, 0), wedges=1, segments=32, edge=0.25 * rim)
    u, v = tx.uv_grid(64, 64)
    sky = np.array(choice(rng, ((186, 206, 216), (206, 218, 222), (168, 190, 200))))
    glint = np.exp(-(((u + 0.6 * v - rng.uniform(0.4, 1.1)) / 0.1) ** 2))
    lens = tx.lerp_color(sky * (0.82 + 0.2 * v[..., None]), (250, 253, 255), 0.7 * glint)
    t = np.linspace(0, 1, 6)
    dome = [(r * 1.01 * np.cos(q * np.pi / 2), 0.32 * thick * np.sin(q * np.pi / 2)) for q in t]
    low = [(a, -b) for a, b in dome[::-1]]
    model.lathe([*low, *dome[1:]], tx.to_uint8(lens), segments=28, at=(0, r, 0), hull=False)
    thin = rng.uniform(2.6, 4)
    model.lathe(
        [(0, 0), (thin, 0), (thin, neck + rim + 4), (0, neck + rim + 4)],
        bright,
        segments=12,
        pieces=1,
        at=(0, -neck - rim - 2, 0),
        turn=ALONG_Y,
    )
    wide = rng.uniform(5.5, 9)
    curves = (
        [(0.7, 0), (1.0, 0.08), (1.05, 0.3), (0.85, 0.75), (0.6, 1)],
        [(0.9, 0), (1.0, 0.04), (0.95, 0.5), (0.85, 0.95), (0.75, 1)],
        [(0.5, 0), (1.0, 0.1), (0.75, 0.35), (0.95, 0.6), (0.7, 0.9), (0.8, 1)],
    )
    body = smooth(choice(rng, curves), 16) * [wide, grip]
    flat = rng.uniform(0.7, 1.0)
    model.lathe(
        [(0, 0), *body, (0, grip)],
        skin,
        segments=20,
        pieces=2,
        bend=lambda q: q * [1, flat, 1],
        at=(0, -grip - neck - rim, 0),
        turn=ALONG_Y,
    )
    handle = {"plastic": "with a plastic handle", "wood": "with a wooden handle", "metal": "with a metal handle"}[form]
    features = [handle, "with a metal rim" if not same else "with a plastic rim", "large" if r > 40 else ""]
    return model.instance(skin, "round with a handle", features, colors=skin.colors, density=900)


KIND = Kind(
    name="magnifying glass",
    synonyms=("magnifier", "hand lens", "reading glass"),
    hypernyms=("office supply", "household item"),
    function="looking at small things",
    description="a large round clear lens in a thin rim, joined to a straight grip",
    longest=(0.1, 0.25),
    sample=sample,
)
