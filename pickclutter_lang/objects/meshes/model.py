"""Makes an object of the pieces of a mesh: in meters, z up; one textured surface; convex parts for the physics.

A surface keeps its own texture where it has one and is small enough; otherwise its colors are baked into a new one.
CoACD cuts the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import fast_simplification
import numpy as np
import trimesh
import xatlas
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt
from scipy.spatial import ConvexHull, QhullError, cKDTree

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes import UNITS, UP_AXES
from pickclutter_lang.objects.meshes.cutting import cut
from pickclutter_lang.utils.typing import FloatArray

Faces = NDArray[np.int64]
TextureImage = NDArray[np.uint8]
SMALLEST, LARGEST = 0.005, 0.6
"""Extents of objects that lie in a pile for a Panda arm, meters."""
_THINNEST = 2e-4
_LOOSEST = 2 / 3
"""Share of edges with one triangle; an open scan has up to 0.2, loose triangles 1."""
_FACES = 2000
"""Triangles that are cut; more take long, and change little."""
_SEARCH = {
    "resolution": 1000, "mcts_nodes": 10, "mcts_iterations": 60, "mcts_max_depth": 2, "decimate": True,
    "max_ch_vertex": 128, "seed": 0,
}  # fmt: skip
"""CoACD's search for a cut: about a tenth of the default's work. A part has at most 252 triangles; PhysX takes 255."""
_SAMPLES = 4000
_TOLERANCE = 0.02
"""Share of the diagonal by which a point of the surface may lie outside of all parts."""
_COVERED = 0.98
_PLAIN_TEXTURE = 512
"""Largest side of a texture baked only of colors, pixels."""
_SAMPLES_PER_TEXEL = 3
_NEAREST = 4
"""Samples of which a texel is the mean."""
_NORMAL_WEIGHT = 0.02
"""Share of the mesh's diagonal that opposite sides of a thin wall count as apart."""


@dataclass(frozen=True)
class Piece:
    """Triangles of one material: their color is `colors`, times the image where there is one."""

    points: FloatArray
    """[V, 3]."""
    faces: Faces
    """[F, 3], rows of `points`."""
    colors: FloatArray
    """[F, 3, 3], of the corners of each face, RGB in [0, 1]."""
    uv: FloatArray | None = None
    """[V, 2], coordinates on the image, which repeats outside of [0, 1]; (0, 0) is its lower left corner."""
    image: TextureImage | None = None
    """[H, W, 3]."""

    def mapped(self, matrix: FloatArray, shift: FloatArray) -> Piece:
        """Return the piece with its points turned and stretched by a matrix [3, 3], then shifted."""
        return replace(self, points=self.points @ matrix.T + shift)


def bounds(pieces: Sequence[Piece]) -> FloatArray:
    """Return the lowest and the highest corner [2, 3] of the triangles."""
    used = np.concatenate([piece.points[piece.faces].reshape(-1, 3) for piece in pieces])
    return np.stack([used.min(axis=0), used.max(axis=0)])


def joined(pieces: Sequence[Piece]) -> tuple[FloatArray, Faces]:
    """Return the points [V, 3] and the faces [F, 3] of all pieces."""
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    faces = np.concatenate([piece.faces + start for piece, start in zip(pieces, starts[:-1], strict=True)])
    return np.concatenate([piece.points for piece in pieces]), faces


def merged(pieces: Sequence[Piece]) -> tuple[FloatArray, Faces]:
    """Return one mesh of all pieces, [V, 3] and [F, 3]: equal points are one, triangles without an area are gone."""
    points, faces = joined(pieces)
    cell = 1e-6 * float(np.ptp(bounds(pieces), axis=0).max())
    _, first, index = np.unique(np.round(points / cell), axis=0, return_index=True, return_inverse=True)
    faces = index.reshape(-1)[faces]
    faces = faces[trimesh.triangles.area(points[first][faces]) > cell**2 / 2]
    used, rows = np.unique(faces, return_inverse=True)
    return points[first][used], rows.reshape(-1, 3).astype(np.int64)


