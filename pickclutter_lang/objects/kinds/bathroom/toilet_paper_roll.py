"""Toilet paper rolls: white cylinders of paper round a cardboard tube, full or half used, standing or lying."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats, grid_surface, rotation


def sample(rng: Rng) -> Instance:
    """Sample a toilet paper roll, standing, or lying."""
    model = ModelBuilder()
    h, r, hole = rng.uniform(88, 112), rng.uniform(32, 62), rng.uniform(18, 23)
    word = choice(rng, ("white",) * 9 + ("pink", "brown"))
    rgb = {"white": ((240, 239, 235), (232, 230, 224)), "pink": ((240, 196, 202),), "brown": ((196, 164, 124),)}[word]
    skin = finish(rng, "paper", word, rgb=rgb, wear=0)
    color = skin.tints[0]
    u, v = tx.uv_grid(80, 200)
    wall = np.broadcast_to(color, (80, 200, 3)) * (1 + 0.015 * tx.grid_noise(rng, (80, 200), 3, 5))[..., None]
    quilted = rng.random() < 0.55
    if quilted:
        a, b = u * 16 + v * 7, u * 16 - v * 7
        emboss = np.maximum(np.cos(2 * np.pi * a), np.cos(2 * np.pi * b))
        wall = wall * (1 - 0.09 * tx.smoothstep(emboss, 0.75, 1.0))[..., None]
    perforation = np.minimum(np.abs(u - 0.3), np.abs(u - 0.88))
    wall = wall * (1 - 0.12 * (1 - tx.smoothstep(perforation, 0.002, 0.006)) * ((v * 40) % 1 > 0.4))[..., None]
    lying = rng.random() < 0.5
    turn = rotation("z", rng.uniform(-90, 90)) @ rotation("x", 90) if lying else rotation("z", rng.uniform(-40, 40))
    angle = np.linspace(0, 2 * np.pi, 33)
    dent = 1 + rng.uniform(0, 0.03) * np.cos(2 * angle + rng.uniform(0, 6))
    ring = np.stack([np.cos(angle), np.sin(angle)], -1) * dent[:, None]
    ring[-1] = ring[0]

    def tube(radius: float, low: float, high: float, end: float | None = None) -> Floats:
        return np.stack([np.c_[ring * radius, np.full(33, low)], np.c_[ring * (end or radius), np.full(33, high)]])

    model.surface(grid_surface(tube(r, 0, h)).transformed((0, 0, 0), turn), tx.to_uint8(wall))
    layers = np.sin(2 * np.pi * (v * (r - hole) / 2.2 + u))
    end = tx.to_uint8(color * (0.93 + 0.05 * layers + 0.02 * tx.grid_noise(rng, (80, 200), 20, 12))[..., None])
    model.surface(grid_surface(tube(r, h, h, hole)).transformed((0, 0, 0), turn), end)
    model.surface(grid_surface(tube(hole, 0, 0, r)).transformed((0, 0, 0), turn), end)
    card = tx.to_uint8(tx.pixel_noise(np.full((24, 48, 3), (158, 126, 92)) * rng.uniform(0.85, 1.15), rng, 6))
    model.surface(grid_surface(tube(hole, h, 0)).transformed((0, 0, 0), turn), card)
    for k in range(8):
        a = np.linspace(k, k + 1, 3) * np.pi / 4
        points = [(q * np.cos(t), q * np.sin(t), z) for t in a for q in (hole, r * 1.01) for z in (0, h)]
        model.hull(points, turn=turn)
    loose = rng.random() < 0.45
    if loose:
        start, reach = rng.uniform(-20, 40), rng.uniform(15, 50)
        at = np.radians(start)
        out, along = np.array([np.cos(at), np.sin(at)]), np.array([-np.sin(at), np.cos(at)])
        f = np.linspace(0, 1, 6)[:, None]
        path = out * (r + 0.6) + reach * f * along + 8 * f**2 * out
        left = path + 0.7 * out
        model.plate(path, left, 0, h, skin.image(h, reach, 48), pieces=2, turn=turn)
    features = ["with a loose sheet" if loose else "", "lying" if lying else "standing", "quilted" if quilted else ""]
    features += ["almost used up" if r < 38 else "with a cardboard tube"]
    return model.instance(skin, "cylindrical", features, density=150)


KIND = Kind(
    name="toilet paper roll",
    synonyms=("toilet paper", "toilet roll", "roll of toilet paper", "bathroom tissue"),
    hypernyms=("bathroom item", "household item"),
    function="cleaning oneself",
    description="a short thick cylinder of soft white paper wound around a hollow cardboard tube",
    longest=(0.085, 0.165),
    sample=sample,
)
