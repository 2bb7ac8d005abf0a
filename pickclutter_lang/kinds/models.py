"""`ModelBuilder`: puts a model together in mm from parts that bring their image and their convex hulls along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pickclutter_lang.kinds.finishes import Finish
from pickclutter_lang.kinds.kind import Instance
from pickclutter_lang.kinds.materials import MATERIALS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, TextureImage, box_corners, extreme_points
from pickclutter_lang.objects.procedural.surfaces import (
    Floats,
    Surface,
    box_faces,
    fan,
    resample_curve,
    revolve,
    slab,
    sphere,
    sweep,
)

Skin = Finish | TextureImage
Profile = Sequence[tuple[float, float]] | Floats


class ModelBuilder:
    """Parts and hulls in mm, z up; the first camera of sheets sees +x, so that fronts and labels face there.

    Every method places its part by `turn` (a matrix of `surfaces.rotation`), then `at`; `hull=False` adds no hull,
    for what is thin and lies on another part. A skin is a `Finish`, which fits any part, or an image.
    """

    def __init__(self) -> None:
        self._geometry = ModelGeometry()
        self._images: dict[tuple[int, float, float], tuple[Finish, TextureImage]] = {}

    def lathe(
        self,
        profile: Profile,
        skin: Skin,
        segments: int = 28,
        pieces: int = 4,
        bend: Callable[[Floats], Floats] | None = None,
        at: npt.ArrayLike = (0, 0, 0),
        turn: Floats | None = None,
        hull: bool = True,
    ) -> None:
        """Add a body of revolution about z of (radius, height) from bottom to top of its outer side.

        :param pieces: most hulls; a body with waists is cut at them
        :param bend: moves the points [N, 3], to dent or flatten the body
        """
        rows = np.asarray(profile, dtype=float)
        rows = np.c_[np.maximum(rows[:, 0], 0), rows[:, 1]]
        surface = revolve([(float(r), float(z)) for r, z in rows], segments)
        if bend:
            surface = surface.deformed(bend)
        extent = 2 * np.pi * float(rows[:, 0].max()), float(np.linalg.norm(np.diff(rows, axis=0), axis=1).sum())
        placed = surface.transformed(at, turn)
        self._add(placed, skin, extent)
        if hull:
            self._add_grid_hulls(placed, len(rows), convex_ranges(rows, pieces), 2 if segments >= 16 else 1)

    def vessel(
        self,
        outer: Profile,
        wall: float,
        skin: Skin,
        inside: Finish,
        floor: float | None = None,
        wedges: int = 8,
        at: npt.ArrayLike = (0, 0, 0),
    ) -> None:
        """Add a hollow body, open at the top: `outer` goes from the foot (its first radius > 0) to the rim.

        :param wall: thickness of the wall, mm; `floor` that of the ground, by default the same
        :param inside: finish of the rim and the inside
        :param wedges: number of hulls of the wall, next to one for the floor
        """
        out = np.asarray(outer, dtype=float)
        base = out[0, 1] + (wall if floor is None else floor)
        inner = out[::-1] - [wall, 0]
        inner = inner[inner[:, 1] > base]
        bottom = np.interp(base, out[:, 1], out[:, 0]) - wall
        inner = np.concatenate([inner, [[bottom, base], [0, base]]])
        bend = squarish(2.0)  # a circle, whose rounding every instance of `KINDS_VERSION` has
        around = 2 * np.pi * float(out[:, 0].max())
        height = float(out[-1, 1] - out[0, 1])
        lip = np.array([out[-1], inner[0]])
        foot = np.array([(0, out[0, 1]), out[0]])
        for profile in (out, lip, inner, foot):
            surface = revolve([(float(r), float(z)) for r, z in profile], 28).deformed(bend).transformed(at)
            if profile is out:
                self._add(surface, skin, (around, height))
            else:
                self._add(surface, inside, (around / 2, around / 2))
        angles = np.linspace(0, 2 * np.pi, 2 * wedges + 1)
        levels = [out[0], *(out[1:-1][:: max(1, len(out) // 3)] if len(out) > 2 else []), out[-1]]
        pair = [(r, z) for r, z in levels] + [(max(r - wall, 0.5), z) for r, z in levels]
        for n in range(wedges):
            ring = np.array([[r * np.cos(a), r * np.sin(a), z] for a in angles[2 * n : 2 * n + 3] for r, z in pair])
            self.hull(bend(ring), at)
        low = [(float(out[0, 0]), float(out[0, 1])), (float(bottom + wall * 0.5), float(base))]
        self.hull(bend(np.array([[r * np.cos(a), r * np.sin(a), z] for a in angles for r, z in low])), at)

    def sweep(
        self,
        path: npt.ArrayLike,
        half_width: npt.ArrayLike,
        skin: Skin,
        half_height: npt.ArrayLike | None = None,
        power: float = 2.0,
        segments: int = 14,
        up: Sequence[float] = (0, 0, 1),
        closed: bool = False,
        pieces: int = 4,
        at: npt.ArrayLike = (0, 0, 0),
        turn: Floats | None = None,
        hull: bool = True,
    ) -> None:
        """Add a tube along a path [N, 3] as `surfaces.sweep` makes it; curved tubes are cut into hulls.

        :param pieces: most hulls
        """
        points = np.asarray(path, dtype=float)
        surface = sweep(points, half_width, half_height, power, segments, up, closed).transformed(at, turn)
        length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
        width = float(np.max(np.asarray(half_width)))
        self._add(surface, skin, (2 * np.pi * width, length))
        if hull:
            extra = 0 if closed else 1
            ranges = [(a + extra * (a > 0), b + 2 * extra) for a, b in straight_ranges(points, width, pieces)]
            self._add_grid_hulls(surface, len(points) + 2 * extra, ranges)

    def box(
        self,
        size: Sequence[float],
        skin: Skin | Mapping[str, Skin],
        rounding: float = 1.0,
        at: npt.ArrayLike = (0, 0, 0),
        turn: Floats | None = None,
        hull: bool = True,
    ) -> None:
        """Add a box around `at`; a mapping gives sides of `surfaces.box_faces` their own skins, `right` is +x."""
        full = np.asarray(size, dtype=float)
        extents = {"right": (1, 2), "left": (1, 2), "back": (0, 2), "front": (0, 2), "top": (0, 1), "bottom": (0, 1)}
        for name, face in box_faces(full, min(rounding, 0.49 * float(full.min()))).items():
            side = skin[name] if isinstance(skin, Mapping) else skin
            self._add(face.transformed(at, turn), side, (float(full[extents[name][0]]), float(full[extents[name][1]])))
        if hull:
            self.hull(box_corners(-full / 2, full / 2), at, turn)

    def ball(
        self,
        size: Sequence[float],
        skin: Skin,
        shape: Callable[[Floats], Floats] | None = None,
        rows: int = 17,
        segments: int = 28,
        at: npt.ArrayLike = (0, 0, 0),
        turn: Floats | None = None,
        hull: bool = True,
    ) -> None:
        """Add an ellipsoid of a size (x, y, z).

        :param shape: maps directions [..., 3] to factors on the radius, as for bumps; see `bumps`
        """
        half = np.asarray(size, dtype=float) / 2
        surface = sphere(shape or 1.0, rows, segments).deformed(lambda q: q * half).transformed(at, turn)
        self._add(surface, skin, (float(np.pi * (half[0] + half[1])), float(np.pi * half[2])))
        if hull:
            self.hull(extreme_points(surface, 130))

    def plate(
        self,
        left: npt.ArrayLike,
        right: npt.ArrayLike,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        skin: Skin,
        pieces: int = 3,
        at: npt.ArrayLike = (0, 0, 0),
        turn: Floats | None = None,
        hull: bool = True,
    ) -> None:
        """Add a flat part between two edges [N, 2], see `surfaces.slab`; `low` and `high` may be curved ([N])."""
        a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
        bottom, top = (np.broadcast_to(np.asarray(z, dtype=float), len(a)) for z in (low, high))
        middle = np.c_[(a + b) / 2, (bottom + top) / 2]
        width = float(np.linalg.norm(a - b, axis=1).max())
        length = float(np.linalg.norm(np.diff(middle, axis=0), axis=1).sum())
        self._add(slab(a, b, bottom, top).transformed(at, turn), skin, (width, length))
        edges = np.stack([np.c_[e, z] for e in (a, b) for z in (bottom, top)], 1)
        thin = float((top - bottom).mean())
        for first, last in straight_ranges(middle, max(thin, 0.12 * width), pieces) if hull else ():
            self.hull(edges[first : last + 1].reshape(-1, 3), at, turn)

    def prism(
        self,
        outline: npt.ArrayLike,
        low: float,
        high: float,
        skin: Skin,
        side: Skin | None = None,
        at: npt.ArrayLike = (0, 0, 0),
        turn: Floats | None = None,
        hull: bool = True,
    ) -> None:
        """Add an extrusion along z of an outline [N, 2], counter-clockwise and star-shaped from its middle.

        :param side: skin of the wall, by default that of the top and bottom
        """
        edge = np.asarray(outline, dtype=float)
        caps, wall = fan(edge, low, high)
        extent = edge.max(axis=0) - edge.min(axis=0)
        around = float(np.linalg.norm(np.diff(np.concatenate([edge, edge[:1]]), axis=0), axis=1).sum())
        self._add(caps.transformed(at, turn), skin, (float(extent[0]), float(extent[1])))
        self._add(wall.transformed(at, turn), side if side is not None else skin, (around, high - low))
        if hull:
            self.hull(np.concatenate([np.c_[edge, np.full(len(edge), z)] for z in (low, high)]), at, turn)

    def surface(self, surface: Surface, skin: TextureImage) -> None:
        """Add any other surface with its image, without a hull: a label that lies on a bottle."""
        self._geometry.add(surface, skin)

    def hull(self, points: npt.ArrayLike, at: npt.ArrayLike = (0, 0, 0), turn: Floats | None = None) -> None:
        """Add the convex hull of points [N, 3] to the collision shape."""
        rows = np.asarray(points, dtype=float)
        self._geometry.add_hulls((rows if turn is None else rows @ turn.T) + np.asarray(at, dtype=float))

    def instance(
        self,
        skin: Finish,
        shape: str,
        features: Sequence[str] = (),
        colors: Sequence[str] = (),
        pattern: str = "",
        density: float = 0.0,
        material: str = "",
    ) -> Instance:
        """Return the model in meters, with the words of its main finish unless others are given.

        :param features: phrases that are true of it; empty ones are dropped
        """
        low, high = self._geometry.bounds
        size = [round(float(side), 6) for side in (high - low) / 1000]
        return Instance(
            geometry=self._geometry.rescaled(size),
            colors=tuple(dict.fromkeys(colors or skin.colors)),
            material=material or skin.material,
            pattern=pattern or skin.pattern,
            shape=shape,
            density=density or MATERIALS[skin.material].density,
            features=tuple(feature for feature in features if feature),
        )

    def _add(self, surface: Surface, skin: Skin, extent: tuple[float, float]) -> None:
        if isinstance(skin, Finish):
            key = (id(skin), round(extent[0], 1), round(extent[1], 1))
            if key not in self._images:
                self._images[key] = skin, skin.image(*extent)
            skin = self._images[key][1]
        self._geometry.add(surface, skin)

    def _add_grid_hulls(self, surface: Surface, rows: int, ranges: list[tuple[int, int]], step: int = 1) -> None:
        grid = surface.points.reshape(rows, -1, 3)
        for first, last in ranges:
            self.hull(_thinned(grid[first : last + 1])[:, ::step].reshape(-1, 3))


def smooth(points: npt.ArrayLike, count: int) -> Floats:
    """Return a smooth line through points, as `surfaces.resample_curve`; radii below 0 become 0 in `lathe`."""
    return resample_curve(points, count)


def bumps(rng: np.random.Generator, amount: float, frequency: float) -> Callable[[Floats], Floats]:
    """Return a function for `ModelBuilder.ball`: radii that vary by `amount` (0.05 is 5%)."""
    keys = rng.normal(size=(6, 3)) * frequency
    phases = rng.uniform(0, 2 * np.pi, 6)
    return lambda q: np.asarray(1 + amount * np.sqrt(1 / 3) * np.cos(q @ keys.T + phases).sum(axis=-1) / 1.0)


def plain(color: npt.ArrayLike) -> TextureImage:
    """Return the image of one RGB color."""
    return tx.plain(np.clip(np.asarray(color, dtype=float), 0, 255).tolist())


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


def squarish(power: float, depth: float = 1.0) -> Callable[[Floats], Floats]:
    """Return a bend for `ModelBuilder.lathe`: circles become superellipses.

    :param power: 2 is an ellipse, 4 a rounded square, 8 nearly a square
    :param depth: factor on x, so that the body is that flat from front to back
    """

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        stretch = (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (-1 / power)
        return np.asarray(points * np.stack([depth * stretch, stretch, np.ones(len(points))], -1))

    return bend


def _thinned(grid: Floats) -> Floats:
    """Return some rows of a grid, so that hulls stay small: 9, and the two at either end (flat caps' rims)."""
    if len(grid) <= 13:
        return grid
    rows = np.linspace(0, len(grid) - 1, 9).round().astype(int)
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
            a = side[corners[-1]] - side[corners[-2]]
            b = point - side[corners[-2]]
            if a[0] * b[1] > b[0] * a[1]:
                break
            corners.pop()
        corners.append(n)
    order = np.maximum.accumulate(side[corners, 1])
    depth = np.interp(side[:, 1], order, side[corners, 0]) - side[:, 0]
    depth[[0, -1]] = 0
    return first + int(depth.argmax()), float(depth.max())
