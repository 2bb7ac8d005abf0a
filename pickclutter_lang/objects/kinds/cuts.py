"""Cuts profiles and paths into ranges of points whose hulls fit the surface: few, but true to concavities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pickclutter_lang.objects.procedural.surfaces import Floats


def thinned(grid: Floats, most: int = 9) -> Floats:
    """Return some rows of a grid, so that hulls stay small: `most`, and the two at either end (flat caps' rims)."""
    if len(grid) <= most + 2:
        return grid
    rows = np.linspace(0, len(grid) - 1, most).round().astype(int)
    return np.asarray(grid[np.unique([*rows, 1, len(grid) - 2])])


def convex_ranges(profile: Floats, pieces: int) -> list[tuple[int, int]]:
    """Cut a profile of (radius, height) where it is most concave."""
    return _cut((0, len(profile) - 1), pieces, lambda a, b: _deepest(profile[a : b + 1]), 0.06 * profile[:, 0].max())


def straight_ranges(path: Floats, width: float, pieces: int) -> list[tuple[int, int]]:
    """Cut a path where it is farthest from the straight line between its ends; a loop is cut in halves first."""
    if np.allclose(path[0], path[-1]):
        half = len(path) // 2
        cuts = [
            _cut(r, pieces // 2, lambda a, b: _farthest(path[a : b + 1]), 0.3 * width)
            for r in ((0, half), (half, len(path) - 1))
        ]
        return cuts[0] + cuts[1]
    return _cut((0, len(path) - 1), pieces, lambda a, b: _farthest(path[a : b + 1]), 0.3 * width)


def _cut(
    whole: tuple[int, int], pieces: int, worst: Callable[[int, int], tuple[int, float]], tolerance: float
) -> list[tuple[int, int]]:
    """Split ranges at their worst point until none is worse than `tolerance`, or there are enough."""
    ranges = [whole]
    while len(ranges) < pieces:
        found = [(worst(a, b), n) for n, (a, b) in enumerate(ranges)]
        (position, depth), n = max(found, key=lambda item: item[0][1])
        if depth <= tolerance:
            break
        a, b = ranges[n]
        ranges[n : n + 1] = [(a, a + position), (a + position, b)]
    return ranges


def _farthest(path: Floats) -> tuple[int, float]:
    chord = path[-1] - path[0]
    length = float(np.linalg.norm(chord))
    offset = path - path[0]
    along = offset @ chord / max(length, 1e-9) ** 2
    distance = np.linalg.norm(offset - along[:, None] * chord, axis=1)
    distance[[0, -1]] = 0
    return int(distance.argmax()), float(distance.max())


def _deepest(profile: Floats) -> tuple[int, float]:
    """Return which point of a profile lies deepest inside the hull of its outer side, and how deep.

    The outer side goes from the lowest point to the highest; what comes before or after is a dimple or a hollow foot.
    """
    first, last = int(profile[:, 1].argmin()), int(profile[:, 1].argmax())
    if last - first < 2:
        return 0, 0.0
    side = profile[first : last + 1]
    corners: list[int] = []
    for n, point in enumerate(side):
        while len(corners) > 1:
            a, b = side[corners[-1]] - side[corners[-2]], point - side[corners[-2]]
            if a[0] * b[1] > b[0] * a[1]:
                break
            corners.pop()
        corners.append(n)
    order = np.maximum.accumulate(side[corners, 1])
    depth = np.interp(side[:, 1], order, side[corners, 0]) - side[:, 0]
    depth[[0, -1]] = 0
    return first + int(depth.argmax()), float(depth.max())
