"""Pencils: six-sided or round, painted, sharpened to bare wood and a dark or colored lead, some with a rubber end."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, BRIGHT, barrel, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.writing_tools import lettered
from pickclutter_lang.objects.procedural import textures as tx

COLORS = words("yellow yellow yellow orange red blue green black pink purple turquoise white brown")


def sample(rng: Rng) -> Instance:
    """Sample a pencil, lying with its point at +y."""
    model = ModelBuilder()
    r, length = rng.uniform(3.4, 4.6), rng.uniform(65, 175)
    skin = finish(rng, "wood", COLORS, wear=0.4)
    colored = rng.random() < 0.3 and skin.colors[0] not in ("white", "brown")
    sides = 6 if rng.random() < 0.75 else 16
    point = rng.uniform(4.2, 6) * r
    ink = choice(rng, ((236, 214, 120), (245, 245, 240), (30, 30, 32)))
    image = lettered(rng, skin.tints[0], ink, 9)
    colors, striped = skin.colors, rng.random() < 0.25
    if striped:
        u, v = tx.uv_grid(128, 48)
        word = choice(rng, [c for c in BRIGHT if c != skin.colors[0]])
        lines = (v * 14) % 1 < 0.4 if rng.random() < 0.5 else (u * 3) % 1 < 0.45
        image = tx.to_uint8(tx.lerp_color(skin.tints[0], tint(rng, word), lines.astype(float) * 0.9))
        colors = (*colors, word)
    barrel(model, [(r, 0), (r, length)], image, 0, sides)
    u, v = tx.uv_grid(64, 96)
    lead = skin.tints[0] if colored else np.array((52, 52, 56))
    tan = (
        np.array((222, 180, 124)) * rng.uniform(0.9, 1.06) * (1 + 0.05 * tx.grid_noise(rng, (64, 96), 3, 40)[..., None])
    )
    scallop = 0.1 + 0.07 * np.cos(2 * np.pi * 6 * u) * (sides == 6)
    tip = tx.lerp_color(
        tx.lerp_color(skin.tints[0], tan, (v > scallop).astype(float)), lead, tx.smoothstep(v, 0.72, 0.74)
    )
    blunt = rng.uniform(0.02, 0.16)
    model.lathe(
        [(r, 0), (blunt * r, point), (0, point)],
        tx.to_uint8(tip),
        segments=18,
        at=(0, length, 0),
        turn=ALONG_Y,
        pieces=1,
    )
    rubber = rng.random() < 0.45
    if rubber:
        band = plain(choice(rng, ((200, 172, 90), (178, 180, 184), (186, 190, 170))))
        barrel(
            model,
            [(1.04 * r, 0), (1.1 * r, 2), (1.0 * r, 3), (1.1 * r, 4), (1.0 * r, 7), (1.08 * r, 9), (1.04 * r, 12)],
            band,
            -10,
        )
        pink = plain(tint(rng, choice(rng, ("pink", "pink", "white"))))
        end = rng.uniform(4, 9)
        barrel(model, [(0.75 * r, 0), (0.97 * r, 1), (0.97 * r, end + 1)], pink, -10 - end)
    features = [
        "with an eraser" if rubber else "without an eraser",
        "hexagonal" if sides == 6 else "round",
        "sharpened",
        "short" if length < 95 else "",
    ]
    pattern = "striped" if striped else "plain"
    return model.instance(skin, "long and thin", features, colors=colors, pattern=pattern)


KIND = Kind(
    name="pencil",
    synonyms=("wooden pencil", "writing pencil"),
    hypernyms=("writing tool", "stationery"),
    function="writing and drawing",
    description="a long, thin, painted wooden stick, often six-sided, with a cone of bare wood and a dark point",
    longest=(0.075, 0.24),
    sample=sample,
)
