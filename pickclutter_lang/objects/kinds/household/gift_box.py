"""Gift boxes: wrapped in colored or patterned paper, with a ribbon around and a bow on top; square, flat or round."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import circle, rotation
from pickclutter_lang.utils.words import with_article

PATTERNS = ("plain", "plain", "striped", "dotted", "dotted", "checkered", "floral", "floral")


def sample(rng: Rng) -> Instance:
    """Sample a gift box, standing."""
    model = ModelBuilder()
    y = rng.uniform(50, 170)
    x, z = y * rng.uniform(0.6, 1.0), y * rng.uniform(0.25, 0.95)
    word = choice(rng, (*BRIGHT, "red", "white", "white", "black", "brown"))
    skin = finish(rng, "paper", word, PATTERNS, pitch=(7, 20), wear=0.15)
    ribbon_word = choice(
        rng, [c for c in ("red", "red", "white", "yellow", "blue", "green", "pink", "purple") if c not in skin.colors]
    )
    ribbon, dark = plain(tint(rng, ribbon_word)), plain(tint(rng, ribbon_word) * 0.75)
    lidded, band = rng.random() < 0.45, rng.uniform(0.08, 0.16) * y
    rounded_box = rng.random() < 0.15
    if rounded_box:
        x = y
        model.lathe([(0, 0), (y / 2, 0), (y / 2, z), (0, z)], skin, 30, 1)
    else:
        model.box((x, y, z), skin, 0.8, at=(0, 0, z / 2))
    if lidded:
        lip = min(0.3 * z, 24)
        lid_word = choice(rng, (word, ribbon_word)) if skin.pattern == "plain" else word
        lid = skin.solid(1.03) if lid_word == word else ribbon
        if rounded_box:
            model.lathe([(y / 2 + 1.5, z - lip), (y / 2 + 1.5, z + 1.5), (0, z + 1.5)], lid, 30, 1)
        else:
            model.box((x + 3, y + 3, lip), lid, 0.8, at=(0, 0, z + 1.5 - lip / 2), hull=False)
            model.hull(
                [
                    (a * (x / 2 + 1.5), b * (y / 2 + 1.5), q)
                    for a in (-1, 1)
                    for b in (-1, 1)
                    for q in (z - lip, z + 1.5)
                ]
            )
    out = 2.2 if lidded else 0.7
    both = rng.random() < 0.8
    if not rounded_box:
        model.box((x + 2 * out, band, z + out), ribbon, 0, at=(0, 0, (z + out) / 2), hull=False)
        if both:
            model.box((band, y + 2 * out, z + out), ribbon, 0, at=(0, 0, (z + out) / 2), hull=False)
    else:
        model.box((x + 2 * out, band, 1), ribbon, 0, at=(0, 0, z + out - 0.2), hull=False)
        model.lathe([(y / 2 + out, z * 0.35), (y / 2 + out, z * 0.35 + band)], ribbon, 30, hull=False)
    style = choice(rng, ("loops", "loops", "rosette"))
    top, size = z + out, min(x, y) * rng.uniform(0.22, 0.34)
    count = 2 if style == "loops" else 7
    yaw = rng.uniform(0, 180)
    for n in range(count):
        a = np.linspace(0, 2 * np.pi, 15)
        loop = np.c_[size * (0.5 - 0.5 * np.cos(a)), 0 * a, size * 0.36 * np.sin(a) * (0.6 - 0.4 * np.cos(a))]
        loop[-1] = loop[0]
        lift = 22 if style == "loops" else 35
        turn = rotation("z", yaw + 360 * n / count) @ rotation("y", -lift)
        at = (0, 0, top + size * 0.08)
        model.sweep(
            loop,
            0.7,
            ribbon if n % 2 == 0 else dark,
            band * 0.42,
            segments=8,
            power=5,
            up=(0, 1, 0),
            closed=True,
            at=at,
            turn=turn,
            hull=False,
        )
    bow = ((0.5, 0), (1.05, 0.35), (0.95, 0.8))
    model.hull([(*p, top + f * size) for q, f in bow for p in circle(size * q, 12)])
    model.ball(
        (band * 0.7, band * 0.7, band * 0.6), dark, rows=7, segments=12, at=(0, 0, top + size * 0.12), hull=False
    )
    if style == "loops":
        for s in (-1, 1):
            t = np.linspace(0, 1, 7)
            path = np.c_[size * 0.9 * t, s * size * 0.35 * t, 1 + size * 0.12 * np.sin(np.pi * t)]
            model.sweep(
                path,
                band * 0.32,
                dark,
                0.6,
                power=5,
                segments=8,
                at=(0, 0, top),
                turn=rotation("z", yaw + 90),
                hull=False,
            )
    features = [
        f"with {with_article(ribbon_word)} ribbon",
        "with a bow",
        "with a lid" if lidded else "wrapped in paper",
    ]
    shape = "cylindrical" if rounded_box else "box-shaped"
    return model.instance(skin, shape, features, colors=(*skin.colors, ribbon_word), density=200)


KIND = Kind(
    name="gift box",
    synonyms=("present", "gift", "wrapped present", "gift package"),
    hypernyms=("box", "package", "decoration"),
    function="giving presents",
    description="a box covered with colorful paper, tied with a ribbon that crosses on top in a large bow",
    longest=(0.045, 0.24),
    sample=sample,
)
