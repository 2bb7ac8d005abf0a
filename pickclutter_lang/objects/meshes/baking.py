"""Colors of a mesh onto one texture of another: from samples of its surface to the texels of new coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from pickclutter_lang.objects.meshes.pieces import Faces, Piece, TextureImage
from pickclutter_lang.utils.typing import FloatArray

_SAMPLES_PER_TEXEL = 3
_NEAREST = 4
"""Samples of which a texel is the mean."""
_NORMAL_WEIGHT = 0.02
"""Share of the mesh's diagonal that opposite sides of a thin wall count as apart."""


def bake(
    pieces: Sequence[Piece], points: FloatArray, faces: Faces, uv: FloatArray, size: int, rng: np.random.Generator
) -> TextureImage:
    """Return the texture uint8 [size, size, 3] of a mesh that has nearly the shape of some pieces, with their colors.

    :param points: [V, 3] of the mesh
    :param faces: [F, 3]
    :param uv: [V, 2], in [0, 1], no two faces on the same texels
    :param rng: draws the samples
    """
    rows, columns, face, weights = _texels(uv[faces] * size, size)
    corners = points[faces[face]]
    places = np.einsum("nk,nkd->nd", weights, corners)
    sampled, normals, colors = _samples(pieces, _SAMPLES_PER_TEXEL * size * size, rng)
    scale = _NORMAL_WEIGHT * float(np.linalg.norm(np.ptp(sampled, axis=0)))
    tree = cKDTree(np.c_[sampled, scale * normals])
    nearest = tree.query(np.c_[places, scale * _normals(corners)], k=_NEAREST)[1]
    image, known = np.zeros((size, size, 3)), np.zeros((size, size), dtype=bool)
    image[rows, columns], known[rows, columns] = colors[nearest].mean(axis=1), True
    beside = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(np.round(255 * image[tuple(beside)]).clip(0, 255), dtype=np.uint8)


def _samples(
    pieces: Sequence[Piece], count: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points [N, 3] of the surface, evenly spread, their normals and their colors."""
    areas = [_areas(piece.points[piece.faces]) for piece in pieces]
    total = sum(float(area.sum()) for area in areas)
    found = []
    for piece, area in zip(pieces, areas, strict=True):
        number = int(np.ceil(count * area.sum() / total))
        places = np.sort(rng.uniform(0, area.sum(), number))
        rows = np.searchsorted(np.cumsum(area), places).clip(max=len(area) - 1)
        along, across = rng.random((2, number))
        root = np.sqrt(along)
        weights = np.stack([1 - root, root * (1 - across), root * across], axis=1)
        corners = piece.points[piece.faces[rows]]
        points = np.einsum("nk,nkd->nd", weights, corners)
        found.append((points, _normals(corners), _colors(piece, rows, weights)))
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


def _areas(corners: FloatArray) -> FloatArray:
    return np.asarray(0.5 * np.linalg.norm(_cross(corners), axis=1))


def _normals(corners: FloatArray) -> FloatArray:
    """Return the unit normals of triangles [N, 3, 3]; zero for those without an area."""
    cross = _cross(corners)
    length = np.linalg.norm(cross, axis=1, keepdims=True)
    return np.asarray(cross / np.where(length > 0, length, 1))


def _cross(corners: FloatArray) -> FloatArray:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _texels(
    corners: FloatArray, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Return row, column, face, and weights of the face's corners of each texel whose center lies on a face.

    :param corners: [F, 3, 2] of the faces, texels from the lower left corner
    """
    found: list[tuple[NDArray[np.int64], ...]] = []
    weights = []
    for number, ((ax, ay), (bx, by), (cx, cy)) in enumerate(corners.tolist()):
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if area == 0:
            continue
        x = np.arange(max(0, int(min(ax, bx, cx))), min(size, int(max(ax, bx, cx)) + 1))
        y = np.arange(max(0, int(min(ay, by, cy))), min(size, int(max(ay, by, cy)) + 1))
        px, py = x[None, :] + 0.5 - ax, y[:, None] + 0.5 - ay
        second = (px * (cy - ay) - (cx - ax) * py) / area
        third = ((bx - ax) * py - px * (by - ay)) / area
        rows, columns = np.nonzero((second >= 0) & (third >= 0) & (second + third <= 1))
        second, third = second[rows, columns], third[rows, columns]
        found.append((size - 1 - y[rows], x[columns], np.full(len(rows), number)))
        weights.append(np.stack([1 - second - third, second, third], axis=1))
    rows, columns, face = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, face, np.concatenate(weights)
