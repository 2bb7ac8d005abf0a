"""Reads a mesh file into pieces, and checks them; trimesh reads the formats."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError, PickClutterError
from pickclutter_lang.objects.meshes.files import MeshFiles, check_xml
from pickclutter_lang.objects.meshes.mesh_sources import MeshSource
from pickclutter_lang.objects.meshes.pieces import Faces, Piece, TextureImage
from pickclutter_lang.objects.meshes.settings import UNITS
from pickclutter_lang.objects.meshes.urdf import read_urdf
from pickclutter_lang.utils.typing import FloatArray

MAX_FACES = 2_000_000
"""Most triangles of a mesh that is read."""
MAX_IMAGE_SIDE = 16384
"""Largest side of a texture that is read, pixels."""
GRAY = (0.75, 0.75, 0.75)
"""Color of what a file gives none."""


@dataclass(frozen=True)
class MeshContent:
    """What a file holds: pieces, the length of their unit in meters, the axis that points up, and the files read."""

    pieces: list[Piece]
    meters: float
    up: str
    hashes: dict[str, str]


def read_mesh(source: MeshSource) -> MeshContent:
    """Read a mesh with its materials and textures.

    :raises InvalidArgumentError: naming what is wrong with it
    """
    files = MeshFiles(source.root, source.folders)
    path, root = source.path.resolve(), source.root.resolve()
    inside = path.relative_to(root) if path.is_relative_to(root) else source.path.relative_to(source.root)
    name = inside.as_posix()  # of a link to the outside its own, which `MeshFiles` refuses
    meters, up = UNITS[source.unit or "m"], "z"
    if source.path.suffix.lower() == ".urdf":
        geometries = []
        for part in read_urdf(files.get(name)):
            geometries += part.placed(_load_scaled(part.file, files) if part.file else [])
    else:
        loaded = _load(name, files)
        geometries, meters, up = loaded.geometries, meters * loaded.meters, loaded.up
    linear = source.path.suffix.lower() in (".glb", ".gltf")
    pieces = [_piece(geometry, linear) for geometry in geometries]
    _check(pieces)
    return MeshContent(pieces, meters, up, files.hashes)


@dataclass(frozen=True)
class _Loaded:
    geometries: list[Any]
    meters: float
    up: str


def _load(name: str, files: MeshFiles) -> _Loaded:
    """Return the meshes of a file of `files.root`, in its own unit and axes."""
    data, suffix = files.get(name), Path(name).suffix.lower()
    inner: Any = MeshFiles(files.root, (Path(name).parent.as_posix(), *files.folders))
    meters, up = 1.0, "y" if suffix in (".glb", ".gltf") else "z"
    if suffix == ".dae":
        meters, up = _collada_axes(data)
    try:
        scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], resolver=inner, process=False)
        geometries = _placed_meshes(scene)
    except PickClutterError:
        raise
    except Exception as error:  # readers of formats fail in their own ways at what is cut off or damaged
        raise inner.problem or InvalidArgumentError(
            f"expected a mesh as {suffix[1:]}, but it cannot be read ({' '.join(str(error).split())[:120]}); "
            "it is cut off or damaged: export it again"
        ) from error
    if inner.problem is not None:
        raise inner.problem
    files.hashes.update(inner.hashes)
    return _Loaded(geometries, meters, up)


def _placed_meshes(scene: trimesh.Scene) -> list[Any]:
    """Return the meshes of a scene where it puts them, ordered by name."""
    found = []
    for node in sorted(scene.graph.nodes_geometry):
        matrix, name = scene.graph[node]
        geometry = scene.geometry[name]
        if isinstance(geometry, trimesh.Trimesh) and len(geometry.faces):
            found.append(geometry.copy().apply_transform(matrix))
    return found


def _load_scaled(name: str, files: MeshFiles) -> list[Any]:
    """Return the meshes of a file that a URDF names, in meters; their axes are those of the link."""
    loaded = _load(name, files)
    for geometry in loaded.geometries:
        geometry.apply_scale(loaded.meters)
    return loaded.geometries


def _collada_axes(data: bytes) -> tuple[float, str]:
    """Return the unit of a COLLADA file in meters, and its axis that points up."""
    check_xml(data)
    unit = re.search(rb"<unit\b[^>]*\bmeter\s*=\s*[\"']([^\"']*)[\"']", data)
    axis = re.search(rb"<up_axis>\s*([XYZ])_UP", data)
    try:
        meters = float(unit[1]) if unit else 1.0
    except ValueError:
        meters = 1.0
    if not 1e-6 < meters < 1e6:
        raise InvalidArgumentError(f"expected a unit of a length, but got {meters} m; correct <unit> in the file")
    return meters, axis[1].decode().lower() if axis else "y"


def _piece(geometry: Any, linear: bool) -> Piece:
    """Return a mesh of trimesh as a piece.

    :param linear: plain colors are intensities of light, as in glTF
    """
    points = np.asarray(geometry.vertices, dtype=np.float64)
    faces = np.asarray(geometry.faces, dtype=np.int64)
    visual, image, uv = geometry.visual, None, None
    if faces.size and (faces.min() < 0 or faces.max() >= len(points)):
        raise InvalidArgumentError("expected faces of vertices that are there, but it is cut off; export it again")
    colors = np.broadcast_to(np.array(GRAY), (len(faces), 3, 3))
    if visual.kind == "texture":
        image, uv = _image(visual.material), visual.uv
        plain = _main_color(visual.material, image is not None)
        colors = np.broadcast_to(_encoded(plain) if linear else plain, (len(faces), 3, 3))
        if image is not None:
            uv = _checked_uv(uv, len(points))
    elif visual.kind in ("vertex", "face"):
        colors = _own_colors(visual, faces)
        colors = _encoded(colors) if linear else colors
    return Piece(points, faces, np.asarray(colors), uv if image is not None else None, image)


def _checked_uv(uv: Any, count: int) -> FloatArray:
    if uv is None or np.shape(uv) != (count, 2):
        raise InvalidArgumentError(
            "expected texture coordinates (UV) since it names a texture, but it has none; unwrap it, or remove the "
            "texture"
        )
    made = np.asarray(uv, dtype=np.float64)
    if not np.isfinite(made).all():
        raise InvalidArgumentError("expected finite texture coordinates, but some are NaN or infinite; unwrap it again")
    return made


def _image(material: Any) -> TextureImage | None:
    """Return the image of a material, without its alpha."""
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if image is None:
        return None
    if max(image.size) > MAX_IMAGE_SIDE:
        raise InvalidArgumentError(
            f"expected a texture of at most {MAX_IMAGE_SIDE} pixels a side, but got {image.size}; make it smaller"
        )
    try:
        return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidArgumentError(f"its texture cannot be read ({error}); export it again") from error


def _main_color(material: Any, textured: bool) -> FloatArray:
    """Return the color of a material; of Wavefront's, a texture is the color alone, as most programs take it."""
    color = getattr(material, "baseColorFactor", None)
    if color is None and not textured:
        color = getattr(material, "diffuse", None)
    return np.ones(3) if color is None else np.asarray(color, dtype=np.float64)[:3] / 255


def _own_colors(visual: Any, faces: Faces) -> FloatArray:
    if visual.kind == "face":
        return np.repeat(np.asarray(visual.face_colors, dtype=np.float64)[:, None, :3] / 255, 3, axis=1)
    return np.asarray(np.asarray(visual.vertex_colors, dtype=np.float64)[:, :3][faces] / 255)


def _encoded(light: FloatArray) -> FloatArray:
    """Return intensities of light in [0, 1] as sRGB."""
    high = 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, high))


def _check(pieces: Sequence[Piece]) -> None:
    count = sum(len(piece.faces) for piece in pieces)
    if count == 0:
        raise InvalidArgumentError(
            "expected a mesh with faces, but it has none: it is cut off, or has points alone; export its surface again"
        )
    if count > MAX_FACES:
        raise InvalidArgumentError(f"expected at most {MAX_FACES} triangles, but got {count}; decimate it before")
    for piece in pieces:
        if not np.isfinite(piece.points[piece.faces]).all():
            raise InvalidArgumentError("expected finite vertices, but some are NaN or infinite; export it again")
