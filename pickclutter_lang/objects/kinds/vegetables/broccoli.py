"""Broccoli: a head of grainy dark green florets on branches of a thick pale stalk."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, bumps, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

HEADS = ((58, 100, 44), (46, 88, 44), (74, 116, 50), (64, 104, 66))


def sample(rng: Rng) -> Instance:
    """Sample a head of broccoli, standing on its stalk."""
    model = ModelBuilder()
    skin = finish(rng, "food", "green", rgb=HEADS)
    color = skin.tints[0]
    wide = rng.uniform(28, 72)
    trunk, tall = wide * rng.uniform(0.24, 0.36), wide * rng.uniform(0.9, 1.7)
    pale = np.array((150, 176, 92)) * rng.uniform(0.85, 1.08)
    stalk = peel(rng, pale, streaks=(pale * 0.85, 0.3), bottom=((196, 208, 150), 0.04), texels=(56, 56))
    profile = smooth(
        [
            (0, 0),
            (trunk, 0),
            (0.88 * trunk, 0.3 * tall),
            (0.95 * trunk, 0.6 * tall),
            (1.5 * trunk, 0.9 * tall),
            (0, tall),
        ],
        14,
    )
    model.lathe(profile, stalk, 16, pieces=2)
    grains = []
    for factor in (0.86, 1.0, 1.12):
        field = tx.grid_noise(rng, (40, 64), 15, 24)
        dots = tx.lerp_color(color * factor * 0.6, color * factor * 1.2, tx.smoothstep(field, -1.0, 1.0))
        grains.append(tx.to_uint8(dots))
    count = int(rng.integers(10, 14))
    centers, z0 = [], tall * rng.uniform(0.95, 1.05)
    for n in range(count):
        up = 1 - 0.92 * (n + 0.5) / count + rng.normal(0, 0.03)
        out, a = np.sqrt(max(1 - up**2, 0)), 2.4 * n + rng.normal(0, 0.15)
        centers.append(np.array([out * np.cos(a), out * np.sin(a), 0.62 * up]) * wide * 0.74 + [0, 0, z0])
    for n, center in enumerate(centers):
        across = wide * rng.uniform(0.72, 0.95)
        size = across, across, across * rng.uniform(0.75, 0.9)
        model.ball(
            size, grains[n % 3], bumps(rng, 0.1, 7.0), rows=9, segments=14, at=center, hull=n < 10 and n % 2 == 0
        )
        branch = [np.array([0, 0, 0.72 * tall]), 0.55 * center + [0, 0, 0.4 * tall], center]
        if center[2] < z0 + 0.3 * wide:
            model.sweep(smooth(branch, 5), 0.11 * wide, stalk, segments=7, up=(0.3, 0.2, 1), hull=False)
    reach = wide * 0.48
    model.hull(np.concatenate([c + reach * np.concatenate([np.eye(3), -np.eye(3)]) for c in centers]))
    return model.instance(skin, "umbrella-shaped", ["with a long stalk" if tall > 1.3 * wide else "with a short stalk"])


KIND = Kind(
    name="broccoli",
    synonyms=("broccoli head", "broccoli floret"),
    hypernyms=("vegetable", "food"),
    function="cooking",
    description="a green vegetable like a little tree, with a bushy head of grainy florets on a thick pale stalk",
    longest=(0.05, 0.24),
    sample=sample,
)
