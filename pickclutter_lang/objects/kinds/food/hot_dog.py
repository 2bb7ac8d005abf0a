"""Hot dogs: a sausage in a split bun, with mustard, ketchup or neither."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import CRUSTS, crust
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx

SAUSAGES = ((164, 72, 44), (182, 88, 58), (140, 58, 38), (196, 104, 76))
SAUCES = {"mustard": (228, 178, 34), "ketchup": (186, 28, 22)}


def sample(rng: Rng) -> Instance:
    """Sample a hot dog, lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=CRUSTS)
    length, wide = rng.uniform(125, 175), rng.uniform(15, 20)
    t = np.sin(np.linspace(-1, 1, 17) * np.pi / 2)  # closer together at the round ends
    curve = rng.uniform(0, 10)
    bend = curve * (1 - t**2) - curve / 2
    cap = np.sqrt(np.maximum(1 - np.abs(t) ** 5, 0.08))
    u, _ = tx.uv_grid(96, 64)
    baked = crust(rng, skin.tints[0] * 1.06, (96, 64))
    pale = np.array((240, 216, 168)) * rng.uniform(0.93, 1.03)
    for side in (-1, 1):
        inward = 0.85 * side * np.cos(2 * np.pi * u) + 0.5 * np.sin(2 * np.pi * u)
        white = tx.smoothstep(inward, 0.55, 0.8)
        image = tx.to_uint8(tx.lerp_color(baked, pale, white))
        path = np.c_[bend + side * wide * 0.74, t * length / 2, np.full(17, wide)]
        model.sweep(path, wide * 0.92 * cap, image, wide * 1.0 * cap, power=2.2, segments=18, pieces=2)
    r = wide * rng.uniform(0.62, 0.8)
    out = length * rng.uniform(0.98, 1.16)
    sausage = np.array(choice(rng, SAUSAGES)) * rng.uniform(0.9, 1.08)
    meat = peel(
        rng,
        sausage,
        tone=0.06,
        streaks=(sausage * 0.75, rng.uniform(0, 0.2)),
        spots=(sausage * 0.7, 0.02),
        texels=(80, 48),
    )
    high = wide * rng.uniform(1.5, 1.75)
    round_ends = np.sqrt(np.maximum(1 - np.abs(t) ** 9, 0.1))
    model.sweep(np.c_[bend, t * out / 2, np.full(17, high)], r * round_ends, meat, segments=16, pieces=2)
    sauces = choice(rng, (("mustard",), ("mustard",), ("ketchup",), ("mustard", "ketchup"), ()))
    for n, sauce in enumerate(sauces):
        s = np.linspace(-0.9, 0.9, 41)
        wave = 0.5 * r * np.sin(rng.uniform(16, 26) * s + n * 3) if rng.random() < 0.8 else 0 * s
        x = np.interp(s, t, bend) + wave + (n - 0.5 * (len(sauces) - 1)) * 0.4 * r
        top = high + np.sqrt(np.maximum(r**2 - (x - np.interp(s, t, bend)) ** 2, 1)) + 0.3
        color = np.array(SAUCES[sauce]) * rng.uniform(0.92, 1.06)
        model.sweep(np.c_[x, s * out / 2, top], rng.uniform(2, 3), plain(color), 2.0, segments=7, hull=False)
    features = [f"with {sauce}" for sauce in sauces] or ["without sauce"]
    return model.instance(
        skin, "long and thin", features, colors=("brown", "yellow") if "mustard" in sauces else ("brown",)
    )


KIND = Kind(
    name="hot dog",
    synonyms=("hotdog", "frankfurter in a bun", "sausage in a bun"),
    hypernyms=("fast food", "food"),
    function="eating as a snack",
    description="a long reddish-brown sausage lying in a soft split bun, often with a wavy line of sauce along the top",
    longest=(0.12, 0.215),
    sample=sample,
)
