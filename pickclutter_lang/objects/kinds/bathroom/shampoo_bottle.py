"""Shampoo bottles: flat or round colored plastic bottles with flip caps, or standing on the cap, printed."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import squarish
from pickclutter_lang.objects.kinds.palettes import ANY
from pickclutter_lang.utils.words import with_article

PRODUCTS = ("shampoo", "shampoo", "mild shampoo", "moisture", "hair care", "anti dandruff", "repair", "herbal shampoo")
PROFILES = {
    "straight": [(0.93, 0), (1, 0.04), (1, 0.5), (1, 0.76), (0.93, 0.9), (0.7, 0.98)],
    "waisted": [(0.95, 0), (1, 0.06), (0.9, 0.35), (0.86, 0.5), (0.98, 0.8), (0.8, 0.95), (0.6, 1.0)],
    "drop": [(0.9, 0), (1, 0.08), (0.98, 0.25), (0.84, 0.55), (0.62, 0.85), (0.5, 0.98)],
    "upside down": [(0.62, 0), (0.7, 0.04), (0.86, 0.3), (1, 0.7), (0.98, 0.9), (0.86, 0.98), (0.6, 1.0)],
}


def sample(rng: Rng) -> Instance:
    """Sample a shampoo bottle, standing."""
    model = ModelBuilder()
    h, form = rng.uniform(150, 240), choice(rng, tuple(PROFILES))
    r, flat, power = h * rng.uniform(0.17, 0.22), rng.uniform(0.5, 0.85), rng.uniform(2.0, 4.0)
    word = choice(rng, (*ANY, "white", "white"))
    skin = finish(rng, "plastic", word)
    bend = squarish(power, flat)
    cap, below = h * rng.uniform(0.1, 0.17), form == "upside down"
    rows = smooth(PROFILES[form], 13) * [r, h - cap] + [0, cap if below else 0]
    model.lathe(rows, skin, bend=bend, pieces=3)
    ends = [(0, rows[-1, 1]), (rows[-1, 0], rows[-1, 1])][::-1]
    model.lathe(ends, skin.solid(), bend=bend, hull=False)
    model.lathe([(0, rows[0, 1]), (rows[0, 0], rows[0, 1])], skin.solid(), bend=bend, hull=False)
    cap_word = choice(
        rng, [c for c in ("white", "black", "grey", word, "blue", "yellow") if rng.random() < 0.8] or ["white"]
    )
    paint = plain(tint(rng, cap_word))
    q = (rows[0, 0] if below else rows[-1, 0]) * rng.uniform(0.94, 1.04)
    low = 0.0 if below else h - cap
    top = [(0, low), (q * 0.97, low), (q, low + 2), (q, low + cap - 3), (q * 0.9, low + cap), (0, low + cap)]
    model.lathe(top, paint, bend=bend, pieces=1)
    groove = [(q * 1.008, low + cap * 0.5), (q * 1.008, low + cap * 0.56)]
    model.lathe(groove, plain(tint(rng, cap_word) * 0.6), bend=bend, hull=False)
    brand = sample_brand(rng, PRODUCTS, [c for c in ANY if c not in ("brown", "grey")], "ml")
    clear = rng.random() < 0.4
    if clear:
        brand = sample_brand(rng, PRODUCTS, (word,), "ml")
    a, b = rows[0, 1] + (h - cap) * rng.uniform(0.12, 0.2), rows[0, 1] + (h - cap) * rng.uniform(0.68, 0.8)
    wide = rng.uniform(0.8, 1.1)
    for middle in (0.0, np.pi):
        add_label(model, rows, front(rng, brand, 1.7 * wide * r, b - a), a, b, wide, bend, middle)
    features = [
        "standing on its cap" if below else "with a cap on top",
        f"with {with_article(cap_word)} cap",
        "with a label",
        "closed",
    ]
    colors = (word, *(c for c in brand.colors if c != word))
    return model.instance(skin, "bottle", features, colors=colors, pattern="printed", density=900)


KIND = Kind(
    name="shampoo bottle",
    synonyms=("shampoo", "bottle of shampoo"),
    hypernyms=("bottle", "bathroom item", "package"),
    function="washing hair",
    description="a smooth colored plastic bottle with an oval section, a large print in front and a wide flip cap",
    longest=(0.145, 0.25),
    sample=sample,
)
