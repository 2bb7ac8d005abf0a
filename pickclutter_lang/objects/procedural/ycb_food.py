"""Procedural models for the fruit: banana, strawberry, apple, lemon, peach, pear, orange."""

from __future__ import annotations

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, extreme_points, loft_hulls, sweep_hulls
from pickclutter_lang.objects.procedural.surfaces import (
    Floats,
    Surface,
    grid_surface,
    join,
    resample_curve,
    revolve,
    rotation,
    sphere,
    sweep,
)

BROWN = (82, 58, 30)


def banana() -> ModelGeometry:
    """Lies flat and bends in the plane of the ground, stem at +y."""
    rng = np.random.default_rng(11)
    spine = [(36, -99), (24, -88), (8, -66), (-4, -38), (-9, -6), (-7, 26), (2, 56), (16, 78), (26, 88), (32, 99)]
    path = np.c_[resample_curve(spine, 30), np.zeros(30)]
    thickness = resample_curve(
        [(4.5,), (10.5,), (16.4,), (18.0,), (18.3,), (18.3,), (17.6,), (14.0,), (5.0,), (4.4,)], 30
    )[:, 0]
    u, v = tx.uv_grid(192, 128)
    ridges = tx.smoothstep(np.abs((u * 5 + 0.25) % 1 - 0.5), 0.0, 0.09)
    color = tx.lerp_color((196, 150, 20), (238, 194, 34), ridges)
    color = tx.lerp_color(color, (110, 150, 45), tx.smoothstep(v, 0.8, 0.93))
    color = tx.lerp_color(color, BROWN, np.maximum(tx.smoothstep(v, 0.955, 0.985), tx.smoothstep(-v, -0.075, -0.02)))
    place = np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u), 9 * v], -1)
    spots = (
        tx.smoothstep(tx.wave_noise(place, rng, 7.0), 1.7, 2.2)
        * tx.smoothstep(v, 0.1, 0.2)
        * tx.smoothstep(-v, -0.85, -0.75)
    )
    model = ModelGeometry()
    model.add(sweep(path, thickness, power=2.3), tx.to_uint8(tx.lerp_color(color, BROWN, 0.6 * spots)))
    model.add_hulls(*sweep_hulls(path[::4], thickness[::4]), *sweep_hulls(path[-3:], thickness[-3:]))
    return model


def _berry_profile() -> Floats:
    return resample_curve([(0, -25), (6, -23), (13, -14), (18.5, -2), (21.5, 9), (19.5, 17), (12, 20.5), (0, 21)], 22)


def strawberry() -> ModelGeometry:
    """Lies on its side, cap towards (-x, -y)."""
    profile = _berry_profile()
    u, v = tx.uv_grid(192, 256)
    rows = v * 17
    offset = (np.floor(rows) % 2) / 2
    across = ((u * 18 + offset) % 1 - 0.5) * 18
    along = (rows % 1 - 0.5) * 17
    seed = np.hypot(across * np.clip(np.interp(v, [0, 0.3, 1], [0.25, 1, 1]), 0.2, 1) / 1.8, along / 3.8)
    color = tx.lerp_color((190, 18, 30), (140, 6, 18), tx.smoothstep(-seed, -1.5, -0.8))
    color = tx.lerp_color(color, (242, 208, 104), tx.smoothstep(-seed, -0.95, -0.75))
    color = tx.lerp_color(color, (226, 112, 84), 0.6 * tx.smoothstep(v, 0.86, 0.97))
    flesh = revolve([(r, z) for r, z in profile], 32)
    parts = ModelGeometry()
    parts.add(flesh, tx.to_uint8(color))
    parts.add(_leaves(profile), tx.render_texture(16, 16, lambda u, v: tx.lerp_color((74, 152, 56), (38, 104, 34), v)))
    stem = sweep([(0, 0, 20), (0.4, 0, 23), (1, 0.3, 25)], [2.0, 1.5, 1.6], up=(0, 1, 0), segments=8)
    parts.add(stem, tx.plain((96, 168, 70)))
    parts.add_hulls(extreme_points(join([flesh, stem])))
    turn = rotation("z", 35) @ rotation("y", -80)
    return _turned(parts, turn)


