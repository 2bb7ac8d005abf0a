"""Outlines for `ModelBuilder.prism`, and bends that give a lathe's body a squarish or oval section; mm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pickclutter_lang.objects.procedural.surfaces import Floats


def rounded(width: float, height: float, radius: float, steps: int = 4) -> Floats:
    """Return a rectangle with round corners [N, 2] around the origin, counter-clockwise."""
    r = min(radius, 0.499 * min(width, height))
    quarter = np.linspace(0, np.pi / 2, steps + 1)
    corners = [
        np.c_[np.cos(quarter + n * np.pi / 2), np.sin(quarter + n * np.pi / 2)] * r + (sx, sy)
        for n, (sx, sy) in enumerate(np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * (width / 2 - r, height / 2 - r))
    ]
    return np.concatenate(corners)


def star(points: int, outer: float, inner: float) -> Floats:
    """Return a star, or with `inner` near `outer` a cog, whose radii are given."""
    angle = np.arange(2 * points) * np.pi / points + np.pi / 2
    radius = np.where(np.arange(2 * points) % 2, inner, outer)[:, None]
    return np.asarray(np.c_[np.cos(angle), np.sin(angle)] * radius)


def squarish(power: float = 4.0, depth: float = 1.0) -> Callable[[Floats], Floats]:
    """Return a bend for `ModelBuilder.lathe`: circles become superellipses.

    :param power: 2 is an ellipse, 4 a rounded square, 8 nearly a square
    :param depth: factor on x, so that the body is that flat from front to back
    """

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        stretch = (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (-1 / power)
        return np.asarray(points * np.stack([depth * stretch, stretch, np.ones(len(points))], -1))

    return bend
