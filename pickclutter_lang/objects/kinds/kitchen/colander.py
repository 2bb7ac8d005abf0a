"""Colanders: wide basins full of holes, with two ears or a long handle and a foot."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import dish
from pickclutter_lang.objects.kinds.finishes import STEEL, Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage

EAR = ((-1, 0), (-0.8, 1), (0, 1.2), (0.8, 1), (1, 0))  # half-widths and reaches


def pierced(
    rng: Rng, skin: Finish, around: float, length: float, pitch: float, low: float, high: float
) -> TextureImage:
    """Return the image of a wall with rows of dark holes between two shares of its height."""
    image = skin.image(around, length, 200)
    u, v = tx.uv_grid(*image.shape[:2])
    rows, cols = max(2, round(length / pitch)), round(around / pitch)
    x, y = (u * cols + 0.5 * (np.floor(v * rows) % 2)) % 1 - 0.5, (v * rows) % 1 - 0.5
    slots = rng.random() < 0.3
    radius = rng.uniform(0.24, 0.32)
    hole = (np.abs(x) < 0.18) & (np.abs(y) < 0.38) if slots else np.hypot(x, y) < radius
    dark = (hole & (v > low) & (v < high)) * 0.88
    return tx.to_uint8(tx.lerp_color(image, (44, 46, 50), dark))


def sample(rng: Rng) -> Instance:
    """Sample a small colander, standing."""
    model = ModelBuilder()
    word = choice(rng, likely(grey=5, white=2, red=3, blue=1, green=2, yellow=1, orange=1, turquoise=1, pink=1))
    material = "steel" if word == "grey" else choice(rng, ("plastic", "plastic", "metal"))
    skin = finish(rng, material, word, rgb=STEEL if word == "grey" else ())
    r = rng.uniform(66, 100)
    h, foot, wall = r * rng.uniform(0.6, 0.9), r * rng.uniform(0.4, 0.55), 3.2
    outer = smooth([(foot, 0), (0.5 * foot + 0.5 * r, 0.2 * h), (r * 0.94, 0.65 * h), (r, h)], 9)
    inner = np.array([*(outer[::-1] - [wall, 0])[:-1], (foot - wall, wall), (0, wall)])
    pitch = rng.uniform(9, 14)
    side = pierced(rng, skin, 2 * np.pi * r, 1.3 * r, pitch, 0.3, 0.9)
    hollow = pierced(rng, skin.solid(0.92), 2 * np.pi * r, 1.3 * r, pitch, 0.08, 0.86)
    dish(model, outer, inner, side, hollow, wedges=7)
    model.lathe([(0, -7), (foot * 0.9, -7), (foot * 0.86, 1), (0, 1)], skin, segments=20, pieces=1)
    model.lathe(
        [(r - 3, h + 0.2), (r - 1, h - 2), (r + 4, h - 1), (r + 4, h + 1), (r - 3, h + 0.2)], skin.solid(), hull=False
    )
    long = rng.random() < 0.2
    if long:
        path = np.array([(0, r - 2, h - 3), (0, r + 30, h - 3), (0, r + rng.uniform(70, 95), h)])
        model.sweep(path, 9, skin.solid(), 4, power=3, segments=12, pieces=1)
    else:
        reach, half = rng.uniform(14, 24), rng.uniform(20, 30)
        for s in (-1, 1):
            ear = [(f * half, s * (r - 1 + g * reach), h - 3 * (g == 0)) for f, g in EAR]
            model.sweep(smooth(ear, 13), 3.6, skin.solid(), 3, segments=10, pieces=1)
    features = ["with a long handle" if long else "with two handles", "with holes", "empty"]
    return model.instance(skin, "hemispherical", features, density=700)


KIND = Kind(
    name="colander",
    synonyms=("draining basin", "pasta colander", "vegetable drainer"),
    hypernyms=("cookware", "kitchen tool"),
    function="draining pasta",
    description="a wide round basin with many rows of small holes in its curved wall, a low foot, and two ears at the "
    "rim",
    longest=(0.16, 0.33),
    sample=sample,
)
