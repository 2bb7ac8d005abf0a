"""Procedural models for balls, dice, Rubik's cube, sponge and wood block."""

from __future__ import annotations

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, TextureImage, box_corners, extreme_points
from pickclutter_lang.objects.procedural.surfaces import Floats, Surface, box_faces, sphere


def _round(colors: Floats) -> ModelGeometry:
    model = ModelGeometry()
    model.add(sphere(1.0, 23, 44), tx.to_uint8(colors))
    model.add_hulls(extreme_points(sphere(1.0, 10, 12)))
    return model


def tennis_ball() -> ModelGeometry:
    """Yellow-green felt with the one closed, twice bent seam."""
    rng = np.random.default_rng(56)
    directions = tx.sphere_directions(192, 384)
    t = np.linspace(0, 2 * np.pi, 600, endpoint=False)
    a = 0.44  # the curve of the seam: a cos t + (1 - a) cos 3t, and so on
    seam = np.stack([a * np.sin(t) + (1 - a) * np.sin(3 * t) * 0.6, a * np.cos(t) - (1 - a) * np.cos(3 * t) * 0.6], -1)
    seam = np.c_[seam, np.cos(2 * t) * 0.78]
    seam /= np.linalg.norm(seam, axis=1, keepdims=True)
    near = _nearest(directions, seam)
    color = tx.lerp_color(
        (186, 214, 34), (160, 192, 20), tx.smoothstep(tx.wave_noise(directions, rng, 110.0, 40), -0.8, 2.4)
    )
    color = tx.lerp_color((232, 236, 222), color, tx.smoothstep(near, 0.055, 0.085))
    return _round(tx.pixel_noise(color, rng, 5.0))


def _nearest(directions: Floats, curve: Floats) -> Floats:
    """Return how far each direction [H, W, 3] is from a curve [N, 3] of directions (radians)."""
    closest = np.full(directions.shape[:2], -1.0)
    for block in np.array_split(curve, 8):
        closest = np.maximum(closest, (directions @ block.T).max(axis=-1))
    return np.asarray(np.arccos(np.clip(closest, -1, 1)))


def _spread(count: int) -> Floats:
    """Return evenly spread directions [N, 3] (a Fibonacci lattice)."""
    n = np.arange(count) + 0.5
    z = 1 - 2 * n / count
    lon = np.pi * (1 + 5**0.5) * n
    return np.stack([np.sqrt(1 - z * z) * np.cos(lon), np.sqrt(1 - z * z) * np.sin(lon), z], -1)


def golf_ball() -> ModelGeometry:
    """White, covered with dimples that are shaded on the texture."""
    directions = tx.sphere_directions(240, 480)
    dimples = _spread(250)
    offset = np.zeros(directions.shape)
    closest = np.full(directions.shape[:2], -1.0)
    for block in np.array_split(dimples, 10):
        product = directions @ block.T
        best = product.max(axis=-1)
        nearer = best > closest
        offset[nearer] = directions[nearer] - block[product.argmax(axis=-1)[nearer]]
        closest = np.maximum(closest, best)
    angle = np.arccos(np.clip(closest, -1, 1)) / 0.098
    inside = 1 - tx.smoothstep(angle, 0.8, 1.0)
    slope = (offset @ np.array([0.4, 0.3, -0.85])) / 0.098
    shade = 226 + inside * (-26 * slope - 22) + 8 * (1 - inside)
    return _round(np.repeat(shade[..., None], 3, axis=-1) * [0.99, 1.0, 1.0])


