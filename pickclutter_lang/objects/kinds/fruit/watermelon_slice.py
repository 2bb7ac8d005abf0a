"""Watermelon slices: wedges or half discs of red flesh with dark seeds and a green rind."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

FLESH = {"red": ((222, 60, 56), (206, 44, 50), (226, 78, 72)), "yellow": ((240, 204, 70),)}


def cut_face(rng: Rng, flesh: Floats, outline: Floats, r: float, rind: float, seeds: int) -> TextureImage:
    """Paint the flat side: flesh, seeds, a pale ring and green skin; the arc's center is the origin."""
    u, v = tx.uv_grid(112, 112)
    low, extent = outline.min(axis=0), np.ptp(outline, axis=0)
    x, y = low[0] + u * extent[0], low[1] + v * extent[1]
    depth = r - np.hypot(x, y) + 0.5 * tx.grid_noise(rng, u.shape, 6, 6)
    image = (
        flesh * (1 + 0.06 * tx.grid_noise(rng, u.shape, 9, 9) + 0.05 * tx.grid_noise(rng, u.shape, 30, 30))[..., None]
    )
    for _ in range(seeds):
        d, a = r * rng.uniform(0.4, 0.8), rng.uniform(0, 2 * np.pi)
        p, q = x - d * np.cos(a), y - d * np.sin(a)
        near = np.hypot((p * np.cos(a) + q * np.sin(a)) / 3.4, (q * np.cos(a) - p * np.sin(a)) / 2.0)
        image = tx.lerp_color(image, (40, 26, 22), 1 - tx.smoothstep(near, 0.8, 1.15))
    image = tx.lerp_color((226, 232, 190), image, tx.smoothstep(depth, 0.9 * rind, 1.5 * rind))
    return tx.to_uint8(tx.lerp_color((62, 112, 52), image, tx.smoothstep(depth, 0.25 * rind, 0.5 * rind)))


def sample(rng: Rng) -> Instance:
    """Sample a watermelon slice, lying on a flat side."""
    model = ModelBuilder()
    word = choice(rng, (*("red",) * 8, "yellow"))
    skin = finish(rng, "food", word, rgb=FLESH[word])
    sort = choice(rng, ("wedge", "wedge", "half"))
    r = rng.uniform(70, 130) if sort == "half" else rng.uniform(90, 180)
    half = np.pi / 2 if sort == "half" else np.radians(rng.uniform(16, 34))
    arc = np.linspace(-half, half, 25)
    t = np.linspace(0, 1, 9)[1:-1, None]
    edge = np.c_[np.cos(arc), np.sin(arc)]
    outline = np.concatenate([[[0, 0]], t * edge[0], edge, t[::-1] * edge[-1]]) * r
    rind, seeds = r * rng.uniform(0.05, 0.1), int(rng.integers(0, 60)) if sort == "half" else int(rng.integers(20, 160))
    flesh = skin.tints[0]
    face = cut_face(rng, flesh, outline, r, rind, seeds)
    u = tx.uv_grid(24, 160)[0]
    stripes = tx.smoothstep(tx.grid_noise(rng, u.shape, 2, 44) + 0.3 * tx.grid_noise(rng, u.shape, 8, 60), -0.2, 0.6)
    green = tx.lerp_color((46, 96, 44), np.array((132, 168, 84)) * rng.uniform(0.8, 1.1), stripes)
    place = np.abs(u - 0.5) * len(outline)
    wall = tx.lerp_color(green, np.array((226, 232, 190)), tx.smoothstep(place, 12.0, 12.2))
    wall = tx.lerp_color(
        wall, flesh * (1 + 0.05 * tx.grid_noise(rng, u.shape, 4, 40))[..., None], tx.smoothstep(place, 12.4, 13.6)
    )
    thick = rng.uniform(14, 38)
    shifted = np.add((outline * [-1, 1])[::-1], (0.6 * r, 0))
    model.prism(shifted, 0, thick, face[:, ::-1], tx.to_uint8(wall[:, ::-1]))
    features = ["without seeds" if seeds < 4 else "with dark seeds", "with a green rind"]
    return model.instance(skin, "triangular" if sort == "wedge" else "semicircular", features, colors=(word, "green"))


KIND = Kind(
    name="watermelon slice",
    synonyms=("slice of watermelon", "piece of watermelon", "watermelon"),
    hypernyms=("fruit", "food"),
    function="eating",
    description="a flat piece of juicy red fruit with small dark seeds, a pale border and a curved green rind",
    longest=(0.085, 0.27),
    sample=sample,
)
