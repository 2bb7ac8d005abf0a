"""Yogurt cups: small tapered plastic cups with printed fruit and a foil lid with a tab, or open."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import fruit_art, likely, printed_colors, round_hull
from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain

FRUITS = {"strawberry": "red", "cherry": "red", "peach": "orange", "blueberry": "blue", "vanilla": "yellow"}
COLORS = likely(white=7, pink=2, blue=2, green=1, yellow=1, red=1, purple=1, orange=1, turquoise=1)


def sample(rng: Rng) -> Instance:
    """Sample a yogurt cup, standing."""
    model = ModelBuilder()
    top = rng.uniform(30, 44)
    h, foot = top * rng.uniform(1.3, 2.3), top * rng.uniform(0.66, 0.84)
    fruit = choice(rng, tuple(FRUITS))
    brand = sample_brand(rng, ("yogurt", f"{fruit} yogurt", fruit), COLORS)
    art = fruit_art(FRUITS[fruit], int(rng.integers(1, 4)), rng.random() < 0.6)
    image = wrap(rng, brand, np.pi * (top + foot), h, art)
    model.lathe([(0, 1.5), (foot - 3, 1.5), (foot - 2, 0), (foot, 0)], plain(tint(rng, "white")), hull=False)
    model.lathe([(foot, 0), (top - 2, h - 2)], image, hull=False)
    white = plain(np.array((240, 240, 236)))
    model.lathe([(top - 2, h - 2), (top, h - 1.6), (top, h - 0.4), (top - 3, h)], white, hull=False)
    round_hull(model, (foot, 0), (top, h - 2), (top, h))
    opened = rng.random() < 0.2
    if opened:
        cream = tint(rng, "white") if rng.random() < 0.5 else np.array((246, 214, 214))
        model.lathe([(top - 3, h), (top * 0.86, h * 0.72), (0, h * 0.72)], plain(cream), hull=False)
    else:
        silver = rng.random() < 0.4
        tab = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 28, endpoint=False)]) * (top + 0.6)
        tab[:2] *= 1.2
        tab[-1] *= 1.2
        foil = finish(rng, "metal", "grey", rgb=STEEL)
        lid = foil if silver else front(rng, brand, 2 * top, 2 * top, art, 96)
        model.prism(tab, h, h + 0.6, lid, plain((206, 208, 210)))
    skin = finish(rng, "plastic", brand.colors[0])
    features = ["open" if opened else "closed", "without a lid" if opened else "with a foil lid", "with lettering"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cup-shaped", features, colors=colors, pattern="printed", density=900)


KIND = Kind(
    name="yogurt cup",
    synonyms=("pot of yogurt", "yoghurt pot", "yogurt pot", "cup of yogurt"),
    hypernyms=("cup", "container", "package"),
    function="keeping yogurt",
    description="a small, slightly tapered plastic tub, mostly white with printed fruit, that widens to a thin rim "
    "with a foil top and a pull tab",
    longest=(0.055, 0.11),
    sample=sample,
)