def placed(pieces: Sequence[Piece], meters: float, up: str) -> list[Piece]:
    """Return the pieces in meters, turned so that z is up, with the middle of their bounding box at the origin.

    A closed mesh that is inside out is turned: renderers draw only the front of triangles.

    :param meters: length of the file's unit
    :param up: one of `UP_AXES`
    :raises InvalidArgumentError: for a size that no object in a pile has, or a flat mesh
    """
    longest = float(np.ptp(bounds(pieces), axis=0).max())
    if not SMALLEST <= longest * meters <= LARGEST:
        fitting = [f"unit={unit}" for unit, length in UNITS.items() if SMALLEST <= longest * length <= LARGEST]
        remedy = f"is it {' or '.join(fitting)}?" if fitting else "scale it before"
        raise InvalidArgumentError(
            f"expected a size of {1000 * SMALLEST:g} mm to {100 * LARGEST:g} cm, but its longest side has "
            f"{longest * meters:.3g} m; {remedy}"
        )
    matrix = meters * np.array(UP_AXES[up], dtype=np.float64)
    turned = [piece.mapped(matrix, np.zeros(3)) for piece in pieces]
    center = bounds(turned).mean(axis=0)
    centered = [piece.mapped(np.eye(3), -center) for piece in turned]
    points, faces = merged(centered)
    thickness = 0.0
    if len(points):
        axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
        thickness = float(np.ptp(points @ axes.T, axis=0).min())
    if thickness < _THINNEST:
        raise InvalidArgumentError(
            f"expected a solid, but it is flat: {1000 * thickness:.2g} mm thick; give it a thickness of "
            f"{1000 * _THINNEST:g} mm or more"
        )
    mesh = trimesh.Trimesh(points, faces, process=False)
    loose = len(trimesh.grouping.group_rows(mesh.edges_sorted, require_count=1)) / len(mesh.edges_unique)
    if loose > _LOOSEST:
        raise InvalidArgumentError(
            f"expected triangles that meet at their edges, but {loose:.0%} of the edges have one only; repair the mesh"
        )
    if not (mesh.is_watertight and mesh.is_winding_consistent and mesh.volume < 0):
        return centered
    return [replace(piece, faces=piece.faces[:, ::-1], colors=piece.colors[:, ::-1]) for piece in centered]


@dataclass(frozen=True)
class TexturedSurface:
    """What is seen of an object: `points` [V, 3], `faces` [F, 3], `uv` [V, 2] and an image [H, W, 3]."""

    points: FloatArray
    faces: Faces
    uv: FloatArray
    image: TextureImage
    how: str
    """How its texture was made, in words."""


def textured_surface(
    pieces: Sequence[Piece], max_faces: int, texture_size: int, rng: np.random.Generator
) -> TexturedSurface:
    """Return one surface with one texture of all pieces.

    A mesh with one image and at most `max_faces` triangles keeps its triangles, coordinates and image. Otherwise the
    triangles are merged, decimated where they are too many, unwrapped anew, and their colors baked.

    :param texture_size: largest side of the texture, pixels
    :raises InvalidArgumentError: when the mesh cannot be decimated or unwrapped
    """
    count = sum(len(piece.faces) for piece in pieces)
    image = _own_image(pieces)
    if image is not None and count <= max_faces:
        return _kept(pieces, image, texture_size)
    points, faces = merged(pieces)
    how = "colors baked" if image is None else "texture baked anew"
    if len(faces) > max_faces:
        points, faces = decimated(points, faces, max_faces)
        how = f"{count} triangles decimated, {how}"
    source, faces, uv = _unwrapped(points, faces)
    points = points[source]
    size = texture_size if any(piece.image is not None for piece in pieces) else min(texture_size, _PLAIN_TEXTURE)
    return TexturedSurface(points, faces, uv, bake(pieces, points, faces, uv, size, rng), how)


def decimated(points: FloatArray, faces: Faces, count: int) -> tuple[FloatArray, Faces]:
    """Return a mesh with at most about `count` triangles of the same shape.

    :raises InvalidArgumentError: when nothing is left of it
    """
    corners, fewer = fast_simplification.simplify(
        np.asarray(points, dtype=np.float32), np.asarray(faces, dtype=np.int32), target_count=count
    )
    if not len(fewer):
        raise InvalidArgumentError("expected a mesh that can be decimated, but nothing is left; decimate it before")
    return np.asarray(corners, dtype=np.float64), np.asarray(fewer, dtype=np.int64)


