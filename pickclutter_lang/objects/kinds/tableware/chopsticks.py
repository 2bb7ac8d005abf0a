"""Chopsticks: a pair of slim tapered sticks side by side, of wood, bamboo, lacquer or steel, with painted ends."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample a pair of chopsticks, lying along y, their thick ends at -y."""
    model = ModelBuilder()
    style = choice(rng, likely(wood=5, lacquer=4, plastic=1, steel=1))
    words = likely(black=3, red=3, white=1, brown=1, blue=1, green=1, pink=1)
    rgb = {"wood": (*WOODS, (222, 184, 128), (216, 176, 116)), "steel": STEEL}.get(style, ())
    word = {"wood": "brown", "steel": "grey"}.get(style) or choice(rng, words)
    skin = finish(rng, "wood" if style == "lacquer" else style, word, rgb=rgb)
    length, thick = rng.uniform(180, 250), rng.uniform(3.2, 4.6)
    image = skin.image(2 * np.pi * thick, length)
    v = tx.uv_grid(*image.shape[:2])[1]
    banded = rng.random() < 0.55
    colors = skin.colors
    if banded:
        second = choice(rng, [c for c in ("red", "black", "yellow", "white", "blue", "green") if c != word])
        band = finish(rng, "wood", second)
        end = rng.uniform(0.12, 0.4)
        stripes = rng.random() < 0.5
        mask = (v < end) & ((np.sin(v / end * 2 * np.pi * 3) > -0.2) | (not stripes))
        image = tx.to_uint8(tx.lerp_color(image, band.tints[0], mask * 1.0))
        colors = (*colors, second)
    power = choice(rng, (2.0, 2.0, 4.0))
    apart, angle = rng.uniform(9, 24), rng.uniform(-0.07, 0.07)
    slip = rng.uniform(-6, 6)
    for s in (-1, 1):
        t = np.linspace(0, 1, 7)
        lean = s * angle if rng.random() < 0.5 else 0.0
        x = s * apart / 2 + lean * length * (t - 0.5) * (-1 if s * lean > 0 else 1)
        x = np.where(s * x < thick + 0.4, s * (thick + 0.4), x)
        path = np.c_[x, length * t + slip * (s > 0), 0 * t]
        model.sweep(path, thick * np.linspace(1, rng.uniform(0.36, 0.55), 7), image, power=power, segments=10, pieces=1)
    features = ["with painted ends" if banded else "", "with square edges" if power > 3 else "round"]
    return model.instance(skin, "long and thin", features, colors=colors)


KIND = Kind(
    name="chopsticks",
    synonyms=("pair of chopsticks", "eating sticks", "chop sticks"),
    hypernyms=("cutlery", "tableware"),
    function="eating rice and noodles",
    description="two long, thin, straight sticks of the same color that taper to a narrow tip, lying side by side",
    longest=(0.175, 0.265),
    sample=sample,
)
