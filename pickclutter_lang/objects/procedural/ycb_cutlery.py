"""Procedural models for fork, spoon and knife: red riveted handle at +x, dark metal at -x, lying flat."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, TextureImage, box_corners
from pickclutter_lang.objects.procedural.surfaces import Floats, grid_surface, resample_curve, slab, sweep

METAL = tx.render_texture(
    64, 16, lambda u, v: tx.lerp_color((52, 52, 54), (92, 92, 94), tx.smoothstep(np.sin(7 * u + 5 * v), -0.6, 1.0))
)
STEEL = tx.render_texture(
    32, 32, lambda u, v: tx.lerp_color((120, 122, 124), (176, 178, 180), tx.smoothstep(np.sin(9 * u + 2 * v), -1, 1))
)


def _handle(model: ModelGeometry, start: float, end: float, lift: float) -> None:
    """Add a red handle along x, its two rivets, and its solid."""
    x = np.linspace(start, end, 12)
    fraction = np.linspace(0, 1, 12)
    wide = 5.4 + 3.4 * fraction
    wide[-1], wide[0] = wide[-2] * 0.7, 5.0
    high = np.full(12, 5.2)
    high[[0, -1]] = 4.0
    path = np.c_[x, np.zeros(12), np.full(12, lift)]
    model.add(sweep(path, wide, high, 3.0, 20), _red())
    ferrule = [(start - 9, 0, lift), (start, 0, lift), (start + 0.5, 0, lift)]
    model.add(sweep(ferrule, [4.6, 5.2, 5.2], [3.4, 4.2, 4.2], 2.6, 14), METAL)
    model.add_hulls(box_corners((start - 9, -5, lift - 4), (start, 5, lift + 4)))
    model.add_hulls(
        np.concatenate(
            [
                box_corners((a, -w, lift - 5), (b, w, lift + 5))
                for a, b, w in ((start, start + 5, 5.4), (end - 14, end, 8))
            ]
        )
    )


def _red() -> TextureImage:
    """Red plastic, worn at the edges, with two steel rivets on each face (u = 1/4 and 3/4)."""

    def color(u: Floats, v: Floats) -> Floats:
        dot = np.full(u.shape, 9.0)
        for side in (0.25, 0.75):
            for place in (0.24, 0.76):
                dot = np.minimum(dot, np.hypot((u - side) * 36, (v - place) * 100))
        red = tx.lerp_color((196, 14, 22), (166, 8, 16), tx.smoothstep(np.cos(4 * np.pi * u), -0.4, 1))
        red = tx.lerp_color((110, 8, 12), red, tx.smoothstep(dot, 3.0, 3.6))
        return tx.lerp_color((206, 206, 204), red, tx.smoothstep(dot, 2.4, 2.8))

    return tx.render_texture(200, 72, color)


def _plate(
    model: ModelGeometry,
    line: Floats,
    low: Floats,
    high: Floats,
    thickness: float,
    stations: tuple[int, ...],
    image: TextureImage = METAL,
) -> None:
    """Add a plate along points (x, z) [N, 2] between its edges in y [N]; it is solid between the stations."""
    x, z = line.T
    model.add(slab(np.c_[x, low], np.c_[x, high], z - thickness, z + thickness, 4), image)
    for start, end in pairwise(stations):
        rows = range(start, end + 1) if end - start < 6 else (start, end)
        ends = [(x[n], y, z[n] + side * thickness) for n in rows for y in (low[n], high[n]) for side in (-1, 1)]
        model.add_hulls(np.array(ends))


def fork() -> ModelGeometry:
    """Four bent tines on a spread neck."""
    model = ModelGeometry()
    _handle(model, 0, 98, 8)
    line = resample_curve([(-9, 8.0), (-26, 6.5), (-44, 3.0), (-58, 3.4), (-76, 7.0), (-99, 14.0)], 24)
    neck, tines = line[line[:, 0] > -60], line[line[:, 0] <= -57]
    wide = np.interp(-neck[:, 0], [9, 22, 34, 44, 52, 60], [3.2, 2.8, 4.5, 9.5, 12.6, 13.6])
    last = len(neck) - 1
    _plate(model, neck, -wide, wide, 1.3, (0, last // 2, last * 3 // 4, last))
    half = np.linspace(2.7, 1.1, len(tines))
    for n in range(4):
        center = -10.5 + 7.0 * n + np.linspace(0, 0.15 * (1.5 - n), len(tines))
        _plate(model, tines, center - half, center + half, 1.2, (0, len(tines) // 2, len(tines) - 1))
    return model


def spoon() -> ModelGeometry:
    """An oval, hollow bowl on a thin neck."""
    model = ModelGeometry()
    _handle(model, 0, 96, 14)
    x = np.linspace(-36, -100, 20)
    fraction = (x + 36) / -64
    wide = 21.4 * np.sqrt(np.clip(1 - (2 * fraction - 1) ** 2, 0, 1)) ** 0.9 * (1 + 0.12 * (fraction - 0.5))
    wide = np.maximum(wide, np.where(fraction < 0.1, 3.4, 0.4))
    cols = np.linspace(-1, 1, 13)
    deep = 9.0 * np.sin(np.pi * np.clip(fraction, 0, 1) ** 0.8)
    height = (10.0 + 2.0 * fraction)[:, None] - deep[:, None] * (1 - cols**2)[None]
    shell = np.stack([np.broadcast_to(x[:, None], height.shape), wide[:, None] * cols[None], height], -1)
    up = np.array([0.0, 0.0, 0.9])
    model.add(grid_surface(shell + up), _spoon_shine())
    model.add(grid_surface((shell - up)[:, ::-1]), METAL)
    for a in range(0, 19, 5):
        for b in range(0, 12, 4):
            cell = shell[a : min(a + 5, 19) + 1, b : b + 5].reshape(-1, 3)
            model.add_hulls(np.concatenate([cell + up, cell - up]))
    line = resample_curve([(-9, 14.0), (-20, 12.6), (-30, 10.4), (-40, 8.8)], 10)
    half = np.interp(-line[:, 0], [9, 20, 30, 40], [3.4, 2.8, 3.2, 6.0])
    _plate(model, line, -half, half, 1.3, (0, 4, 9))
    return model


def _spoon_shine() -> TextureImage:
    return tx.render_texture(
        64,
        48,
        lambda u, v: tx.lerp_color((50, 50, 52), (150, 150, 152), np.exp(-((u - 0.55) ** 2 + (v - 0.5) ** 2) / 0.03)),
    )


def knife() -> ModelGeometry:
    """A flat blade with a round tip and a straight back."""
    model = ModelGeometry()
    _handle(model, 0, 96, 7)
    x = np.linspace(-6, -118, 24)
    back = np.interp(-x, [6, 16, 90, 104, 112, 118], [-4.0, -6.4, -6.8, -5.4, -2.0, 3.5])
    edge = np.interp(-x, [6, 20, 22, 30, 90, 108, 118], [4.0, 4.6, 8.6, 9.4, 9.6, 8.6, 4.0])
    _plate(model, np.c_[x, np.full(24, 7.0)], back, edge, 0.8, (0, 4, 17, 20, 23), _blade())
    return model


def _blade() -> TextureImage:
    def color(u: Floats, v: Floats) -> Floats:
        metal = tx.lerp_color((58, 58, 60), (92, 92, 94), tx.smoothstep(u, 0.0, 0.8))
        return tx.lerp_color(metal, (140, 142, 144), tx.smoothstep(u + 0.02 * np.sin(v * 260), 0.8, 0.84))

    return tx.render_texture(200, 24, color)