def _own_image(pieces: Sequence[Piece]) -> TextureImage | None:
    """Return the image of a mesh with one image, whose colors are only those of the image."""
    first = pieces[0].image
    if first is None:
        return None
    for piece in pieces:
        if piece.image is None or not (piece.image is first or np.array_equal(piece.image, first)):
            return None
        if piece.colors.min() < 1 - 1 / 512:
            return None
    return first


def _kept(pieces: Sequence[Piece], image: TextureImage, texture_size: int) -> TexturedSurface:
    points, faces = joined(pieces)
    uv = np.concatenate([piece.uv for piece in pieces if piece.uv is not None])
    used, rows = np.unique(faces, return_inverse=True)
    how = "texture kept"
    if max(image.shape[:2]) > texture_size:
        smaller = Image.fromarray(image)
        smaller.thumbnail((texture_size, texture_size), Image.Resampling.LANCZOS)
        how = f"texture of {image.shape[1]} x {image.shape[0]} made smaller"
        image = np.asarray(smaller)
    return TexturedSurface(points[used], rows.reshape(-1, 3).astype(np.int64), uv[used], image, how)


def _unwrapped(points: FloatArray, faces: Faces) -> tuple[Faces, Faces, FloatArray]:
    """Return the vertex that each new one is made of, the faces, and the coordinates [V, 2] in [0, 1]."""
    try:
        source, fewer, uv = xatlas.parametrize(np.asarray(points, dtype=np.float32), np.asarray(faces, dtype=np.uint32))
    except RuntimeError as error:
        raise InvalidArgumentError(f"its surface cannot be unwrapped ({error}); repair the mesh") from error
    return np.asarray(source, dtype=np.int64), np.asarray(fewer, dtype=np.int64), np.asarray(uv, dtype=np.float64)


def bake(
    pieces: Sequence[Piece], points: FloatArray, faces: Faces, uv: FloatArray, size: int, rng: np.random.Generator
) -> TextureImage:
    """Return the texture uint8 [size, size, 3] of a mesh that has nearly the shape of some pieces, with their colors.

    :param points: [V, 3] of the mesh
    :param faces: [F, 3]
    :param uv: [V, 2], in [0, 1], no two faces on the same texels
    :param rng: draws the samples
    """
    mesh = trimesh.Trimesh(points, faces, process=False)
    rows, columns, face, places = _texels(uv[faces] * size, mesh.triangles, size)
    sampled, normals, colors = _samples(pieces, _SAMPLES_PER_TEXEL * size * size, rng)
    scale = _NORMAL_WEIGHT * float(np.linalg.norm(np.ptp(sampled, axis=0)))
    nearest = cKDTree(np.c_[sampled, scale * normals]).query(np.c_[places, scale * mesh.face_normals[face]], _NEAREST)[
        1
    ]
    image = np.zeros((size, size, 3))
    known = np.zeros((size, size), dtype=bool)
    image[rows, columns], known[rows, columns] = colors[nearest].mean(axis=1), True
    beside = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(np.round(255 * image[tuple(beside)]).clip(0, 255), dtype=np.uint8)


