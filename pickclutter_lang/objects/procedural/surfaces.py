"""Surfaces with texture coordinates, mostly grids of points, so that every texture is a rectangle.

Seen from outside, u runs to the right along the columns and v up along the rows. Lengths are meters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Surface:
    """Triangles: `points` [V, 3], `uv` [V, 2] in [0, 1], `faces` [F, 3], counter-clockwise seen from outside."""

    points: Floats
    uv: Floats
    faces: Ints

    def transformed(self, shift: npt.ArrayLike, rotation_matrix: Floats | None = None) -> Surface:
        """Return the surface turned by a rotation matrix, then shifted."""
        rotated = self.points if rotation_matrix is None else self.points @ rotation_matrix.T
        return Surface(rotated + np.asarray(shift, dtype=float), self.uv, self.faces)

    def deformed(self, deformation: Callable[[Floats], Floats]) -> Surface:
        """Return the surface with a function applied to its points."""
        return Surface(deformation(self.points), self.uv, self.faces)


def join(surfaces: Sequence[Surface]) -> Surface:
    """Put surfaces that share a texture into one."""
    starts = np.cumsum([0] + [len(s.points) for s in surfaces])
    return Surface(
        np.concatenate([s.points for s in surfaces]),
        np.concatenate([s.uv for s in surfaces]),
        np.concatenate([s.faces + n for s, n in zip(surfaces, starts[:-1], strict=True)]),
    )


def rotation(axis: str, degrees: float) -> Floats:
    """Return the matrix of a right-handed rotation about `x`, `y` or `z`."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return matrix


def grid_surface(points: Floats, v: Floats | None = None) -> Surface:
    """Join a grid of points [R, C, 3] to a surface; `v` [R] gives the texture's height at each row."""
    rows, cols = points.shape[:2]
    heights = np.linspace(0, 1, rows) if v is None else np.asarray(v, dtype=float)
    u, w = np.meshgrid(np.linspace(0, 1, cols), heights)
    index = np.arange(rows * cols).reshape(rows, cols)
    a = index[:-1, :-1]
    b = index[:-1, 1:]
    c = index[1:, 1:]
    d = index[1:, :-1]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    flat = points.reshape(-1, 3)
    corners = np.round(flat[faces], 9)
    same = [np.all(corners[:, i] == corners[:, (i + 1) % 3], axis=1) for i in range(3)]
    return Surface(flat, np.stack([u.ravel(), w.ravel()], -1), faces[~np.logical_or.reduce(same)])


def revolve(profile: Sequence[tuple[float, float]], segments: int = 32) -> Surface:
    """Turn a profile of (radius, height), from bottom to top of the outer side, about z; v follows its length."""
    rows = np.asarray(profile, dtype=float)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)
    circle[-1] = circle[0]
    ring = rows[:, None, :1] * circle[None]
    heights = np.broadcast_to(rows[:, None, 1:], (*ring.shape[:2], 1))
    return grid_surface(np.concatenate([ring, heights], -1), arc_length(rows))


def arc_length(path_points: Floats) -> Floats:
    """Return how far along a line [N, D] each point is, from 0 to 1."""
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path_points, axis=0), axis=1))])
    return np.asarray(steps / steps[-1])


def sphere(radius: Callable[[Floats], Floats] | float, rows: int, segments: int) -> Surface:
    """Return a sphere, or a star-shaped body: `radius` maps directions [..., 3] to distances from the center.

    The texture is the map of `textures.sphere_directions`: u is the longitude, v the latitude.
    """
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rows)
    longitude = np.linspace(0, 2 * np.pi, segments + 1)
    longitude[-1] = 0
    lat, lon = np.meshgrid(latitude, longitude, indexing="ij")
    outward = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    outward[0], outward[-1] = (0, 0, -1), (0, 0, 1)
    distance = radius(outward) if callable(radius) else np.full(outward.shape[:2], radius)
    return grid_surface(outward * distance[..., None])


def sweep(
    path: npt.ArrayLike,
    half_widths: npt.ArrayLike,
    half_heights: npt.ArrayLike | None,
    power: float = 2.0,
    segments: int = 16,
    up: Sequence[float] = (0, 0, 1),
    closed: bool = False,
) -> Surface:
    """Draw a section along a path [N, 3]; its half-width lies across `up`, its half-height along it.

    :param half_widths: half-widths [N] or one for all
    :param half_heights: half-heights, by default those of `half_widths`
    :param power: 2 is an ellipse, larger ones come near a rectangle
    :param closed: the path is a loop (its last point is its first); otherwise both ends are closed by flat caps
    """
    path_points = np.asarray(path, dtype=float)
    half_width = np.broadcast_to(np.asarray(half_widths, dtype=float), len(path_points))
    half_height = (
        half_width if half_heights is None else np.broadcast_to(np.asarray(half_heights, dtype=float), len(path_points))
    )
    side, lift = curve_frames(path_points, np.asarray(up, dtype=float), closed)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    x, y = (np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(angle), np.sin(angle)))
    x[-1], y[-1] = x[0], y[0]
    if not closed:
        path_points, side, lift = (np.concatenate([a[:1], a, a[-1:]]) for a in (path_points, side, lift))
        half_width, half_height = (np.pad(a, 1) for a in (half_width, half_height))
    points = (
        path_points[:, None]
        + (half_width[:, None] * x)[..., None] * side[:, None]
        + (half_height[:, None] * y)[..., None] * lift[:, None]
    )
    return grid_surface(points, arc_length(path_points))


