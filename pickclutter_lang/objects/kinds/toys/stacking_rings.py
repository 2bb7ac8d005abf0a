"""Stacking rings: a cone of rings of different colors on a base with a peg, topped by a ball."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import BRIGHT

RAINBOW = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")


def sample(rng: Rng) -> Instance:
    """Sample a toy of stacking rings, standing."""
    model = ModelBuilder()
    count, r = int(rng.integers(4, 8)), rng.uniform(38, 62)
    material = choice(rng, ("plastic", "plastic", "wood"))
    order = list(RAINBOW[:count]) if rng.random() < 0.6 else [BRIGHT[i] for i in rng.permutation(8)[:count]]
    order = order[::-1] if rng.random() < 0.5 else order
    thick = r * rng.uniform(0.26, 0.4)
    base_word = choice(rng, ("white", "yellow", "blue", "red"))
    base = finish(rng, material, base_word)
    low = r * 0.2
    foot = [(0, 0), (r * 1.02, 0), (r * 1.05, low * 0.4), (r * 0.95, low), (0, low)]
    model.lathe(foot, base, pieces=1)
    z, shrink = low, rng.uniform(0.45, 0.7)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 8)
    square = rng.random() < 0.25
    for n, word in enumerate(order):
        outer = r * (1 - (1 - shrink) * n / max(count - 1, 1))
        bulge = np.abs(np.cos(angle)) ** (0.35 if square else 1) * thick / 2
        profile = np.c_[outer - thick / 2 + bulge, z + thick / 2 + np.sin(angle) * thick / 2]
        rows = np.r_[[(r * 0.15, z)], profile, [(r * 0.15, z + thick)]]
        model.lathe(rows, finish(rng, material, word), pieces=1)
        z += thick
    peg = r * 0.14
    top = choice(rng, ("ball", "ball", "peg"))
    model.lathe([(peg, z - 2), (peg, z + peg * 1.5), (0, z + peg * 2)], base, 12, 1)
    if top == "ball":
        d = r * rng.uniform(0.45, 0.65)
        model.ball((d, d, d), plain(tint(rng, choice(rng, BRIGHT))), rows=11, segments=18, at=(0, 0, z + d / 2))
    features = [
        "with a ball on top" if top == "ball" else "with a peg on top",
        f"with {['four', 'five', 'six', 'seven'][count - 4]} rings",
    ]
    colors = (order[0], *order[1:])
    return model.instance(
        finish(rng, material, order[0]), "conical", features, colors=colors, pattern="striped", density=350
    )


KIND = Kind(
    name="stacking rings",
    synonyms=("ring stacker", "stacking toy", "ring tower"),
    hypernyms=("toy",),
    function="stacking",
    description="a cone-shaped tower of thick rings of many bright colors, the largest at the bottom, on a flat base",
    longest=(0.08, 0.3),
    sample=sample,
)
