"""Water bottles: clear plastic with grooves and a label, or to fill again, of metal or plastic."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import cap_color, likely, round_hull, screw_cap
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural.surfaces import Floats, circle

PRODUCTS = ("water", "spring water", "mineral water", "still water", "sparkling water", "aqua", "glacier water")
CLEAR = ((186, 214, 230), (206, 222, 226), (174, 204, 224), (196, 216, 222))
COLORS = likely(blue=3, red=1, green=1, black=2, pink=1, turquoise=2, purple=1, white=1, orange=1, yellow=1)
LABELS = likely(blue=3, turquoise=1, white=1, green=1, red=1, pink=1)


def sample(rng: Rng) -> Instance:
    """Sample a water bottle, standing."""
    model = ModelBuilder()
    cap, color = cap_color(rng, ("blue", "blue", "white", "white", "green", "black", "red"))
    if rng.random() < 0.45:
        return _refillable(model, rng, cap, color)
    r = rng.uniform(26, 34)
    h = r * rng.uniform(5.8, 6.8)
    skin = finish(rng, "glass", "white", rgb=CLEAR)
    low, high, neck = 0.3 * h, h * rng.uniform(0.5, 0.58), r * rng.uniform(0.38, 0.44)
    z = np.linspace(0.04 * h, 0.66 * h, 34)
    groove = rng.uniform(0.8, 2.0) * (np.sin(z * 2 * np.pi / rng.uniform(9, 15)) < -0.2)
    wall = np.c_[r - groove * ((z < low) | (z > high)), z]
    top = smooth([(r, 0.66 * h), (r * 0.86, 0.76 * h), (neck * 1.1, 0.89 * h), (neck, 0.92 * h)], 9)
    profile = [(0, 2), (r * 0.7, 0), (r * 0.95, 0.015 * h), *wall, *top, (neck * 1.18, 0.925 * h), (0, 0.925 * h)]
    model.lathe(profile, skin, segments=24, hull=False)
    round_hull(model, (r * 0.9, 0), (r, 0.02 * h), (r, 0.66 * h), (neck * 1.4, 0.9 * h))
    brand = sample_brand(rng, PRODUCTS, LABELS, "ml")
    model.lathe([(r + 0.3, low), (r + 0.3, high)], wrap(rng, brand, 2 * np.pi * r, high - low), hull=False)
    screw_cap(model, neck * 1.15, 0.93 * h, h, color, 36)
    features = ["with a label", f"with a {cap} cap", "transparent"]
    colors: tuple[str, ...] = ("white", brand.colors[0])
    return model.instance(skin, "bottle", features, colors=colors, material="plastic", density=900)


def _refillable(model: ModelBuilder, rng: Rng, cap: str, color: Floats) -> Instance:
    """Add a bottle of thick plastic or metal without a label."""
    r = rng.uniform(30, 38)
    h = r * rng.uniform(5.2, 6.6)
    material = choice(rng, ("metal", "steel", "plastic", "plastic"))
    rgb = STEEL if material == "steel" else ()
    patterns = ("plain", "plain", "plain", "two-coloured", "striped", "floral")
    skin = finish(rng, material, "grey" if material == "steel" else COLORS, patterns, rgb=rgb, wear=0.4)
    neck, shoulder = r * rng.uniform(0.55, 0.8), h * rng.uniform(0.68, 0.76)
    waist = r * rng.uniform(0.84, 1.0)
    body = [(r, 0.05 * h), (waist, 0.4 * h), (r, shoulder), (neck * 1.15, 0.83 * h), (neck, 0.87 * h)]
    model.lathe([(0, 0), (r * 0.94, 0), *smooth(body, 14), (0, 0.87 * h)], skin, hull=False)
    round_hull(model, (r * 0.94, 0), (r, 0.06 * h), (r, shoulder), (neck, 0.87 * h))
    lid = [(0, 0.86 * h), (neck * 1.12, 0.86 * h), (neck * 1.1, 0.94 * h), (neck * 0.8, 0.955 * h), (0, 0.955 * h)]
    model.lathe(lid, plain(color), pieces=1)
    end = choice(rng, ("spout", "loop", "plain"))
    if end == "spout":
        model.lathe(np.array([(0, 0.95 * h), (7, 0.95 * h), (8, h), (0, h)]), plain(tint(rng, "white")), 18, 1)
    elif end == "loop":
        t = np.linspace(0, np.pi, 13)
        path = np.c_[0 * t, neck * 0.85 * np.cos(t), 0.94 * h + 0.09 * h * np.sin(t)]
        model.sweep(path, 4, plain(color * 0.9), 2.6, up=(1, 0, 0), segments=8, pieces=3)
    else:
        model.prism(circle(neck * 0.9, 20), 0.95 * h, 0.97 * h, plain(color * 0.85))
    words = {"spout": "with a spout", "loop": "with a carrying loop", "plain": ""}
    return model.instance(skin, "bottle", ["without a label", f"with a {cap} cap", words[end]], density=700)


KIND = Kind(
    name="water bottle",
    synonyms=("drinking bottle", "bottle of water", "drinks bottle"),
    hypernyms=("bottle", "container"),
    function="drinking water",
    description="a tall slim cylinder, clear or brightly colored, with a slightly waisted body, sloping shoulders and "
    "a round twist cap",
    longest=(0.145, 0.27),
    sample=sample,
)
