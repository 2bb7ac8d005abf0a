"""Stand-ins for fork, spoon and knife: red riveted handle at +x, dark metal at -x, lying flat."""

from __future__ import annotations

import numpy as np

from pickclutter_lang.objects.proxies import textures as tx
from pickclutter_lang.objects.proxies.body import Body, Picture, cuboid
from pickclutter_lang.objects.proxies.shapes import Floats, curve, grid, slab, sweep

METAL = tx.paint(64, 16, lambda u, v: tx.mix((52, 52, 54), (92, 92, 94), tx.smooth(np.sin(7 * u + 5 * v), -0.6, 1.0)))
STEEL = tx.paint(32, 32, lambda u, v: tx.mix((120, 122, 124), (176, 178, 180), tx.smooth(np.sin(9 * u + 2 * v), -1, 1)))


def _handle(body: Body, start: float, end: float, lift: float) -> None:
    """Add a red handle along x, its two rivets, and its solid."""
    x = np.linspace(start, end, 12)
    share = np.linspace(0, 1, 12)
    wide = 5.4 + 3.4 * share
    wide[-1], wide[0] = wide[-2] * 0.7, 5.0
    high = np.full(12, 5.2)
    high[[0, -1]] = 4.0
    path = np.c_[x, np.zeros(12), np.full(12, lift)]
    body.add(sweep(path, wide, high, 3.0, 20), _red())
    ferrule = [(start - 9, 0, lift), (start, 0, lift), (start + 0.5, 0, lift)]
    body.add(sweep(ferrule, [4.6, 5.2, 5.2], [3.4, 4.2, 4.2], 2.6, 14), METAL)
    body.solid(cuboid((start - 9, -5, lift - 4), (start, 5, lift + 4)))
    body.solid(
        np.concatenate(
            [cuboid((a, -w, lift - 5), (b, w, lift + 5)) for a, b, w in ((start, start + 5, 5.4), (end - 14, end, 8))]
        )
    )


def _red() -> Picture:
    """Red plastic, worn at the edges, with two steel rivets on each face (u = 1/4 and 3/4)."""

    def colour(u: Floats, v: Floats) -> Floats:
        dot = np.full(u.shape, 9.0)
        for side in (0.25, 0.75):
            for place in (0.24, 0.76):
                dot = np.minimum(dot, np.hypot((u - side) * 36, (v - place) * 100))
        red = tx.mix((196, 14, 22), (166, 8, 16), tx.smooth(np.cos(4 * np.pi * u), -0.4, 1))
        red = tx.mix((110, 8, 12), red, tx.smooth(dot, 3.0, 3.6))
        return tx.mix((206, 206, 204), red, tx.smooth(dot, 2.4, 2.8))

    return tx.paint(200, 72, colour)


