"""Graters: four-sided boxes with rows of cutting holes and a handle on top, or flat sheets with a handle."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Finish, Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.utensils import GRIPS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import grid_surface


def holes(rng: Rng, skin: Finish, width: float, height: float, pitch: float, slots: bool) -> TextureImage:
    """Return the image of a sheet with rows of raised holes: a bright edge below each dark opening."""
    image = skin.image(width, height, 144)
    u, v = tx.uv_grid(*image.shape[:2])
    rows, cols = max(3, round(height / pitch)), 1 if slots else max(3, round(width / pitch))
    rows = rows // 2 if slots else rows
    x, y = (u * cols + 0.5 * (np.floor(v * rows) % 2) * (not slots)) % 1 - 0.5, (v * rows) % 1 - 0.5
    radius = np.hypot(x * (0.75 if slots else 1), y * (2.4 if slots else 1))
    inside = (np.abs(u - 0.5) < 0.42) & (v > 0.06) & (v < 0.9)
    dark = (radius < 0.3) * inside
    bright = (radius < 0.42) * (y < 0.02) * inside * (1 - dark)
    return tx.to_uint8(tx.lerp_color(tx.lerp_color(image, (238, 240, 242), 0.7 * bright), (38, 38, 42), 0.9 * dark))


def sample(rng: Rng) -> Instance:
    """Sample a grater: a box grater that stands, or a flat one that lies with its handle at -y."""
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    wooden = rng.random() < 0.15
    grip = finish(rng, "wood", "brown", rgb=WOODS) if wooden else finish(rng, "plastic", ("black", "black", *GRIPS))
    words = "with a wooden handle" if wooden else "with a plastic handle"
    pitch = rng.uniform(6, 10)
    if rng.random() < 0.65:
        h = rng.uniform(130, 190)
        wide, deep = h * rng.uniform(0.42, 0.55), h * rng.uniform(0.3, 0.42)
        share = rng.uniform(0.55, 0.8)
        signs = np.array([(1, -1), (1, 1), (-1, 1), (-1, -1)])
        base = signs * [wide / 2, deep / 2]
        for n in range(4):
            a, b = (np.r_[base[m % 4], 0.0] for m in (n, n + 1))
            top = [p * [share, share, 1] + [0, 0, h] for p in (a, b)]
            side = float(np.linalg.norm(b - a))
            image = holes(rng, steel, side, h, pitch * (0.55, 1.0, 0.8, 1.6)[n], n == 3)
            model.surface(grid_surface(np.array([[a, b], top])), image)
        lid = base * share
        model.prism(base, -1, 0.5, steel.painted((70, 72, 74)), hull=False)
        model.hull([(*p, 0) for p in base] + [(*p, h) for p in lid])
        cap = rounded(wide * share + 4, deep * share + 4, 5)
        model.prism(cap, h - 3, h + 4, grip)
        span, rise = wide * share * 0.42, rng.uniform(22, 32)
        bow = [(f * span, 0, h + 2 + g * rise) for f, g in ((-1, 0), (-0.9, 0.8), (0, 1), (0.9, 0.8), (1, 0))]
        path = smooth(bow, 15)
        model.sweep(path, 7, grip, 4, up=(0, 1, 0), segments=12, pieces=3)
        features = ["with four sides", words, "with holes"]
        return model.instance(steel, "box-shaped", features, colors=("grey", *grip.colors), density=500)
    long = rng.uniform(95, 150)
    wide, thick = long * rng.uniform(0.3, 0.55), rng.uniform(2.5, 4)
    image = holes(rng, steel, wide, long, pitch, False)
    skins = dict.fromkeys(("right", "left", "back", "front"), steel) | {"top": image, "bottom": image}
    model.box((wide, long, thick), skins, 0.6)
    for s in (-1, 1):
        model.box((4, long, thick + 3), steel.solid(0.9), 1.0, at=(s * wide / 2, 0, 0), hull=False)
    handle = rng.uniform(70, 100)
    y = -long / 2 - np.linspace(-3, handle, 10)
    form = smooth([(0.9,), (0.65,), (0.85,), (1.0,), (0.75,)], 10)[:, 0] * rng.uniform(9, 13)
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, 0.55 * form, power=2.6, segments=14, pieces=1)
    features = ["flat", words, "with holes"]
    return model.instance(steel, "flat", features, colors=("grey", *grip.colors))


KIND = Kind(
    name="grater",
    synonyms=("cheese grater", "kitchen grater"),
    hypernyms=("kitchen tool", "tool"),
    function="grating cheese",
    description="a shiny steel sheet or four-sided tower covered with rows of small raised sharp holes, with a handle "
    "at one end",
    longest=(0.14, 0.27),
    sample=sample,
)
