"""Drinking glasses: tumblers and tall glasses, straight or tapered, clear or tinted, some printed or with a drink."""

import numpy as np

from pickclutter_lang.objects.kinds.dishes import glass, pour
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx

DRINKS = {"water": (178, 200, 212), "juice": (232, 148, 30), "milk": (240, 238, 230), "cola": (64, 34, 22)}


def sample(rng: Rng) -> Instance:
    """Sample a drinking glass, standing."""
    model = ModelBuilder()
    skin = glass(rng)
    tall = rng.random() < 0.5
    r = rng.uniform(27, 36) if tall else rng.uniform(33, 43)
    h = r * (rng.uniform(3.4, 4.6) if tall else rng.uniform(1.9, 2.7))
    form = choice(rng, ("straight", "tapered", "tapered", "waisted", "bellied"))
    foot = r * {"straight": 0.97, "tapered": rng.uniform(0.66, 0.86), "waisted": 0.86, "bellied": 0.74}[form]
    middle = {"straight": 0.985, "tapered": (foot / r + 1) / 2, "waisted": 0.76, "bellied": 1.04}[form] * r
    outer = smooth([(foot, 0), (middle, 0.5 * h), (r, h)], 9)
    wall, floor = rng.uniform(1.4, 2.4), rng.uniform(4, 11)
    decor = choice(rng, ("none", "none", "none", "facets", "stripes", "print"))
    inside, side, colors = skin.painted(skin.tints[0] * rng.uniform(0.82, 0.95)), skin, skin.colors
    if decor == "print":
        prints = ("dotted", "floral", "striped")
        side = finish(rng, "glass", skin.colors[0], prints, pitch=(10, 22), rgb=(skin.tints[0].tolist(),))
        colors = side.colors
    model.vessel(outer, wall, side, inside, floor)
    if decor in ("facets", "stripes"):
        u, v = tx.uv_grid(64, 160)
        ribs = 0.5 + 0.5 * np.cos(2 * np.pi * u * (int(rng.integers(9, 15)) if decor == "facets" else 36))
        fade = 1 - tx.smoothstep(v, 0.28, 0.32)
        image = tx.to_uint8(skin.tints[0] * (1.08 - 0.3 * (ribs * fade)[..., None]))
        model.lathe(np.concatenate([outer + np.array([0.25, 0]), outer[::-1]]), image, hull=False)
    drink = choice(rng, ("", "", "", *DRINKS))
    if drink:
        level = h * rng.uniform(0.55, 0.85)
        color = np.array(DRINKS[drink]) * rng.uniform(0.9, 1.05)
        pour(model, outer, wall, floor, level, color, skin.tints[0])
        colors = ({"water": "white", "juice": "orange", "milk": "white", "cola": "brown"}[drink], *colors)
    words = {"facets": "with facets", "stripes": "with grooves"}.get(decor, "")
    features = [words, "tall" if tall else "short", f"with {drink} in it" if drink else "empty", "without a handle"]
    pattern = side.pattern if decor == "print" and not drink else "plain"
    return model.instance(skin, "cup-shaped", features, colors=colors, pattern=pattern)


KIND = Kind(
    name="drinking glass",
    synonyms=("glass tumbler", "water glass", "tumbler"),
    hypernyms=("cup", "tableware"),
    function="drinking",
    description="a smooth, see-through open cylinder without a handle, often a little narrower at its thick base",
    longest=(0.06, 0.175),
    sample=sample,
)