def _leaves(profile: Floats) -> Surface:
    """Return nine pointed leaves that lie on the shoulder of a berry."""
    upper = profile[np.argmax(profile[:, 0]) :][::-1]
    angle = np.linspace(0, 2 * np.pi, 73)
    point = np.abs((angle * 9 / (2 * np.pi)) % 1 - 0.5) * 2
    reach = 7 + 13 * point**1.2
    fraction = np.linspace(0, 1, 7)[:, None]
    along = (1 - fraction) * reach[None]
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(upper, axis=0), axis=1))])
    radius = np.interp(along, arc, upper[:, 0]) + 0.3
    height = np.interp(along, arc, upper[:, 1]) + 0.6 + 0.7 * (1 - fraction) ** 3 * point[None]
    radius[-1] = 0
    return grid_surface(np.stack([radius * np.cos(angle), radius * np.sin(angle), height], -1))


def _turned(model: ModelGeometry, turn: Floats) -> ModelGeometry:
    turned = ModelGeometry()
    for part in model.parts:
        turned.add(part.surface.transformed(rotation_matrix=turn), part.image)
    turned.add_hulls(*(hull @ turn.T for hull in model.hulls))
    return turned


def apple() -> ModelGeometry:
    """Stands upright, with a dimple, a stem and five soft lobes below."""
    rng = np.random.default_rng(13)
    outline = [
        (0, -29),
        (6, -31),
        (14, -35),
        (24, -31),
        (33, -16),
        (37.5, 4),
        (35, 21),
        (26, 33),
        (15, 35.5),
        (7, 31),
        (0, 24),
    ]
    profile = resample_curve(outline, 30)
    skin = revolve([(max(r, 0), z) for r, z in profile], 40)

    def lobes(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        low = np.clip(-points[:, 2] / 35, 0, 1)[:, None]
        return np.asarray(points + 1.8 * np.cos(5 * angle)[:, None] * low * [0, 0, 1])

    u, v = tx.uv_grid(192, 256)
    place = np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u), 0.25 * v], -1)
    streaks = tx.smoothstep(tx.wave_noise(place, rng, 22.0), -0.4, 2.2)
    color = tx.lerp_color((176, 12, 26), (206, 52, 48), 0.45 * streaks)
    top = tx.smoothstep(v, 0.8, 0.94) * (0.75 + 0.25 * tx.wave_noise(place, rng, 14.0))
    color = tx.lerp_color(color, (200, 152, 70), np.clip(top, 0, 1))
    bottom = tx.smoothstep(-v, -0.07, -0.01)
    model = ModelGeometry()
    skin = skin.deformed(lobes)
    model.add(skin, tx.to_uint8(tx.lerp_color(color, (110, 80, 40), bottom)))
    stem = sweep([(0, 0, 22), (1, 0.5, 29), (3, 1.5, 35.8)], [1.5, 1.3, 1.9], up=(0, 1, 0), segments=8)
    model.add(stem, tx.plain((74, 52, 28)))
    model.add_hulls(extreme_points(skin))
    return model


def lemon() -> ModelGeometry:
    """Lies on its side; one tip points to (-x, -y), the other to (+x, +y)."""
    rng = np.random.default_rng(14)
    outline = [
        (0, -40),
        (4.5, -38.5),
        (7.5, -33),
        (16, -26),
        (25, -13),
        (27, 0),
        (25, 13),
        (16, 24),
        (8, 29.5),
        (5, 33),
        (0, 34),
    ]
    profile = [(max(r, 0), z) for r, z in resample_curve(outline, 26)]
    color = _peel(rng, (236, 196, 22), (206, 160, 8), 13.0)
    _, v = tx.uv_grid(*color.shape[:2])
    color = tx.lerp_color(color, (150, 150, 40), 0.7 * tx.smoothstep(v, 0.95, 1.0))
    skin = revolve(profile, 32, around=False)
    model = ModelGeometry()
    model.add(skin, tx.to_uint8(color))
    model.add_hulls(extreme_points(skin))
    return _turned(model, rotation("z", 45) @ rotation("y", -90))


def _peel(rng: np.random.Generator, color: tuple[int, ...], pit: tuple[int, ...], frequency: float) -> Floats:
    """Return the colors [192, 384, 3] of a skin with fine pits."""
    directions = tx.sphere_directions(192, 384)
    pits = tx.smoothstep(tx.wave_noise(directions, rng, frequency * 5, 40), 0.3, 1.8)
    tone = tx.wave_noise(directions, rng, 2.0)
    return tx.lerp_color(color, pit, 0.45 * pits) + 5 * tone[..., None]


