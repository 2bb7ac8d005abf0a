"""Cookies: flat round baked discs; with chips, plain, dark, with jam, or two with cream between."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import crust, flat_body, wavy
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

DOUGHS = ((196, 140, 80), (176, 118, 62), (208, 160, 100), (160, 104, 56))
DARK = ((96, 60, 38), (84, 52, 36))


def sample(rng: Rng) -> Instance:
    """Sample a cookie, lying."""
    model = ModelBuilder()
    sort = choice(rng, ("chips", "chips", "chips", "chips", "plain", "dark chips", "cream"))
    skin = finish(rng, "food", "brown", rgb=DARK if sort in ("dark chips", "cream") else DOUGHS)
    color, r = skin.tints[0], rng.uniform(24, 46)
    if sort == "cream":
        sandwich(model, rng, min(r, 30), color)
        return model.instance(
            skin, "disc-shaped", ["with cream filling", "with a dark wafer"], colors=("brown", "white")
        )
    tall, phase = rng.uniform(8, 15), wavy(rng, np.linspace(0, 2 * np.pi, 64, endpoint=False), rng.uniform(0.02, 0.08))

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
        factor = 1 + np.interp(angle, np.linspace(0, 2 * np.pi, 65), np.r_[phase, phase[:1]])
        return np.asarray(points * np.stack([factor, factor, 0.6 + 0.4 * factor], -1))

    outline = [
        (0, 0),
        (0.8 * r, 0),
        (0.97 * r, 0.2 * tall),
        (r, 0.45 * tall),
        (0.9 * r, 0.75 * tall),
        (0.6 * r, 0.95 * tall),
        (0.3 * r, tall),
        (0, tall),
    ]
    baked = crust(rng, color, (96, 96))
    cracks = np.abs(tx.grid_noise(rng, (96, 96), 11, 11))
    image = tx.lerp_color(baked, color * 0.6, 0.5 * (1 - tx.smoothstep(cracks, 0.02, 0.16)))
    flat_body(model, smooth(outline, 16), bend, tx.to_uint8(image))
    if sort == "plain":
        return model.instance(skin, "disc-shaped", ["without chips"])
    chip = np.array((62, 36, 24)) if sort == "chips" else np.array((232, 220, 190))
    piece = peel(rng, chip * rng.uniform(0.85, 1.1), tone=0.1, texels=(16, 24))
    for _ in range(int(rng.integers(9, 19))):
        a, d, s = rng.uniform(0, 6.3), 0.82 * r * np.sqrt(rng.random()), rng.uniform(4, 7.5)
        z = float(np.interp(d, [0, 0.6 * r, 0.9 * r], [tall, 0.95 * tall, 0.75 * tall]))
        model.ball(
            (s, s * rng.uniform(0.7, 1.2), 0.75 * s),
            piece,
            rows=7,
            segments=9,
            at=(d * np.cos(a), d * np.sin(a), z),
            hull=False,
        )
    features = ["with chocolate chips"] if sort == "chips" else ["with white chocolate chips", "dark"]
    return model.instance(skin, "disc-shaped", features)


def sandwich(model: ModelBuilder, rng: Rng, r: float, color: Floats) -> None:
    """Add two embossed wafers with cream between."""
    u, v = tx.uv_grid(48, 144)
    teeth = tx.smoothstep(np.abs((u * int(rng.integers(24, 40))) % 1 - 0.5), 0.1, 0.3) * (v < 0.45)
    relief = tx.smoothstep(np.abs((u * int(rng.integers(6, 13))) % 1 - 0.5) * (1 - v), 0.03, 0.08) * (v > 0.62)
    image = tx.to_uint8(tx.pixel_noise(color * (0.8 + 0.28 * np.maximum(teeth, relief))[..., None], rng, 4))
    thick, cream = rng.uniform(3.5, 5), rng.uniform(2.5, 5)
    for base in (0.0, thick + cream):
        disc = [
            (0, base),
            (0.96 * r, base),
            (r, base + 0.3 * thick),
            (r, base + 0.7 * thick),
            (0.93 * r, base + thick),
            (0, base + thick),
        ]
        model.lathe(disc, image, 30, pieces=1)
    model.lathe(
        [(0, thick), (0.93 * r, thick), (0.93 * r, thick + cream), (0, thick + cream)],
        plain((240, 236, 224)),
        24,
        pieces=1,
    )


KIND = Kind(
    name="cookie",
    synonyms=("biscuit", "baked cookie"),
    hypernyms=("pastry", "dessert", "food"),
    function="snacking",
    description="a small flat round baked sweet, brown and crumbly, often dotted with dark chips",
    longest=(0.045, 0.11),
    sample=sample,
)