def _samples(
    pieces: Sequence[Piece], count: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points [N, 3] of the surface, evenly spread, their normals and their colors."""
    meshes = [trimesh.Trimesh(piece.points, piece.faces, process=False) for piece in pieces]
    total = sum(mesh.area for mesh in meshes)
    found = []
    for piece, mesh in zip(pieces, meshes, strict=True):
        number = int(np.ceil(count * mesh.area / total))
        points, rows = trimesh.sample.sample_surface(mesh, number, seed=int(rng.integers(2**31)))
        weights = trimesh.triangles.points_to_barycentric(mesh.triangles[rows], points)
        found.append((points, mesh.face_normals[rows], _colors(piece, rows, np.nan_to_num(weights))))
    points, normals, colors = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return points, normals, colors


def _colors(piece: Piece, rows: NDArray[np.int64], weights: FloatArray) -> FloatArray:
    """Return the colors [N, 3] at places of a piece, given by faces [N] and weights of their corners [N, 3]."""
    colors = np.einsum("nk,nkc->nc", weights, piece.colors[rows])
    if piece.image is None or piece.uv is None:
        return np.asarray(colors)
    u, v = np.einsum("nk,nkd->nd", weights, piece.uv[piece.faces[rows]]).T
    height, width = piece.image.shape[:2]
    x = np.floor((u % 1) * width).astype(np.int64).clip(0, width - 1)
    y = np.floor(((1 - v) % 1) * height).astype(np.int64).clip(0, height - 1)
    return np.asarray(colors * piece.image[y, x] / 255)


def _texels(corners: FloatArray, places: FloatArray, size: int) -> tuple[Faces, Faces, Faces, FloatArray]:
    """Return row, column, face and place [3] of each texel that a face covers.

    :param corners: [F, 3, 2] of the faces, texels from the lower left corner
    :param places: [F, 3, 3] of the same corners
    """
    drawn = Image.new("I", (size, size), -1)
    pen = ImageDraw.Draw(drawn)
    for number, corner in enumerate((corners - 0.5).tolist()):
        pen.polygon([tuple(point) for point in corner], fill=number)
    face = np.asarray(drawn)
    y, x = np.nonzero(face >= 0)
    face = face[y, x].astype(np.int64)
    flat = np.pad(corners[face], ((0, 0), (0, 0), (0, 1)))
    weights = trimesh.triangles.points_to_barycentric(flat, np.stack([x + 0.5, y + 0.5, 0.0 * x], axis=1))
    weights = np.nan_to_num(weights).clip(0, 1)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return size - 1 - y, x, face, np.einsum("nk,nkd->nd", weights, places[face])


def convex_parts(
    points: FloatArray, faces: Faces, max_parts: int, threshold: float, rng: np.random.Generator
) -> list[FloatArray]:
    """Cut a mesh into convex parts, and return the corners [N, 3] of each.

    :param points: [V, 3] of a mesh whose equal points are one, meters
    :param max_parts: most parts
    :param threshold: how far a part may be from convex before it is cut again, 0.01 (many parts) to 1 (one)
    :param rng: draws the points of the surface that are checked
    :raises InvalidArgumentError: when a part has no volume, or the parts leave out some of the mesh
    """
    mesh = trimesh.Trimesh(points, faces, process=False)
    fewer = decimated(points, faces, _FACES) if len(faces) > _FACES else (points, faces)
    shells = np.array([shell.bounds for shell in trimesh.Trimesh(*fewer, process=False).split(only_watertight=False)])
    around = (shells[:, None, 0] <= shells[:, 0]) & (shells[:, None, 1] >= shells[:, 1])
    nested = int(around.all(axis=-1).sum()) > len(shells)  # what is inside is filled, or the search has no end
    options = {"threshold": threshold, "max_convex_hull": max_parts, **_SEARCH}
    parts = cut(*fewer, options | ({"preprocess_mode": "on"} if nested else {}))
    hulls = [hull for hull in (_closed(np.round(corners, 6)) for corners in parts) if hull is not None]
    covered = _covered(mesh, hulls, rng) if hulls else 0.0
    if covered < _COVERED:
        raise InvalidArgumentError(
            f"expected convex parts that cover the mesh, but they cover {covered:.0%} of its surface; allow more parts "
            "(max_parts=), lower threshold=, or repair the mesh"
        )
    return hulls


def _closed(corners: FloatArray) -> FloatArray | None:
    """Return the corners of the convex hull of a part; None for one without a volume, or not closed."""
    try:
        hull = trimesh.convex.convex_hull(corners)
    except QhullError:
        return None
    solid = hull.volume >= 1e-12 and hull.is_watertight and hull.is_convex
    return np.asarray(hull.vertices, dtype=np.float64) if solid else None


def _covered(mesh: trimesh.Trimesh, hulls: list[FloatArray], rng: np.random.Generator) -> float:
    places, _ = trimesh.sample.sample_surface(mesh, _SAMPLES, seed=int(rng.integers(2**31)))
    outside = np.full(len(places), np.inf)
    for hull in hulls:
        planes = ConvexHull(hull).equations
        outside = np.minimum(outside, (places @ planes[:, :3].T + planes[:, 3]).max(axis=1))
    return float(np.mean(outside <= _TOLERANCE * np.linalg.norm(mesh.extents)))
