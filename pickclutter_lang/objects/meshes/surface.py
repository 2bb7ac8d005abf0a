"""One textured surface of a mesh: its own texture where it has one and is small enough, otherwise a baked one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import fast_simplification
import numpy as np
import xatlas
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes.baking import bake
from pickclutter_lang.objects.meshes.pieces import Faces, Piece, TextureImage, merged
from pickclutter_lang.utils.typing import FloatArray

_PLAIN_TEXTURE = 512
"""Largest side of a texture baked of colors alone, pixels."""


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
    fewer, triangles = fast_simplification.simplify(
        np.asarray(points, dtype=np.float32), np.asarray(faces, dtype=np.int32), target_count=count
    )
    if not len(triangles):
        raise InvalidArgumentError("expected a mesh that can be decimated, but nothing is left; decimate it before")
    return np.asarray(fewer, dtype=np.float64), np.asarray(triangles, dtype=np.int64)


def _own_image(pieces: Sequence[Piece]) -> TextureImage | None:
    """Return the image of a mesh with one image, whose colors are those of the image alone."""
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
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    points = np.concatenate([piece.points for piece in pieces])
    faces = np.concatenate([piece.faces + start for piece, start in zip(pieces, starts[:-1], strict=True)])
    uv = np.concatenate([piece.uv for piece in pieces if piece.uv is not None])
    used, rows = np.unique(faces, return_inverse=True)
    how = "texture kept"
    if max(image.shape[:2]) > texture_size:
        smaller = Image.fromarray(image)
        smaller.thumbnail((texture_size, texture_size), Image.Resampling.LANCZOS)
        how, image = f"texture of {image.shape[1]} x {image.shape[0]} made smaller", np.asarray(smaller)
    return TexturedSurface(points[used], rows.reshape(-1, 3).astype(np.int64), uv[used], image, how)


def _unwrapped(points: FloatArray, faces: Faces) -> tuple[Faces, Faces, FloatArray]:
    """Return the vertex that each new one is made of, the faces, and the coordinates [V, 2] in [0, 1]."""
    try:
        source, triangles, uv = xatlas.parametrize(
            np.asarray(points, dtype=np.float32), np.asarray(faces, dtype=np.uint32)
        )
    except RuntimeError as error:
        raise InvalidArgumentError(f"its surface cannot be unwrapped ({error}); repair the mesh") from error
    return np.asarray(source, dtype=np.int64), np.asarray(triangles, dtype=np.int64), np.asarray(uv, dtype=np.float64)
