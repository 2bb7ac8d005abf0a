"""Cracker boxes: cartons with a few large baked squares, rounds or fish on the front."""

import numpy as np
from PIL import ImageDraw

from pickclutter_lang.objects.kinds.containers import likely, printed_colors
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import Art, carton, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder

PRODUCTS = ("crackers", "wheat crackers", "snack crackers", "cheese crackers", "saltines", "butter crackers")
COLORS = likely(red=4, orange=1, yellow=2, green=1, blue=2, turquoise=1, purple=1, white=1, brown=1, black=1)


def cracker_art(corners: int, count: int) -> Art:
    """Return art of baked crackers with holes: squares (4 corners), hexagons or rounds (16)."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
        base = np.array(choice(rng, ((222, 170, 92), (206, 140, 66), (234, 192, 120))))
        for n in range(count):
            a, b = x + (n - (count - 1) / 2) * 1.3 * size / count, y + rng.normal(0, 0.1) * size
            r, turn = size * rng.uniform(0.28, 0.38), rng.uniform(0, np.pi)
            angle = turn + np.pi / 4 + 2 * np.pi * np.arange(corners) / corners
            color = base * rng.uniform(0.85, 1.08)
            fill, dark = (tuple(int(min(c, 255)) for c in color * f) for f in (1, 0.62))
            points = [(a + r * np.cos(t), b + 0.9 * r * np.sin(t)) for t in angle]
            draw.polygon(points, fill=fill, outline=dark)
            for p in (-0.4, 0, 0.4):
                for q in (-0.4, 0, 0.4):
                    u, v = r * (p * np.cos(turn) - q * np.sin(turn)), r * (p * np.sin(turn) + q * np.cos(turn))
                    draw.ellipse([a + u - 1, b + v - 1, a + u + 1, b + v + 1], fill=dark)

    return paint


def sample(rng: Rng) -> Instance:
    """Sample a cracker box, standing, or lying on its back."""
    model = ModelBuilder()
    height = rng.uniform(150, 225)
    wide = height * (rng.uniform(0.62, 0.82) if rng.random() < 0.7 else rng.uniform(0.42, 0.58))
    size = (max(38.0, height * rng.uniform(0.25, 0.38)), wide, height)
    brand = sample_brand(rng, PRODUCTS, COLORS)
    art = cracker_art(choice(rng, (4, 4, 16, 16, 6)), int(rng.integers(3, 7)))
    faces = carton(rng, brand, size, art)
    model.box(size, faces, rounding=1.0)
    colors = printed_colors(brand, faces["right"])
    skin = finish(rng, "cardboard", brand.colors[0])
    return model.instance(skin, "rectangular", ["closed", "with lettering"], colors=colors, pattern="printed")


KIND = Kind(
    name="cracker box",
    synonyms=("box of crackers", "cracker carton", "crackers"),
    hypernyms=("box", "package"),
    function="keeping crackers",
    description="a rectangular carton with a brightly printed front that shows a row of golden baked squares "
    "or rounds with small holes below a large brand name",
    longest=(0.145, 0.23),
    sample=sample,
)