def peach() -> ModelGeometry:
    """Stands upright; a groove runs down one side from the dimple at the top."""
    rng = np.random.default_rng(15)

    def radius(directions: Floats) -> Floats:
        lon = np.arctan2(directions[..., 1], directions[..., 0]) - 0.9
        lon = np.abs((lon + np.pi) % (2 * np.pi) - np.pi)
        groove = (
            np.exp(-((lon / 0.2) ** 2)) * np.clip(np.sqrt(1 - np.clip(directions[..., 2], -1, 1) ** 2), 0, 1) ** 0.5
        )
        groove *= tx.smoothstep(directions[..., 2], -0.85, 0.0)
        dimple = np.exp(-((1 - directions[..., 2]) / 0.07))
        point = np.exp(-((1 + directions[..., 2]) / 0.02))
        return np.asarray(31 * (1 - 0.075 * groove - 0.22 * dimple + 0.04 * point))

    directions = tx.sphere_directions(160, 320)
    blush = directions @ np.array([-0.5, 0.75, 0.42]) + 0.22 * tx.wave_noise(directions, rng, 3.0)
    color = tx.lerp_color((232, 164, 48), (205, 88, 40), tx.smoothstep(blush, -0.45, 0.35))
    color = tx.lerp_color(color, (140, 26, 34), tx.smoothstep(blush, 0.15, 0.85))
    lon = np.abs((np.arctan2(directions[..., 1], directions[..., 0]) - 0.9 + np.pi) % (2 * np.pi) - np.pi)
    line = tx.smoothstep(-lon * np.sqrt(1 - directions[..., 2] ** 2), -0.06, 0.0) * tx.smoothstep(
        directions[..., 2], -0.8, 0.0
    )
    color = tx.lerp_color(color, (122, 44, 24), 0.8 * np.maximum(line, tx.smoothstep(directions[..., 2], 0.965, 0.99)))
    skin = sphere(radius, 25, 48)
    model = ModelGeometry()
    model.add(skin, tx.to_uint8(tx.pixel_noise(color, rng, 3.0)))
    model.add_hulls(extreme_points(skin))
    return model


def pear() -> ModelGeometry:
    """Lies on its side, neck and stem at +y."""
    rng = np.random.default_rng(16)
    outline = [
        (0, -42),
        (8, -44),
        (22, -41),
        (31.5, -28),
        (33.5, -10),
        (30, 8),
        (22, 24),
        (17, 36),
        (12, 45),
        (4, 49),
        (0, 48),
    ]
    profile = [(max(r, 0), z) for r, z in resample_curve(outline, 28)]
    u, v = tx.uv_grid(160, 192)
    place = np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u), 3 * v], -1)
    color = tx.lerp_color((126, 154, 30), (168, 178, 44), tx.smoothstep(tx.wave_noise(place, rng, 2.0), -1.0, 1.5))
    freckles = tx.smoothstep(tx.wave_noise(place, rng, 45.0, 40), 1.9, 2.5)
    color = tx.lerp_color(color, (96, 98, 28), 0.6 * freckles)
    color = tx.lerp_color(
        color, BROWN, 0.7 * np.maximum(tx.smoothstep(-v, -0.05, -0.01), tx.smoothstep(v, 0.965, 0.99))
    )
    model = ModelGeometry()
    model.add(revolve(profile, 32), tx.to_uint8(color))
    stem = sweep([(0, 0, 46), (1, 0, 52), (3, 0.5, 57)], [1.7, 1.5, 2.0], up=(0, 1, 0), segments=8)
    model.add(stem, tx.plain((88, 62, 32)))
    model.add_hulls(extreme_points(stem))
    model.add_hulls(*loft_hulls([(max(r, 1), max(r, 1), z) for r, z in profile[2::5]], 12))
    return _turned(model, rotation("x", -90))


def orange() -> ModelGeometry:
    """Stands upright; a small green button at the top, pitted skin."""
    rng = np.random.default_rng(17)
    color = _peel(rng, (226, 92, 14), (186, 62, 4), 20.0)
    directions = tx.sphere_directions(*color.shape[:2])
    star = directions[..., 2] + 0.006 * np.cos(5 * np.arctan2(directions[..., 1], directions[..., 0]))
    color = tx.lerp_color(color, (92, 98, 34), tx.smoothstep(star, 0.982, 0.988))
    color = tx.lerp_color(color, (120, 60, 10), 0.8 * tx.smoothstep(-directions[..., 2], 0.994, 0.998))

    def radius(directions: Floats) -> Floats:
        return np.asarray(
            36 * (1 - 0.05 * np.exp(-((1 - directions[..., 2]) / 0.03)) - 0.02 * np.abs(directions[..., 2]) ** 3)
        )

    skin = sphere(radius, 25, 40)
    model = ModelGeometry()
    model.add(skin, tx.to_uint8(color))
    model.add_hulls(extreme_points(skin))
    return model