def fork() -> Body:
    """Four bent tines on a spread neck."""
    body = Body()
    _handle(body, 0, 98, 8)
    line = curve([(-9, 8.0), (-26, 6.5), (-44, 3.0), (-58, 3.4), (-76, 7.0), (-99, 14.0)], 24)
    x, z = line.T
    neck = x > -60
    wide = np.interp(-x[neck], [9, 22, 34, 44, 52, 60], [3.2, 2.8, 4.5, 9.5, 12.6, 13.6])
    xs, zs = x[neck], z[neck]
    body.add(slab(np.c_[xs, -wide], np.c_[xs, wide], zs - 1.3, zs + 1.3, 5), METAL)
    for row in range(3):
        pieces = np.array_split(np.arange(len(xs)), 3)[row]
        last = min(pieces[-1] + 1, len(xs) - 1)
        body.solid(
            *[
                np.concatenate(
                    [
                        cuboid((xs[n], -wide[n], zs[n] - 1.5), (xs[n] + 0.1, wide[n], zs[n] + 1.5))
                        for n in (pieces[0], last)
                    ]
                )
            ]
        )
    tines = x <= -57
    xt, zt = x[tines], z[tines]
    for n in range(4):
        middle = -10.5 + 7.0 * n + np.linspace(0, 1, len(xt)) * (0.15 * (1.5 - n))
        half = np.linspace(2.7, 1.1, len(xt))
        body.add(slab(np.c_[xt, middle - half], np.c_[xt, middle + half], zt - 1.2, zt + 1.2, 2), METAL)
        for a, b in ((0, len(xt) // 2), (len(xt) // 2, len(xt) - 1)):
            body.solid(
                np.concatenate(
                    [
                        cuboid(
                            (xt[m], middle[m] - half[m], zt[m] - 1.3), (xt[m] + 0.1, middle[m] + half[m], zt[m] + 1.3)
                        )
                        for m in (a, b)
                    ]
                )
            )
    return body


def spoon() -> Body:
    """An oval, hollow bowl on a thin neck."""
    body = Body()
    _handle(body, 0, 96, 14)
    x = np.linspace(-36, -100, 20)
    share = (x + 36) / -64
    wide = 21.4 * np.sqrt(np.clip(1 - (2 * share - 1) ** 2, 0, 1)) ** 0.9 * (1 + 0.12 * (share - 0.5))
    wide = np.maximum(wide, np.where(share < 0.1, 3.4, 0.4))
    cols = np.linspace(-1, 1, 13)
    rim = 10.0 + 2.0 * share
    deep = 9.0 * np.sin(np.pi * np.clip(share, 0, 1) ** 0.8)
    height = rim[:, None] - deep[:, None] * (1 - cols**2)[None]
    across = wide[:, None] * cols[None]
    along = np.broadcast_to(x[:, None], across.shape)
    body.add(grid(np.stack([along, across, height + 0.9], -1)), _spoon_shine())
    body.add(grid(np.stack([along, across, height - 0.9], -1)[:, ::-1]), METAL)
    line = curve([(-9, 14.0), (-20, 12.6), (-30, 10.4), (-40, 8.8)], 10)
    half = np.interp(-line[:, 0], [9, 20, 30, 40], [3.4, 2.8, 3.2, 6.0])
    xs, zs = line.T
    body.add(slab(np.c_[xs, -half], np.c_[xs, half], zs - 1.3, zs + 1.3, 3), METAL)
    body.solid(
        np.concatenate([cuboid((xs[n], -half[n], zs[n] - 1.5), (xs[n] + 0.1, half[n], zs[n] + 1.5)) for n in (0, 4)])
    )
    body.solid(
        np.concatenate([cuboid((xs[n], -half[n], zs[n] - 1.5), (xs[n] + 0.1, half[n], zs[n] + 1.5)) for n in (4, 9)])
    )
    up = np.array([0.0, 0.0, 1.0])
    for a in range(0, 19, 5):
        for b in range(0, 12, 4):
            rows, columns = slice(a, min(a + 5, 19) + 1), slice(b, b + 5)
            cell = np.stack([along[rows, columns], across[rows, columns], height[rows, columns]], -1).reshape(-1, 3)
            body.solid(np.concatenate([cell + up, cell - up]))
    return body


def _spoon_shine() -> Picture:
    return tx.paint(
        64, 48, lambda u, v: tx.mix((50, 50, 52), (150, 150, 152), np.exp(-((u - 0.55) ** 2 + (v - 0.5) ** 2) / 0.03))
    )


def knife() -> Body:
    """A flat blade with a round tip and a straight back."""
    body = Body()
    _handle(body, 0, 96, 7)
    x = np.linspace(-6, -118, 24)
    back = np.interp(-x, [6, 16, 90, 104, 112, 118], [-4.0, -6.4, -6.8, -5.4, -2.0, 3.5])
    edge = np.interp(-x, [6, 20, 22, 30, 90, 108, 118], [4.0, 4.6, 8.6, 9.4, 9.6, 8.6, 4.0])
    body.add(slab(np.c_[x, back], np.c_[x, edge], np.full(24, 6.2), np.full(24, 7.8), 4), _blade())
    for a, b in ((0, 4), (4, 17), (17, 23)):
        rows = np.r_[a, b] if b < 20 else np.arange(a, b + 1)
        corners = [(x[n], y, z) for n in rows for y in (back[n], edge[n]) for z in (6.0, 8.0)]
        body.solid(np.array(corners))
    return body


def _blade() -> Picture:
    def colour(u: Floats, v: Floats) -> Floats:
        metal = tx.mix((58, 58, 60), (92, 92, 94), tx.smooth(u, 0.0, 0.8))
        return tx.mix(metal, (140, 142, 144), tx.smooth(u + 0.02 * np.sin(v * 260), 0.8, 0.84))

    return tx.paint(200, 24, colour)
