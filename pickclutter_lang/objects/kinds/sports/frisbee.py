"""Frisbees: plastic discs with a rolled rim, upright or upside down, plain or with printed rings and stars."""

import itertools

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.outlines import star
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def sample(rng: Rng) -> Instance:
    """Sample a frisbee, lying."""
    model = ModelBuilder()
    r = rng.uniform(75, 138)
    deep, word = r * rng.uniform(0.13, 0.24), choice(rng, (*BRIGHT, "red", "blue", "orange", "white", "black"))
    skin = finish(rng, "plastic", word)
    turn = rotation("x", 180) if rng.random() < 0.25 else None
    top = deep * 0.9
    curve = smooth([(r * 0.95, 0), (r, deep * 0.2), (r * 0.985, deep * 0.6), (r * 0.88, top), (r * 0.7, deep)], 10)
    ink = choice(rng, [c for c in (*BRIGHT, "white", "black") if c != word])
    color, wide = tint(rng, ink), int(rng.integers(1, 4))
    style = choice(rng, ("plain", "rings", "rings", "star", "disc"))
    image = skin.image(2 * np.pi * r, 1.7 * r).astype(float)
    _, v = tx.uv_grid(*image.shape[:2])
    if style == "rings":
        for n in range(wide):
            image = tx.lerp_color(image, color, 1 - tx.smoothstep(np.abs(v - 0.5 - 0.1 * n), 0.015, 0.025))
    skin_image = tx.to_uint8(image)
    model.lathe([*curve, (r * 0.4, deep * 1.04), (0, deep * 1.05)], skin_image, segments=36, turn=turn, hull=False)
    model.lathe(
        [(0, deep - 2), (r * 0.68, deep - 3), (r * 0.86, top - 3), (r * 0.93, deep * 0.5), (r * 0.95, 0)],
        skin.solid(0.9),
        segments=36,
        turn=turn,
        hull=False,
    )
    if style in ("star", "disc"):
        edge = star(int(rng.integers(5, 9)), 0.5 * r, 0.25 * r) if style == "star" else circle(0.5 * r, 28)
        model.prism(edge, deep * 1.0, deep * 1.055, tx.plain(np.clip(color, 0, 255).tolist()), turn=turn, hull=False)
    ring = np.linspace(0, 2 * np.pi, 11)
    for a, b in itertools.pairwise(ring):
        rows = np.array([(0.93, 0), (1, 0.2), (0.98, 0.6), (0.8, 0.97), (0.78, 0.7)]) * [r, deep]
        model.hull([(q * np.cos(c), q * np.sin(c), z) for q, z in rows for c in (a, (a + b) / 2, b)], turn=turn)
    disc = ((0.85 * r, deep - 5), (0.85 * r, deep * 0.93), (0.4 * r, deep * 1.05))
    model.hull([(q * np.cos(c), q * np.sin(c), z) for q, z in disc for c in ring], turn=turn)
    features = [
        "upside down" if turn is not None else "",
        "with a star" if style == "star" else "",
    ]
    colors = (word, ink) if style != "plain" else (word,)
    return model.instance(skin, "flat and round", features, colors=colors, density=400)


KIND = Kind(
    name="frisbee",
    synonyms=("flying disc", "throwing disc"),
    hypernyms=("toy", "sports equipment"),
    function="throwing and catching",
    description="a flat, light plastic disc, hollow underneath, with a thick rounded rim",
    longest=(0.14, 0.28),
    sample=sample,
)
