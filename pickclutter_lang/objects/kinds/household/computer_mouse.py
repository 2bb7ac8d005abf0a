"""Computer mice: arched shells with two buttons and a wheel, with or without a cord."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import BRIGHT, SOBER
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import grid_surface


def sample(rng: Rng) -> Instance:
    """Sample a computer mouse; its buttons are at +x."""
    model = ModelBuilder()
    long = rng.uniform(88, 130)
    wide, high = long * rng.uniform(0.52, 0.64), long * rng.uniform(0.26, 0.4)
    word = choice(rng, (*SOBER, "black", *BRIGHT[:2]))
    skin = finish(rng, "plastic", word)
    hump, waist, power = rng.uniform(0.3, 0.5), rng.uniform(0.0, 0.14), rng.uniform(2.2, 3.4)
    # Rows from the rear (-x) to the front, columns from one side over the back to the other.
    t, a = np.linspace(0, 1, 15), np.linspace(0, np.pi, 17)
    half = (
        wide
        / 2
        * np.clip(1 - np.abs(2 * t - 1) ** (power + 0.8), 0, 1) ** (1 / (power + 0.8))
        * (1 - waist * np.sin(np.pi * t) ** 2)
    )
    arch = high * np.clip(1 - np.abs((t - hump) / np.where(t < hump, hump, 1 - hump + 0.12)) ** 2.3, 0, 1) ** 0.6
    c, s = (np.sign(f) * np.abs(f) ** (2 / 2.6) for f in (np.cos(a), np.sin(a)))
    grid = np.stack([np.broadcast_to((t[:, None] - 0.5) * long, (15, 17)), half[:, None] * c, arch[:, None] * s], -1)
    image = skin.image(wide * 1.5, long, 128).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    two = rng.random() < 0.35
    other = choice(rng, [q for q in ("grey", "black", "red", "blue") if q != word])
    if two:
        sides = np.abs(u - 0.5) > rng.uniform(0.26, 0.34) + 0.05 * np.cos(3 * v)
        image = tx.lerp_color(image, tint(rng, other), sides * 1.0)
    split = rng.uniform(0.52, 0.62)
    groove = (np.abs(u - 0.5) < 0.012) & (v > split) | (np.abs(v - split) < 0.008) & (np.abs(u - 0.5) < 0.3)
    image = image * (1 - 0.6 * groove)[..., None]
    model.surface(grid_surface(grid), tx.to_uint8(image))
    flat = np.stack([grid[:, 0], grid[:, -1]], 1)
    model.surface(grid_surface(flat[:, ::-1]), plain((40, 40, 44)))
    model.hull(grid[:9, ::2].reshape(-1, 3))
    model.hull(grid[8:, ::2].reshape(-1, 3))
    x = 0.76
    top = float(np.interp(x, t, arch))
    wheel = long * rng.uniform(0.07, 0.09)
    model.ball(
        (wheel * 2, wheel * 0.75, wheel * 2),
        plain((44, 44, 48) if word != "black" else (110, 110, 116)),
        rows=9,
        segments=14,
        at=((x - 0.5) * long, 0, top - wheel * 0.75),
        hull=False,
    )
    corded = rng.random() < 0.45
    if corded:
        bend, reach = rng.uniform(-40, 40), rng.uniform(30, 80)
        f = np.linspace(0, 1, 9)
        path = np.c_[long * 0.49 + reach * f, bend * f**2, 6 - 4 * f]
        model.sweep(path, 1.9, plain((30, 30, 32) if word != "white" else (220, 220, 218)), segments=8, pieces=3)
    glow = rng.random() < 0.25
    if glow:
        at = ((hump - 0.6) * long, 0, float(np.interp(hump - 0.1, t, arch)) - 1)
        model.ball((8, 8, 3.5), plain(tint(rng, choice(rng, BRIGHT))), rows=7, segments=12, at=at, hull=False)
    features = ["with a cord" if corded else "without a cord", "with a scroll wheel", "with two buttons"]
    return model.instance(skin, "oval", features, colors=(word, other) if two else (word,), density=500)


KIND = Kind(
    name="computer mouse",
    synonyms=("pc mouse", "optical mouse", "mouse for a computer"),
    hypernyms=("electronics", "office supply"),
    function="pointing on a screen",
    description="a smooth arched plastic shell, as large as a palm, with two buttons and a small wheel in front",
    longest=(0.085, 0.215),
    sample=sample,
)
