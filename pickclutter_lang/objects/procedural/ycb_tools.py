"""Procedural models for power drill, scissors, Phillips screwdriver and hammer, lying flat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, TextureImage, box_corners, sweep_hulls
from pickclutter_lang.objects.procedural.surfaces import (
    Floats,
    Surface,
    box_faces,
    grid_surface,
    resample_curve,
    revolve,
    rotation,
    slab,
    sweep,
)
from pickclutter_lang.objects.procedural.ycb_cutlery import STEEL

BLACK = tx.plain((30, 30, 32))
ORANGE = (224, 72, 18)


def _lying(
    profile: Sequence[tuple[float, float]], segments: int, shift: tuple[float, float, float], away: int = -1
) -> Surface:
    """Return a lathe whose axis is x, its top towards -x (`away` = -1) or +x."""
    return revolve(profile, segments).transformed(shift, rotation("y", 90 * away))


def power_drill() -> ModelGeometry:
    """Chuck towards -x; the grip runs from the motor to the battery foot at -y."""
    model = ModelGeometry()
    motor = [(0, -36), (20, -36), (26, -30), (28, -20), (28.5, 20), (28, 44)]
    model.add(_lying(motor, 32, (40, 60, 0)), _drill_label())
    band = [(28.6, 40), (28.7, 44), (28.7, 62), (27, 66), (26, 66)]
    model.add(_lying(band, 32, (40, 60, 0)), BLACK)
    ring = [(26, 64), (27, 66), (27, 72), (25, 74)]
    model.add(_lying(ring, 32, (40, 60, 0)), tx.plain(ORANGE))
    chuck = [(25, 72), (25.5, 76), (24, 92), (22, 96), (21, 108), (15, 122), (9, 126), (8.5, 120), (0, 120)]
    model.add(_lying(chuck, 32, (40, 60, 0)), _ribs((26, 26, 28), (58, 58, 60), 20))
    grip = resample_curve([(34, 42), (26, 20), (22, 0), (24, -30), (28, -72)], 16)
    path = np.c_[grip, np.zeros(16)]
    wide = np.interp(np.linspace(0, 1, 16), [0, 0.25, 0.6, 1], [26, 20, 17, 21])
    high = np.interp(np.linspace(0, 1, 16), [0, 0.3, 0.7, 1], [21, 17, 15.5, 17])
    model.add(sweep(path, wide, high, 2.6, 24), _grip())
    model.add(sweep([(0, 26, 0), (-3, 18, 0), (-1, 6, 0)], [7, 8, 6], [8, 8, 7], 2.6, 14), BLACK)
    for name, face in box_faces((92, 34, 56), 6.0, 2).items():
        model.add(face.transformed((34, -86, 0)), _battery(name))
    low = box_faces((84, 12, 50), 4.0, 1)
    for face in low.values():
        model.add(face.transformed((34, -66, 0)), BLACK)
    model.add_hulls(*_drill_solids(path, wide, high))
    return model


def _drill_solids(path: Floats, wide: Floats, high: Floats) -> list[Floats]:
    def round_solid(stations: list[tuple[float, float]]) -> Floats:
        return revolve(stations, 14).transformed((40, 60, 0), rotation("y", -90)).points

    return [
        round_solid([(20, -36), (28.5, -20), (28.5, 62), (26, 70)]),
        round_solid([(26, 70), (25, 76), (22, 96)]),
        round_solid([(22, 96), (21, 108), (9, 126)]),
        *sweep_hulls(path[::3], wide[::3], high[::3]),
        box_corners((-12, -103, -28), (80, -69, 28)),
        box_corners((-8, -72, -25), (76, -60, 25)),
        box_corners((-10, 6, -7), (10, 28, 7)),
    ]


def _ribs(dark: tuple[int, ...], light: tuple[int, ...], count: int) -> TextureImage:
    return tx.render_texture(
        64, 160, lambda u, v: tx.lerp_color(dark, light, tx.smoothstep(np.abs((u * count) % 1 - 0.5), 0.2, 0.4))
    )


def _drill_label() -> TextureImage:
    image, draw = tx.canvas((256, 128), ORANGE)
    for x in (64, 192):
        draw.rounded_rectangle([x - 36, 30, x + 36, 80], 8, fill=(28, 28, 30))
        tx.draw_text(image, "DRILL", (x, 47), 18, ORANGE)
        tx.draw_text(image, "18 V", (x, 66), 16, ORANGE)
        for n in range(4):
            draw.rounded_rectangle([x - 30 + 16 * n, 92, x - 22 + 16 * n, 112], 3, fill=(60, 24, 12))
    return np.asarray(image)


def _grip() -> TextureImage:
    """Black rubber in front (u = 1/2 is -x), orange behind."""

    def color(u: Floats, v: Floats) -> Floats:
        rubber = tx.lerp_color((30, 30, 32), (44, 44, 46), tx.smoothstep(np.sin(v * 70), 0.4, 0.9))
        side = np.abs((u + 0.5) % 1 - 0.5) + 0.03 * np.sin(v * 9)
        return tx.lerp_color(ORANGE, rubber, tx.smoothstep(side, 0.22, 0.235))

    return tx.render_texture(128, 96, color)


def _battery(name: str) -> TextureImage:
    if name not in ("top", "bottom", "front"):
        return tx.plain(ORANGE)
    image, draw = tx.canvas((112, 48), ORANGE)
    draw.rounded_rectangle([20, 10, 92, 38], 5, fill=(28, 28, 30))
    tx.draw_text(image, "LITHIUM", (56, 24), 15, ORANGE)
    return np.asarray(image)


def scissors() -> ModelGeometry:
    """Two loops at -y, two blades at +y, crossed at the pivot and a little open."""
    model = ModelGeometry()
    for side in (1, -1):
        _half_scissors(model, side)
    pivot = [(0, 7.9), (5.5, 7.9), (5.5, -7.9), (0, -7.9)][::-1]
    screw = revolve(pivot, 16).transformed((0, 6, 0))
    model.add(screw, STEEL)
    model.add_hulls(screw.points)
    return model


def _half_scissors(model: ModelGeometry, side: int) -> None:
    """Add one half: its blade goes to one side of the axis and its loop to the other; `side` also lifts it."""
    open_by = rotation("z", 5.5 * side)
    lift = 1.6 * side
    y = np.linspace(-4, 100, 12)
    inner = np.interp(y, [-4, 4, 100], [-6.0, -6.5, -1.0])
    outer = np.interp(y, [-4, 10, 60, 100], [7.0, 8.0, 5.0, 0.6])
    blade = slab(
        np.c_[inner * side, y] if side > 0 else np.c_[outer * side, y],
        np.c_[outer * side, y] if side > 0 else np.c_[inner * side, y],
        lift - 1.4,
        lift + 1.4,
        3,
    )
    model.add(blade.transformed((0, 6, 0), open_by), STEEL_DARK)
    for a, b in ((0, 3), (3, 7), (7, 11)):
        corners = np.array(
            [(s[n] * side, y[n], z) for n in (a, b) for s in (inner, outer) for z in (lift - 1.5, lift + 1.5)]
        )
        model.add_hulls(corners @ open_by.T + [0, 6, 0])
    arm = np.c_[
        resample_curve([(4 * side, 6), (-1 * side, -14), (-10 * side, -32), (-18 * side, -44)], 10), np.zeros(10)
    ]
    model.add(sweep(arm, np.linspace(8.5, 6.5, 10), np.linspace(5.5, 6.5, 10), 2.6, 14), GRAY_PLASTIC)
    model.add_hulls(*sweep_hulls(arm[::3], 7.0, 6.0))
    radius = (15.0, 25.0) if side > 0 else (13.5, 19.0)
    t = np.linspace(0, 2 * np.pi, 29)
    t[-1] = 0
    center = np.array([-24.0 * side, -43.0 - radius[1] * 0.72])
    tilt = rotation("z", -14 * side)[:2, :2]
    flat = np.stack([radius[0] * np.cos(t), radius[1] * np.sin(t)], -1) @ tilt.T + center
    loop = np.c_[flat, np.zeros(29)]
    model.add(sweep(loop, 5.0, 6.6, 2.6, 14, closed=True), _loop_colors())
    for n in range(0, 28, 4):
        model.add_hulls(np.concatenate(sweep_hulls(loop[[n, n + 2, n + 4]], 5.0, 6.4)))


def _loop_colors() -> TextureImage:
    """Gray outside, orange on the inside of the loop (u = 0 lies on the left of the path, towards the center)."""
    return tx.render_texture(
        16, 64, lambda u, v: tx.lerp_color((96, 108, 118), (226, 148, 42), tx.smoothstep(np.abs(u - 0.5), 0.26, 0.3))
    )


GRAY_PLASTIC = tx.plain((92, 104, 114))
STEEL_DARK = tx.render_texture(
    64, 16, lambda u, v: tx.lerp_color((84, 86, 84), (120, 122, 118), tx.smoothstep(np.sin(6 * u + 2 * v), -1, 1))
)


def screwdriver() -> ModelGeometry:
    """Grip at -x with a blue end, thin shaft and cross tip towards +x."""
    model = ModelGeometry()
    grip = [(17.4, 0), (17.6, 18), (17.6, 34), (14.5, 50), (13.2, 66), (15, 80), (15.5, 88), (12, 94), (7, 98), (0, 98)]
    smooth_grip = resample_curve(grip, 36)
    points = [(0, -16), (9, -14.5), (14.5, -10), (17, -4), *[(max(r, 0), z) for r, z in smooth_grip]]
    turn = rotation("y", 90)
    model.add(revolve(points, 32).transformed((-92, 0, 0), turn), _screwdriver_grip())
    shaft = [(5.5, 0), (5.5, 12), (3.3, 13), (3.3, 80), (3.3, 97)]
    model.add(revolve(shaft, 16).transformed((4, 0, 0), turn), tx.plain((150, 152, 156)))
    angle = np.linspace(0, 2 * np.pi, 17)
    cross = np.where(np.arange(17) % 4 == 0, 1.0, 0.5)
    rows = []
    for radius, x in ((3.3, 101), (3.3, 105), (2.6, 110), (0.7, 115)):
        reach = radius * (cross if x > 104 else 1.0)
        rows.append(np.stack([np.full(17, x), np.cos(angle) * reach, np.sin(angle) * reach], -1))
    rows.append(np.tile([115.5, 0, 0], (17, 1)))
    model.add(grid_surface(np.array(rows)), tx.plain((40, 40, 42)))
    stations = [(-107, 10), (-96, 17.5), (-58, 17.6), (-42, 14.5), (-26, 13.2), (-4, 15.5), (4, 8)]
    for (a, r), (b, s) in pairwise(stations):
        model.add_hulls(revolve([(r, a), (s, b)], 12).transformed(rotation_matrix=turn).points)
    model.add_hulls(
        revolve([(5, 4), (5, 16)], 10).transformed(rotation_matrix=turn).points,
        revolve([(3.3, 16), (3.3, 105), (0.7, 115)], 10).transformed(rotation_matrix=turn).points,
    )
    return model


def _screwdriver_grip() -> TextureImage:
    def color(u: Floats, v: Floats) -> Floats:
        ridges = tx.smoothstep(np.abs((u * 8) % 1 - 0.5), 0.3, 0.45)
        black = tx.lerp_color((24, 24, 26), (64, 64, 68), ridges * (v > 0.22) * (v < 0.9))
        gray = tx.lerp_color((74, 76, 80), (48, 48, 52), tx.smoothstep(np.sin(u * 150) * np.sin(v * 120), -0.1, 0.1))
        black = tx.lerp_color(gray, black, tx.smoothstep(v, 0.47, 0.48))
        blue = tx.smoothstep(-v, -0.24, -0.23) + tx.smoothstep(v, 0.9, 0.91)
        return tx.lerp_color(black, (30, 56, 176), np.clip(blue, 0, 1))

    return tx.render_texture(160, 128, color)


def hammer() -> ModelGeometry:
    """Head at -y: face towards -x, claw bent towards +x; the wooden handle runs to +y."""
    model = ModelGeometry()
    y = np.linspace(-150, 167, 20)
    wide = np.interp(y, [-150, -120, -60, 40, 110, 160, 167], [9, 10, 10.5, 13, 15.5, 15, 12])
    high = np.interp(y, [-150, -120, -60, 40, 110, 160, 167], [7, 8, 8.5, 10, 12, 12, 9])
    path = np.c_[np.zeros(20), y, np.zeros(20)]
    model.add(sweep(path, wide, high, 2.5, 20), _handle_wood())
    model.add_hulls(*sweep_hulls(path[[0, 5, 12, 19]], wide[[0, 5, 12, 19]], high[[0, 5, 12, 19]]))
    face = [(0, 60), (15, 60), (16.3, 58), (16.3, 46), (13, 40), (11, 34), (11.5, 22), (14, 10), (14, -16), (0, -16)]
    model.add(revolve(face[::-1], 24).transformed((0, -140, 0), rotation("y", -90)), STEEL_HEAD)
    for z0, z1, r0, r1 in ((-16, 12, 14, 14), (12, 42, 13, 13), (42, 60, 16.3, 16)):
        model.add_hulls(revolve([(r0, z0), (r1, z1)], 12).transformed((0, -140, 0), rotation("y", -90)).points)
    spine = resample_curve([(8, -141), (24, -140), (40, -132), (54, -118), (63, -100)], 12)
    thickness = np.linspace(12, 2.0, 12)
    for side in (1, -1):
        offset = side * np.interp(np.arange(12), [0, 4, 11], [5.0, 6.5, 10.5])
        claw = np.c_[spine, offset]
        model.add(sweep(claw, thickness, np.linspace(8.5, 5.0, 12), 3.0, 12), STEEL_HEAD)
        model.add_hulls(*sweep_hulls(claw[[0, 4, 8, 11]], thickness[[0, 4, 8, 11]], 6.0))
    return model


STEEL_HEAD = tx.render_texture(
    64, 64, lambda u, v: tx.lerp_color((84, 86, 90), (134, 136, 140), tx.smoothstep(np.sin(12 * u + 3 * v), -1, 1))
)


def _handle_wood() -> TextureImage:
    u, v = tx.uv_grid(256, 64)
    angle = 2 * np.pi * u
    place = np.stack([0.012 * np.cos(angle), 0.012 * np.sin(angle), 0.3 * v], -1)
    return tx.wood(place, np.random.default_rng(48), (176, 116, 62), (120, 70, 32), 330.0)
