"""Avocados: dark green or nearly black and pebbled, or halves with pale flesh, with or without the pit."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import LENGTHWISE, lying, pitted, stub
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {"green": ((58, 84, 36), (74, 104, 42), (90, 122, 50)), "black": ((40, 34, 30), (46, 40, 34))}


def sample(rng: Rng) -> Instance:
    """Sample an avocado, lying on its side, or half of one with the cut up."""
    model = ModelBuilder()
    word = choice(rng, ("green", "green", "green", "black", "black"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    r, slim, neck = rng.uniform(29, 40), rng.uniform(1.1, 1.42), rng.uniform(0.36, 0.6)
    outline = [(0, -0.95), (0.3, -0.93), (0.76, -0.66), (1, -0.12), (0.9, 0.34), (neck + 0.08, 0.78)]
    profile = smooth([*outline, (neck * 0.7, 1.08), (0.12, 1.2), (0, 1.18)], 24) * [r, r * slim]
    dots = (color * 1.3 + 14, rng.uniform(0.01, 0.1))
    base = peel(rng, color, tone=0.1, patches=(color * 0.72, 0.35), spots=dots, spot_count=62)
    pebbled = pitted(rng, base, 48, rng.uniform(0.15, 0.4))
    if rng.random() < 0.7:
        turn = lying(rng)
        model.lathe(profile, pebbled, turn=turn, pieces=2)
        stub(model, rng, (0, 0, 1.16 * r * slim), 4, 2.6, (122, 92, 56), turn)
        return model.instance(skin, "pear-shaped", ["whole", "with pebbled skin"])
    flat = lambda points: np.c_[np.minimum(points[:, 0], 0), points[:, 1:]]  # noqa: E731
    model.lathe(profile, pebbled, bend=flat, turn=LENGTHWISE, pieces=2)
    pit = rng.random() < 0.5
    flesh(model, rng, profile[1:-1], pit)
    return model.instance(
        skin, "pear-shaped", ["halved", "with a pit" if pit else "without a pit"], colors=(word, "green")
    )


def flesh(model: ModelBuilder, rng: Rng, profile: Floats, pit: bool) -> None:
    """Add the cut face over the flat side of a half, and the pit or the hollow where it was."""
    radii, along = profile.T
    u, v = tx.uv_grid(112, 80)
    z = along[0] + v * (along[-1] - along[0])
    width = np.interp(z, along, radii)
    margin = (0.5 - np.abs(u - 0.5)) * 2 * width
    middle, radius = -0.12 * radii.max(), radii.max() * rng.uniform(0.4, 0.5)
    away = np.hypot((u - 0.5) * 2 * width, z - middle)
    cream = np.array([212, 206, 116]) * rng.uniform(0.92, 1.06)
    color = tx.lerp_color(
        (124, 150, 58), cream, tx.smoothstep(margin, 1.5, 10) + 0.06 * tx.grid_noise(rng, u.shape, 4, 4)
    )
    color = tx.lerp_color((52, 66, 34), color, tx.smoothstep(margin, 0.8, 1.8))
    hollow = cream * 0.72 + np.stack([(z - middle) / radius * 26] * 3, -1)
    color = tx.lerp_color(hollow, color, tx.smoothstep(away, radius - 1, radius + 0.5))
    left, right = np.c_[-radii, along], np.c_[radii, along]
    model.plate(left, right, -0.2, 0.5, tx.to_uint8(color), hull=False)
    if pit:
        brown = peel(rng, np.array([120, 74, 40]) * rng.uniform(0.8, 1.2), tone=0.12, texels=(32, 48))
        model.ball((1.9 * radius,) * 3, brown, rows=13, segments=20, at=(0, middle, 0.1 * radius))


KIND = Kind(
    name="avocado",
    synonyms=("avocado pear", "alligator pear"),
    hypernyms=("fruit", "food"),
    function="eating",
    description="a dark green fruit with a narrow neck and bumpy skin, pale green flesh and one large round seed",
    longest=(0.06, 0.15),
    sample=sample,
)