def mini_soccer_ball() -> ModelGeometry:
    """White with wavy purple bands that are edged in black, and faint seams."""
    directions = tx.sphere_directions(256, 512)
    lon, lat = np.arctan2(directions[..., 1], directions[..., 0]), np.arcsin(np.clip(directions[..., 2], -1, 1))
    color = np.full((*directions.shape[:2], 3), 232.0)
    centers = _soccer_centers()
    ranked = np.sort(directions @ centers.T, axis=-1)
    color = tx.lerp_color(color, (150, 150, 152), 1 - tx.smoothstep(ranked[..., -1] - ranked[..., -2], 0.004, 0.011))
    dots = np.cos(lon * 46) * np.cos(lat * 46)
    for tilt in (0.0, 1.0):
        wave = 0.42 * np.sin(2 * lon + 2.1 * tilt) + (0.62 if tilt else -0.55)
        distance = np.abs(lat - wave) / np.sqrt(1 + (0.84 * np.cos(2 * lon + 2.1 * tilt)) ** 2)
        color = tx.lerp_color(color, (20, 18, 24), 1 - tx.smoothstep(distance, 0.2, 0.22))
        color = tx.lerp_color(color, (240, 240, 240), 1 - tx.smoothstep(distance, 0.16, 0.175))
        purple = tx.lerp_color((130, 74, 178), (104, 50, 150), tx.smoothstep(dots, -0.1, 0.1))
        color = tx.lerp_color(color, purple, 1 - tx.smoothstep(distance, 0.14, 0.155))
    return _round(color)


