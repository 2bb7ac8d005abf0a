"""Tubes of chips: tall printed cardboard cylinders with a plastic lid and curved chips on the front."""

import numpy as np
from PIL import ImageDraw

from pickclutter_lang.objects.kinds.containers import cap_color, likely, printed_colors, round_hull
from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain

PRODUCTS = ("original", "sour cream", "paprika", "salt vinegar", "barbecue", "cheese chips", "hot chips", "crisps")
COLORS = likely(red=3, green=3, blue=2, orange=2, yellow=1, purple=1, pink=1, black=1, turquoise=1, brown=1)


def chip_art(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
    """Draw a fan of curved golden chips."""
    for n in range(int(rng.integers(3, 6))):
        a, b = x + (n - 1.7) * 0.2 * size, y + (n - 1.7) * 0.13 * size + rng.normal(0, 0.03) * size
        r, light = 0.36 * size, rng.uniform(0.9, 1.1)
        fill, dark = (tuple(int(min(255, c * f * light)) for c in (240, 196, 92)) for f in (1, 0.68))
        draw.chord([a - r, b - 0.7 * r, a + r, b + 0.9 * r], 160, 380, fill=fill, outline=dark)
        draw.arc([a - 0.8 * r, b - 0.5 * r, a + 0.8 * r, b + 0.8 * r], 180, 360, fill=dark)


def sample(rng: Rng) -> Instance:
    """Sample a tube of chips, standing."""
    model = ModelBuilder()
    r = rng.uniform(31, 39)
    h = r * (rng.uniform(2.3, 3.4) if rng.random() < 0.25 else rng.uniform(5.2, 7.2))
    brand = sample_brand(rng, PRODUCTS, COLORS)
    image = wrap(rng, brand, 2 * np.pi * r, h - 8, chip_art)
    foot = [(0, 1), (r * 0.96, 1), (r * 0.97, 0), (r + 0.8, 0), (r + 0.8, 3), (r, 3)]
    model.lathe(foot, plain((178, 180, 184)), hull=False)
    model.lathe([(r, 3), (r, h - 5)], image, hull=False)
    lid = rng.random() < 0.85
    if lid:
        word, color = cap_color(rng, ("white", "white", "white", "grey", "black", "red", "yellow"))
        top = [(r, h - 7), (r + 1.6, h - 7), (r + 1.6, h), (r * 0.9, h), (r * 0.88, h - 1), (0, h - 1)]
    else:
        word, color = "", np.array((190, 192, 196))
        top = [(r, h - 5), (r + 0.8, h - 5), (r + 0.8, h - 1), (r * 0.94, h - 1), (r * 0.92, h - 4), (0, h - 4)]
    model.lathe(top, plain(color), pieces=1, hull=False)
    round_hull(model, (r + 1, 0), (r + 1, h))
    skin = finish(rng, "cardboard", brand.colors[0])
    features = [f"with a {word} lid" if lid else "without a lid", "short" if h < 4 * r else "tall", "closed"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=250)


KIND = Kind(
    name="chips tube",
    synonyms=("chips can", "potato chips tube", "can of chips", "crisps tube"),
    hypernyms=("container", "package"),
    function="keeping potato chips",
    description="a tall, narrow cardboard cylinder in one bright color with a large brand name, curved golden slices "
    "on the front, and a flat plastic lid",
    longest=(0.07, 0.29),
    sample=sample,
)
