"""Milk cartons: tall cardboard bricks with a gable and fin on top, or flat with a cap; white, blue, green."""

import numpy as np
from PIL import ImageDraw

from pickclutter_lang.objects.kinds.containers import likely, printed_colors
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import carton, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural.surfaces import grid_surface, rotation

PRODUCTS = ("milk", "whole milk", "skim milk", "low fat milk", "fresh milk", "oat milk", "soy milk", "chocolate milk")
COLORS = likely(white=5, blue=2, turquoise=1, green=1, red=1, brown=1, yellow=1)


def glass_art(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
    """Draw a glass of milk, or the dark patches of a cow."""
    if rng.random() < 0.55:
        a, b, top = 0.24 * size, 0.18 * size, y - 0.45 * size
        corners = [(x - a, top), (x + a, top), (x + b, y + 0.45 * size), (x - b, y + 0.45 * size)]
        draw.polygon(corners, fill=(252, 252, 250), outline=(120, 150, 190))
        rim = [x - a, top - 0.06 * size, x + a, top + 0.06 * size]
        draw.ellipse(rim, fill=(240, 240, 232), outline=(120, 150, 190))
    else:
        for _ in range(6):
            a, b = x + rng.normal(0, 0.4) * size, y + rng.normal(0, 0.25) * size
            r, s = rng.uniform(0.08, 0.2, 2) * size
            draw.ellipse([a - r, b - s, a + r, b + s], fill=(24, 24, 26))


def sample(rng: Rng) -> Instance:
    """Sample a milk carton, standing."""
    model = ModelBuilder()
    width = rng.uniform(58, 78)
    height, depth = width * rng.uniform(1.7, 2.7), width * rng.uniform(0.85, 1.0)
    brand = sample_brand(rng, PRODUCTS, COLORS, "ml")
    size = (depth, width, height)
    faces = carton(rng, brand, size, glass_art)
    model.box(size, faces, rounding=1.0)
    colors = printed_colors(brand, faces["right"])
    top, half = height / 2, np.array([depth, width]) / 2
    gable, cap = rng.random() < 0.75, rng.random() < 0.6
    color = tint(rng, choice(rng, [brand.colors[1], "white", "red", "blue", "green"]))
    if gable:
        rise, (a, b) = width * rng.uniform(0.3, 0.42), half - 0.5
        panel, dark = plain(brand.background), plain(brand.background * 0.88)
        for s in (1, -1):
            ends = [(x, y * s, z) for x, z in ((a * s, top), (s, top + rise)) for y in (-b, b)]
            slope = np.array(ends).reshape(2, 2, 3)
            model.surface(grid_surface(slope), panel)
            fold = np.array([[(a * s, b * s, top), (-a * s, b * s, top)], [(0, 0.45 * b * s, top + rise)] * 2])
            model.surface(grid_surface(fold), dark)
        fin = width * rng.uniform(0.16, 0.24)
        paper = plain(brand.accent if rng.random() < 0.5 else brand.background)
        model.box((2.4, 2 * b, fin), paper, 0.2, at=(0, 0, top + rise + fin / 2 - 1))
        model.hull([(x, y, top) for x in (-a, a) for y in (-b, b)] + [(0, y, top + rise) for y in (-b, b)])
        if cap:
            lean = rotation("y", 90 - np.degrees(np.arctan2(a, rise)))
            at = np.array([0.55 * a, 0, top + 0.45 * rise])
            profile = [(0, 0), (9, 0), (9, 7), (8, 8), (0, 8)]
            model.lathe(np.array(profile) * rng.uniform(0.9, 1.3), plain(color), 20, 1, at=at, turn=lean)
    else:
        cap = True
        model.lathe(np.array([(0, top), (10, top), (10, top + 9), (9, top + 10), (0, top + 10)]), plain(color), 20, 1)
    skin = finish(rng, "cardboard", brand.colors[0])
    features = [
        "closed",
        "with a gable top" if gable else "with a flat top",
        "with a screw cap" if cap else "without a cap",
    ]
    return model.instance(skin, "rectangular", features, colors=colors, pattern="printed", density=900)


KIND = Kind(
    name="milk carton",
    synonyms=("carton of milk", "milk pack", "milk box"),
    hypernyms=("drink", "container", "package"),
    function="keeping and pouring milk",
    description="a tall square cardboard pack, mostly white, with a sloping roof-like top that ends in a flat fin, "
    "printed sides, and often a round plastic cap",
    longest=(0.1, 0.28),
    sample=sample,
)