def _soccer_centers() -> Floats:
    """Return the centers of the 12 pentagons and 20 hexagons of a football."""
    g = (1 + 5**0.5) / 2
    corners = [(0, s, t * g) for s in (-1, 1) for t in (-1, 1)]
    pent = np.array([np.roll(c, n) for n in range(3) for c in corners])
    cube = [(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
    hexa = np.array(cube + [tuple(np.roll((0, s / g, t * g), n)) for n in range(3) for s in (-1, 1) for t in (-1, 1)])
    pent, hexa = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (pent, hexa[:, [1, 0, 2]]))
    return np.concatenate([pent, hexa])


_PIPS = {
    1: [(0, 0)],
    2: [(-1, -1), (1, 1)],
    3: [(-1, -1), (0, 0), (1, 1)],
    4: [(-1, -1), (-1, 1), (1, -1), (1, 1)],
    5: [(-1, -1), (-1, 1), (0, 0), (1, -1), (1, 1)],
    6: [(-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1)],
}
DICE_SIDES = {"top": 1, "bottom": 6, "front": 2, "back": 5, "right": 3, "left": 4}
"""The number on each side; opposite sides sum to 7."""


def dice() -> ModelGeometry:
    """White with rounded corners and black pips, opposite sides summing to 7."""
    model = ModelGeometry()
    for name, surface in box_faces((17, 17, 17), 2.6, 3).items():
        model.add(surface, _pips(DICE_SIDES[name]))
    model.add_hulls(np.concatenate([box_corners(-h, h) for h in np.array([(8.5, 7, 7), (7, 8.5, 7), (7, 7, 8.5)])]))
    return model


def _pips(count: int) -> TextureImage:
    def color(u: Floats, v: Floats) -> Floats:
        dark = np.zeros(u.shape)
        for x, y in _PIPS[count]:
            distance = np.hypot(u - 0.5 - 0.25 * x, v - 0.5 - 0.25 * y)
            dark = np.maximum(dark, 1 - tx.smoothstep(distance, 0.085, 0.105))
        return tx.lerp_color((236, 234, 228), (16, 16, 18), dark)

    return tx.render_texture(96, 96, color)


RUBIK = {
    "top": (190, 18, 30),
    "bottom": (226, 100, 14),
    "front": (234, 234, 228),
    "back": (232, 190, 20),
    "right": (14, 130, 66),
    "left": (22, 76, 176),
}


def rubiks_cube() -> ModelGeometry:
    """Each side is a grid of nine stickers of one color on black, solved."""
    model = ModelGeometry()
    for name, surface in box_faces((58, 58, 58), 2.0, 2).items():
        model.add(surface, _stickers(RUBIK[name]))
    model.add_hulls(box_corners((-29, -29, -29), (29, 29, 29)))
    return model


def _stickers(color: tuple[int, int, int]) -> TextureImage:
    def face(u: Floats, v: Floats) -> Floats:
        x, y = (np.abs((3 * a) % 1 - 0.5) for a in (u, v))
        bevel = np.maximum(x, y) + 0.35 * np.maximum(x + y - 0.78, 0)
        lit = tx.lerp_color(color, np.multiply(color, 0.82), tx.smoothstep(bevel, 0.3, 0.43))
        return tx.lerp_color(lit, (14, 14, 16), tx.smoothstep(bevel, 0.425, 0.445))

    return tx.render_texture(120, 120, face)


def sponge() -> ModelGeometry:
    """Lies flat: a pale yellow-green cushion in a net, with white seams at both ends."""
    rng = np.random.default_rng(26)
    size = np.array([78.9, 112.2, 18.5])

    def cushion(points: Floats) -> Floats:
        x, y = np.abs(points[:, 0]) / (size[0] / 2), np.abs(points[:, 1]) / (size[1] / 2)
        thin = 1 - 0.72 * tx.smoothstep(y, 0.84, 1.0)
        puff = (0.72 + 0.28 * np.sqrt(np.clip(1 - x**4, 0, 1)) * np.sqrt(np.clip(1 - y**6, 0, 1))) * thin
        wave = 1 + 0.012 * np.sin(points[:, 1] * 0.9) * x
        return np.stack([points[:, 0] * wave, points[:, 1], points[:, 2] * puff], -1)

    model = ModelGeometry()
    for name, surface in box_faces(size, 4.0, 2, 8).items():
        flat = name in ("top", "bottom")
        model.add(surface.deformed(cushion), _net(rng, (216, 152) if flat else (28, 152), name in ("front", "back")))
    for low, high in ((-56, -46), (-46, 46), (46, 56)):
        thickness = 9.0 if high - low > 50 else 3.5
        model.add_hulls(box_corners((-38, low, -thickness), (38, high, thickness)))
    return model


def _net(rng: np.random.Generator, shape: tuple[int, int], end: bool) -> TextureImage:
    u, v = tx.uv_grid(*shape)
    rows, cols = (40.0, 28.0) if shape[0] > 100 else (5.0, 40.0)
    knot = np.abs(np.sin(np.pi * (v * rows + 0.5 * np.floor(u * cols)))) * np.abs(np.sin(np.pi * u * cols))
    color = tx.lerp_color((190, 194, 116), (224, 228, 158), tx.smoothstep(knot, 0.05, 0.6))
    seam = (
        np.ones(u.shape) if end else tx.smoothstep(np.abs(v - 0.5) if shape[0] > 100 else np.abs(u - 0.5), 0.435, 0.455)
    )
    color = tx.lerp_color(color, (228, 232, 226), seam)
    return speckle(color, rng)


def speckle(color: Floats, rng: np.random.Generator) -> TextureImage:
    """Round to an image with a little grain."""
    return tx.to_uint8(tx.pixel_noise(color, rng, 4.0))


def wood_block() -> ModelGeometry:
    """Stands upright: a pale brown beam with grain along z, and year rings on its ends."""
    size = np.array([92.6, 91.4, 205.8])
    model = ModelGeometry()
    for surface in box_faces(size, 2.0, 1).values():
        model.add(surface, wood_grain(surface, size, 36))
    model.add_hulls(box_corners(-size / 2, size / 2))
    return model


def wood_grain(surface: Surface, size: Floats, seed: int) -> TextureImage:
    """Return pale wood for a side of a box (millimeters) whose grain runs along z, cut from one solid trunk."""
    low, high = surface.points.min(axis=0), surface.points.max(axis=0)
    across = surface.points[surface.uv[:, 0] == 1].mean(axis=0) - surface.points[surface.uv[:, 0] == 0].mean(axis=0)
    along = surface.points[surface.uv[:, 1] == 1].mean(axis=0) - surface.points[surface.uv[:, 1] == 0].mean(axis=0)
    height, width = (max(16, round(float(np.linalg.norm(a)) * 1.1)) for a in (along, across))
    u, v = tx.uv_grid(height, width)
    points = (low + high) / 2 + (u - 0.5)[..., None] * across + (v - 0.5)[..., None] * along
    return tx.wood(points / 1000, np.random.default_rng(seed), (218, 176, 126), (178, 126, 78), 110.0)
