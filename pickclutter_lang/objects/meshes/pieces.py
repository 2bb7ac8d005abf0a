"""`Piece`: triangles with their color, as a file has them; a mesh is a list of pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.utils.typing import FloatArray

Faces = NDArray[np.int64]
TextureImage = NDArray[np.uint8]


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


def merged(pieces: Sequence[Piece]) -> tuple[FloatArray, Faces]:
    """Return one mesh of all pieces, [V, 3] and [F, 3]: equal points are one, triangles without an area are gone."""
    points = np.concatenate([piece.points for piece in pieces])
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    faces = np.concatenate([piece.faces + start for piece, start in zip(pieces, starts[:-1], strict=True)])
    cell = 1e-6 * float(np.ptp(bounds(pieces), axis=0).max())
    _, first, index = np.unique(np.round(points / cell), axis=0, return_index=True, return_inverse=True)
    faces = index.reshape(-1)[faces]
    corners = points[first][faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    faces = faces[area > cell**2]
    used, rows = np.unique(faces, return_inverse=True)
    return points[first][used], rows.reshape(-1, 3).astype(np.int64)
