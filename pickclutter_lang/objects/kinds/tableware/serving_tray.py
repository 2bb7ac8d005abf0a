"""Serving trays: flat rectangular, oval or round sheets with a raised edge and two handles."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import dish
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.outlines import squarish
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

EAR = ((-1, 0), (-0.85, 0.9), (0, 1.1), (0.85, 0.9), (1, 0))  # half-widths and reaches


def sample(rng: Rng) -> Instance:
    """Sample a small serving tray, lying flat, its longer side along y."""
    model = ModelBuilder()
    material = choice(rng, likely(wood=4, plastic=4, metal=2, steel=2))
    words = {"wood": ("brown",), "steel": ("grey",)}.get(
        material, likely(black=2, white=2, red=2, blue=1, green=1, yellow=1, brown=1, turquoise=1, pink=1)
    )
    rgb = {"wood": WOODS, "steel": STEEL}.get(material, ())
    printed_on = material in ("plastic", "metal")
    patterns = ("plain", "plain", "striped", "floral", "checkered", "dotted") if printed_on else ("plain",)
    skin = finish(rng, material, words, patterns, pitch=(14, 30), rgb=rgb, wear=0.4)
    half = rng.uniform(62, 92)
    shape = choice(rng, ("rectangular", "rectangular", "rectangular", "oval", "round"))
    stretch = 1.0 if shape == "round" else rng.uniform(1.3, 1.62)
    corners = squarish(rng.uniform(9, 16) if shape == "rectangular" else 2.0)

    def bend(points: Floats) -> Floats:
        return np.asarray(corners(points) * [1, stretch, 1])

    h, thick, flare = rng.uniform(11, 24), rng.uniform(2.4, 4), rng.uniform(2, 9)
    outer = np.array([(half - flare, 0), (half - 0.4 * flare, 0.4 * h), (half, h)])
    inner = np.array([(half - thick, h), (half - flare - thick * 0.9, thick + 0.6), (half * 0.5, thick), (0, thick)])
    printed = skin.image(2 * half, 2 * half * stretch)
    u, v = tx.uv_grid(64, 256)
    along = np.maximum(np.cumsum(np.r_[0, thick, np.linalg.norm(np.diff(inner, axis=0), axis=1)]), 0)
    radius = np.interp(v, along / along[-1], np.r_[half, inner[:, 0]]) / half
    angle = 2 * np.pi * u
    plane = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * u], -1).reshape(-1, 3)
    place = bend(plane).reshape(*u.shape, 3) / [1, stretch, 1]
    rows, cols = (np.clip(0.5 + s * 0.5 * place[..., n], 0, 1) for n, s in ((1, -1), (0, 1)))
    image = printed[(rows * (printed.shape[0] - 1)).astype(int), (cols * (printed.shape[1] - 1)).astype(int)]
    shade = np.where(v < float(along[2] / along[-1]), 0.86, 1.0)[..., None]
    dish(model, outer, inner, skin.solid(0.94), tx.to_uint8(image * shade), wedges=8, bend=bend, segments=48)
    handle = choice(rng, ("ears", "ears", "none", *(("cut", "cut") if shape == "rectangular" else ())))
    end = half * stretch
    grip = skin.solid(0.95) if rng.random() < 0.6 else skin.painted((60, 56, 54))
    if handle == "ears":
        span, reach = half * rng.uniform(0.36, 0.5), rng.uniform(14, 22)
        for s in (-1, 1):
            bow = [(f * span, s * (end - 2 + g * reach), h - 2 + g * 4) for f, g in EAR]
            model.sweep(smooth(bow, 13), 4, grip, 3.2, segments=10, pieces=1)
    elif handle == "cut":
        for s in (-1, 1):
            at = (0, s * (end - 0.35 * flare), h * 0.66)
            model.box((half * 0.7, 3, h * 0.34), grip.painted((44, 40, 38)), 1.0, at=at, hull=False)
    words_of = {"ears": "with two handles", "cut": "with two slots as handles", "none": "without handles"}
    name = {"rectangular": "flat rectangular"}.get(shape, "flat")
    return model.instance(skin, name, [words_of[handle], shape if shape != "rectangular" else "", "empty"])


KIND = Kind(
    name="serving tray",
    synonyms=("tray", "carrying tray"),
    hypernyms=("tableware",),
    function="carrying food and drinks",
    description="a large flat board or sheet with a low raised edge all round and a handle at each short side",
    longest=(0.12, 0.35),
    sample=sample,
)
