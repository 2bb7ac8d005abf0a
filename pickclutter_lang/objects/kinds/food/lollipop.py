"""Lollipops: candy balls or flat swirled discs on a thin stick."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import flat_body
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.produce import LYING
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

COLORS = ("red", "red", "orange", "yellow", "green", "pink", "pink", "purple", "blue", "turquoise")


def sample(rng: Rng) -> Instance:
    """Sample a lollipop, lying, its stick towards -y."""
    model = ModelBuilder()
    flat = rng.random() < 0.55
    skin = finish(
        rng,
        "food",
        COLORS,
        "striped" if rng.random() < (0.9 if flat else 0.6) else "plain",
        second=("white", "white", *COLORS),
    )
    first, last = skin.tints[0], skin.tints[-1]
    r, stick = (rng.uniform(20, 40) if flat else rng.uniform(12, 18)), rng.uniform(60, 110)
    thick = rng.uniform(1.6, 2.6)
    if flat:
        u, v = tx.uv_grid(112, 112)
        away, angle = np.hypot(u - 0.5, v - 0.5) * 2, np.arctan2(v - 0.5, u - 0.5) / (2 * np.pi)
        arms, rounds = int(rng.integers(1, 5)), rng.uniform(1.5, 3.5) * choice(rng, (-1, 1))
        wave = np.abs((arms * angle + rounds * away ** rng.uniform(0.7, 1.1)) % 1 - 0.5)
        colors = tx.lerp_color(first, last, tx.smoothstep(wave, 0.22, 0.28))
        deep = rng.uniform(8, 13)
        half = [(0, -0.5), (0.86, -0.5), (0.97, -0.3), (1, 0.0), (0.97, 0.3), (0.86, 0.5), (0, 0.5)]
        flat_body(model, np.array(half) * [r, deep], lambda points: points, tx.to_uint8(colors), 36)
        shape = "disc-shaped"
    else:
        base = peel(rng, first, tone=0.03, texels=(56, 96))
        u, v = tx.uv_grid(56, 96)
        band = tx.smoothstep(np.abs((v * rng.uniform(2, 5) + choice(rng, (0, 1)) * u) % 1 - 0.5), 0.24, 0.3)
        image = tx.to_uint8(tx.lerp_color(base, last, band if skin.pattern == "striped" else 0 * band))
        wide, tall = r * rng.uniform(0.95, 1.1), r * rng.uniform(0.85, 1.1)
        outline = smooth(
            [(0, -tall), (0.55 * wide, -0.85 * tall), (wide, 0), (0.55 * wide, 0.85 * tall), (0, tall)], 17
        )
        model.lathe(outline, image, 24, turn=LYING, pieces=1)
        belt = rng.random() < 0.5
        if belt:
            model.lathe(
                [(wide, -2), (1.06 * wide, -1.4), (1.06 * wide, 1.4), (wide, 2)], image, 24, turn=LYING, hull=False
            )
        shape = "spherical"
    paper = choice(rng, ("white", "white", "white", *COLORS))
    color = tint(rng, paper)
    path = np.c_[np.zeros(4), np.linspace(-r - stick, -0.7 * r, 4), np.zeros(4)]
    model.sweep(path, thick, plain(color), segments=9, pieces=1)
    features = [
        f"with a {paper} stick",
        "flat" if flat else "",
        "with a spiral" if flat and skin.pattern == "striped" else "",
    ]
    return model.instance(skin, shape, features)


KIND = Kind(
    name="lollipop",
    synonyms=("lolly", "candy on a stick", "sucker"),
    hypernyms=("candy", "sweet", "food"),
    function="licking as a treat",
    description="a hard colorful candy, round or flat, often with a swirl, fixed to the end of a thin stick",
    longest=(0.08, 0.195),
    sample=sample,
)