def curve_frames(path_points: Floats, up: Floats, closed: bool) -> tuple[Floats, Floats]:
    """Return the sideways and upward unit vectors [N, 3] at each point of a line."""
    if closed:
        tangents = np.roll(path_points[:-1], -1, axis=0) - np.roll(path_points[:-1], 1, axis=0)
        tangents = np.concatenate([tangents, tangents[:1]])
    else:
        tangents = np.gradient(path_points, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    side = np.cross(up, tangents)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    return side, np.cross(tangents, side)


_FACE_AXES = {
    "right": ((0, 1, 0), (0, 0, 1)),
    "left": ((0, -1, 0), (0, 0, 1)),
    "back": ((-1, 0, 0), (0, 0, 1)),
    "front": ((1, 0, 0), (0, 0, 1)),
    "top": ((1, 0, 0), (0, 1, 0)),
    "bottom": ((1, 0, 0), (0, -1, 0)),
}


def box_faces(size: npt.ArrayLike, rounding: float) -> dict[str, Surface]:
    """Return the six sides of a box around the origin, with rounded edges and the plain texture on each.

    The sides are `right` (+x), `left` (-x), `back` (+y), `front` (-y), `top` (+z) and `bottom` (-z).
    """
    half = np.asarray(size, dtype=float) / 2
    faces = {}
    for name, axes in _FACE_AXES.items():
        across, along = (np.asarray(a, dtype=float) for a in axes)
        outward = np.cross(across, along)
        s = _stations(float(np.abs(half @ across)), rounding)
        t = _stations(float(np.abs(half @ along)), rounding)
        outer = s[None, :, None] * across + t[:, None, None] * along + np.abs(half @ outward) * outward
        inner = np.clip(outer, -(half - rounding), half - rounding)
        offset = outer - inner
        length = np.linalg.norm(offset, axis=-1, keepdims=True)
        points = inner + offset / np.where(length > 0, length, 1) * min(rounding, float(length.max()))
        flat = grid_surface(outer if rounding == 0 else points)
        u, v = np.meshgrid((s / s[-1] + 1) / 2, (t / t[-1] + 1) / 2)
        faces[name] = Surface(flat.points, np.stack([u.ravel(), v.ravel()], -1), flat.faces)
    return faces


def _stations(half: float, rounding: float) -> Floats:
    """Return where the lines of a face's grid lie: close together in the rounded margins."""
    inner = np.array([-(half - rounding), half - rounding])
    if rounding == 0:
        return inner
    arc = half - rounding + rounding * np.tan(np.linspace(0, np.pi / 4, 3)[1:])
    return np.concatenate([-arc[::-1], inner, arc])


def slab(left: npt.ArrayLike, right: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> Surface:
    """Return a plate between two edges [N, 2] in x and y, from `low` to `high` ([N] or one for all).

    `left` is on the left in the direction of the rows; v follows the rows, u runs from left to right.
    """
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    fraction = np.array([0.0, 0.5, 1.0])[None, :, None]
    flat = a[:, None] * (1 - fraction) + b[:, None] * fraction
    tops, bottoms = (
        np.concatenate([flat, np.broadcast_to(np.asarray(z, dtype=float).reshape(-1, 1, 1), (*flat.shape[:2], 1))], -1)
        for z in (high, low)
    )
    v = arc_length((a + b) / 2)
    walls = [np.stack([bottoms[:, 0], tops[:, 0]], 1), np.stack([tops[:, -1], bottoms[:, -1]], 1)]
    ends = [np.stack([bottoms[0], tops[0]]), np.stack([tops[-1], bottoms[-1]])]
    sides = [tops, bottoms[:, ::-1], *walls]
    return join([*(grid_surface(p, v) for p in sides), *(grid_surface(p) for p in ends)])


def fan(outline: npt.ArrayLike, low: float, high: float) -> tuple[Surface, Surface]:
    """Return a prism over an outline [N, 2] that is star-shaped from its center: (top and bottom, wall).

    The caps' texture is the outline's own plane, the wall's runs around the outline.
    """
    edge = np.asarray(outline, dtype=float)
    edge = np.concatenate([edge, edge[:1]])
    center = edge[:-1].mean(axis=0)
    extent = edge.max(axis=0) - edge.min(axis=0)
    caps = []
    for z, order in ((high, 1), (low, -1)):
        rim = edge[::order]
        points = np.stack([rim, np.broadcast_to(center, rim.shape)])
        cap = grid_surface(np.concatenate([points, np.full((*points.shape[:2], 1), z)], -1))
        caps.append(Surface(cap.points, (cap.points[:, :2] - edge.min(axis=0)) / extent, cap.faces))
    wall = np.stack([np.c_[edge, np.full(len(edge), z)] for z in (low, high)])
    return join(caps), grid_surface(wall)


def circle(radius: float, segments: int, center: Sequence[float] = (0, 0)) -> Floats:
    """Return the corners [N, 2] of a regular polygon, counter-clockwise from +x."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    return np.asarray(ring * radius + np.asarray(center, dtype=float))


def resample_curve(points: npt.ArrayLike, count: int) -> Floats:
    """Return `count` points of a smooth line (Catmull-Rom) through given ones [N, D]."""
    knots = np.asarray(points, dtype=float)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    position = np.linspace(0, len(knots) - 1, count)
    n = np.minimum(position.astype(int), len(knots) - 2)
    t = (position - n)[:, None]
    a, b, c, d = (padded[n + i] for i in range(4))
    return np.asarray(b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))), dtype=float)
