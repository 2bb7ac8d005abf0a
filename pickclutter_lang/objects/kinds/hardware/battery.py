"""Batteries: round cells of several sizes with printed sleeves, and square 9 volt blocks."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import Brand, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage

COLORS = words("black black blue red green yellow orange grey white purple turquoise")
CELLS = {"aa": (7.1, 50.0), "aaa": (5.2, 44.0), "c": (13.0, 49.0), "d": (16.8, 61.0)}
METAL = (196, 196, 192)


def sample(rng: Rng) -> Instance:
    """Sample a battery, standing on its minus pole."""
    model = ModelBuilder()
    brand = sample_brand(rng, ("alkaline",), COLORS)
    size = choice(rng, ("aa", "aa", "aa", "aaa", "c", "d", "9v"))
    metal = plain(np.array(METAL) * rng.uniform(0.85, 1.05))
    skin = finish(rng, "metal", brand.colors[0])
    if size == "9v":
        return _block(rng, model, brand)
    r, h = np.array(CELLS[size]) * rng.uniform(0.97, 1.03)
    image = _sleeve(rng, brand, size)
    model.lathe([(0, 0.5), (0.8 * r, 0.5), (0.8 * r, 0), (0.97 * r, 0), (r, 0.8)], metal, segments=24, hull=False)
    model.lathe([(r, 0.8), (r, h - 2.6)], image, segments=28, hull=False)
    top = [(r, h - 2.6), (0.96 * r, h - 1.9), (0.45 * r, h - 1.9), (0.4 * r, h - 1.6), (0.37 * r, h), (0, h)]
    model.lathe(top, metal, segments=24, hull=False)
    angle = np.linspace(0, 2 * np.pi, 17)[:-1]
    model.hull([(r * np.cos(a), r * np.sin(a), z) for a in angle for z in (0, h - 1.9)])
    model.hull([(0.4 * r * np.cos(a), 0.4 * r * np.sin(a), z) for a in angle[::2] for z in (h - 2.5, h)])
    name = "thick" if size in ("c", "d") else "thin" if size == "aaa" else ""
    features = [name, f"with the letters {size}", "with a metal cap"]
    return model.instance(skin, "cylindrical", features, colors=brand.colors, pattern="printed", density=2400)


def _block(rng: Rng, model: ModelBuilder, brand: Brand) -> Instance:
    """Add a 9 volt block with two snaps."""
    size = np.array([17.0, 26.0, 45.5]) * rng.uniform(0.97, 1.03)
    faces = {name: _label(rng, brand, 26, 45.5) for name in ("right", "left")}
    base = plain(brand.background)
    dark = plain((44, 44, 48))
    model.box(
        size.tolist(), {**faces, "front": base, "back": base, "top": dark, "bottom": dark}, 1.2, at=(0, 0, size[2] / 2)
    )
    z, metal = size[2] - 0.2, plain(METAL)
    for y, profile in (
        (-6.2, [(2.9, 0), (2.9, 2.6), (0, 2.6)]),
        (6.2, [(3.6, 0), (4.1, 2.8), (3, 2.8), (2.8, 1), (0, 1)]),
    ):
        model.lathe(np.add(profile, (0, z)), metal, segments=12, at=(0, y, 0), hull=False)
    model.hull([(x, y, q) for x in (-4, 4) for y in (-10, 10) for q in (z, z + 2.8)])
    skin = finish(rng, "metal", brand.colors[0])
    features = ["with two snaps on top", "with the letters 9 v"]
    return model.instance(skin, "rectangular", features, colors=brand.colors, pattern="printed", density=2200)


def _sleeve(rng: Rng, brand: Brand, size: str) -> TextureImage:
    """Paint a sleeve: the brand along the cell, a colored end at the plus pole."""
    image, draw = tx.canvas((128, 144), [*brand.background])
    accent = tuple(int(c) for c in brand.accent.clip(0, 255))
    edge = int(rng.uniform(0.18, 0.4) * 144)
    if rng.random() < 0.8:
        draw.rectangle([0, 0, 128, edge], fill=accent)
    for x in (0, 64, 128):
        tx.draw_text(image, brand.name, (x, 0.62 * 144), min(26, 138 / len(brand.name)), brand.ink, 90)
        tx.draw_text(image, "+", (x, 10), 18, (250, 250, 250) if brand.accent.mean() < 130 else (20, 20, 20))
    for x in (32, 96):
        tx.draw_text(image, size.upper(), (x, 100), 17, brand.ink, 90)
        tx.draw_text(image, "1.5V", (x, 60), 12, brand.ink, 90)
        tx.draw_text(image, "-", (x, 134), 16, brand.ink)
    return np.asarray(image)


def _label(rng: Rng, brand: Brand, width: float, height: float) -> TextureImage:
    image, draw = tx.canvas((72, round(72 * height / width)), [*brand.background])
    accent = tuple(int(c) for c in brand.accent.clip(0, 255))
    edge = rng.uniform(0.2, 0.4)
    draw.rectangle([0, 0, 72, edge * image.height], fill=accent)
    tx.draw_text(image, "9V", (36, 0.5 * edge * image.height), 20, [*tint(rng, "white")])
    tx.draw_text(image, brand.name, (36, 0.66 * image.height), min(18, 100 / len(brand.name)), brand.ink, 90)
    return np.asarray(image)


KIND = Kind(
    name="battery",
    synonyms=("electric cell", "dry cell", "household battery"),
    hypernyms=("electronics", "household item"),
    function="powering small devices",
    description="a small, heavy, printed metal cylinder or block with a short metal knob at one end",
    longest=(0.04, 0.065),
    sample=sample,
)
