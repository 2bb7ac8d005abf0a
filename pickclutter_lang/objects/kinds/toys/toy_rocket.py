"""Toy rockets: standing pointed bodies with a nose cone, three or four fins, round windows and rings."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a toy rocket, standing on its fins."""
    model = ModelBuilder()
    h = rng.uniform(95, 260)
    r, material = h * rng.uniform(0.1, 0.19), choice(rng, ("plastic", "plastic", "wood", "metal"))
    word = choice(rng, ("white",) * 5 + TOYS + ("grey",))
    skin = finish(rng, material, word)
    other = choice(rng, [c for c in ("red", "red", *TOYS) if c != word])
    accent = tint(rng, other)
    slim = rng.uniform(0.0, 1.0)
    low, waist = 0.08 * h, 0.74 + 0.24 * slim
    form = smooth(
        [(0.6, 0), (waist, 0.08), (1, 0.35), (0.92 + 0.06 * slim, 0.6), (0.6, 0.8), (0.26, 0.93), (0.02, 1)], 22
    )
    rows = form * [r, h - low] + [0, low]
    image = skin.image(2 * np.pi * r, h).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    nose = rng.uniform(0.66, 0.78)
    image = tx.lerp_color(image, accent, tx.smoothstep(v, nose - 0.01, nose + 0.01))
    for n in range(int(rng.integers(0, 3))):
        image = tx.lerp_color(image, accent, 1 - tx.smoothstep(np.abs(v - 0.12 - 0.08 * n), 0.012, 0.022))
    windows = int(rng.integers(1, 3))
    turned = rng.integers(0, 4) * 0.25
    for n in range(windows):
        x, y = ((u - turned + 0.5) % 1 - 0.5) * 2 * np.pi * r, (v - 0.56 + 0.17 * n) * h
        distance = np.hypot(x, y) / (r * rng.uniform(0.38, 0.5))
        image = tx.lerp_color(image, accent if n % 2 == 0 else (60, 60, 66), 1 - tx.smoothstep(distance, 1.0, 1.12))
        image = tx.lerp_color(image, (96, 168, 206), 1 - tx.smoothstep(distance, 0.66, 0.76))
    if rng.random() < 0.3:
        image[(np.floor(u * 8) % 2 == 0) & (v < 0.2)] = accent
    model.lathe(rows, tx.to_uint8(image), 24, 2)
    model.lathe([(0, low + 0.5), (rows[0, 0], low)], plain((56, 56, 60)), hull=False)
    model.lathe([(0, low * 0.45), (r * 0.5, low * 0.35), (r * 0.42, low * 1.1)], plain((56, 56, 60)), 16, 1)
    count, reach = choice(rng, (3, 3, 4)), r * rng.uniform(0.7, 1.2)
    paint, rise = plain(accent * 0.95), h * rng.uniform(0.26, 0.36)
    fin = [(r * 0.62, low + 0.02 * h), (r + reach, 0), (r + reach, h * 0.1), (r * 0.92, rise)]
    for n in range(count):
        turn = rotation("z", 45 + 360 * n / count) @ rotation("x", 90)
        model.prism(fin, -0.012 * h, 0.012 * h, paint, turn=turn)
    features = [
        f"with {'three' if count == 3 else 'four'} fins",
        f"with {'a window' if windows == 1 else 'two windows'}",
    ]
    return model.instance(skin, "rocket-shaped", features, colors=(word, other), density=350)


KIND = Kind(
    name="toy rocket",
    synonyms=("toy spaceship", "model rocket", "rocket ship toy"),
    hypernyms=("vehicle", "toy"),
    function="playing",
    description="a tall round body that tapers to a pointed colored nose, with round windows and fins at the bottom",
    longest=(0.09, 0.265),
    sample=sample,
)
