"""Reads a mesh file into pieces, and checks them; trimesh reads the formats."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import trimesh
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError, PickClutterError
from pickclutter_lang.objects.meshes.mesh_sources import MeshSource
from pickclutter_lang.objects.meshes.settings import UNITS
from pickclutter_lang.objects.meshes.surface import Faces, Piece, TextureImage
from pickclutter_lang.utils.json_files import read_file
from pickclutter_lang.utils.typing import FloatArray

MAX_BYTES = 256 * 2**20
"""Largest file of a mesh, material or texture."""


class MeshFiles:
    """Gives a reader of meshes the files that it asks for, and notes which; trimesh takes it as its resolver.

    Readers of materials pass over what they cannot load. So `problem` keeps the first error.
    """

    def __init__(self, root: Path, folders: Sequence[str] = ()) -> None:
        """Prepare it.

        :param root: the folder outside of which nothing is read
        :param folders: folders of `root` in which a name is looked up after `root` itself
        """
        self.root = root.resolve()
        self.folders = (".", *folders)
        self.hashes: dict[str, str] = {}
        """Path below `root` of each file that was read -> sha256 of its bytes."""
        self.problem: PickClutterError | None = None

    def get(self, name: str) -> bytes:
        """Return the bytes of a file.

        :raises InvalidArgumentError: for one outside of the folder, an address, or a file that cannot be read
        """
        try:
            path = self.find(name)
            data = read_bounded(path)
        except PickClutterError as error:
            self.problem = self.problem or error
            raise
        self.hashes[path.relative_to(self.root).as_posix()] = hashlib.sha256(data).hexdigest()
        return data

    __getitem__ = get

    def find(self, name: str) -> Path:
        """Return the path of a file that a mesh names."""
        clean = name.strip().strip('"').replace("\\", "/")
        if "://" in clean:
            raise InvalidArgumentError(f"it names {_short(name)}, an address; download it, and name a file beside it")
        for word in (clean, unquote(clean)):
            for folder in self.folders:
                path = (self.root / folder / word).resolve()
                if path.is_relative_to(self.root) and path.is_file():
                    return path
        inside = any((self.root / one / unquote(clean)).resolve().is_relative_to(self.root) for one in self.folders)
        if not inside:
            raise InvalidArgumentError(f"it names {_short(name)}, outside of its folder; copy that file beside it")
        raise InvalidArgumentError(f"it names {_short(name)}, which is not there; put that file beside it")


def read_bounded(path: Path) -> bytes:
    """Return the bytes of a file.

    :raises InvalidArgumentError: when it is missing, no regular file, or larger than `MAX_BYTES`
    """
    try:
        return read_file(path, MAX_BYTES)
    except OSError as error:
        raise InvalidArgumentError(f"{path.name} cannot be read ({error.strerror})") from error


def check_xml(data: bytes) -> None:
    """Raise InvalidArgumentError for XML that declares entities, by which a small file can become a huge one."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InvalidArgumentError("expected XML without declarations of entities; remove its <!DOCTYPE ...>")


def _short(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:97] + "...")


Element = ElementTree.Element


@dataclass(frozen=True)
class VisiblePart:
    """A `<visual>` of a link: a mesh file or a simple solid, where it lies, and its color."""

    matrix: FloatArray
    """[4, 4], from the part to the first link."""
    file: str | None
    solid: Any = None
    color: tuple[int, ...] | None = None

    def placed(self, meshes: Sequence[Any]) -> list[Any]:
        """Return the meshes of its file, or its solid, in the frame of the first link."""
        parts = list(meshes) if self.file else [self.solid]
        for part in parts:
            part.apply_transform(self.matrix)
            if self.color is not None and not part.visual.defined:
                part.visual.face_colors = self.color
        return parts


def read_urdf(data: bytes) -> list[VisiblePart]:
    """Return the visible parts of all links.

    :raises InvalidArgumentError: when it is no URDF, or has no visible part
    """
    check_xml(data)
    try:
        robot = ElementTree.fromstring(data)
        if robot.tag != "robot":
            raise ValueError(f"its first element is {robot.tag}")
        frames = _frames(robot)
        colors = {str(one.get("name")): _color(one) for one in robot.findall("material")}
        parts = [
            _part(visual, frames[str(link.get("name"))], colors)
            for link in robot.findall("link")
            for visual in link.findall("visual")
        ]
    except (ElementTree.ParseError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgumentError(f"expected a URDF, but it cannot be read ({error}); correct it") from error
    if not parts:
        raise InvalidArgumentError("expected a URDF with <visual> in a <link>, but it has none; add one")
    return parts


def _frames(robot: Element) -> dict[str, FloatArray]:
    """Return the frame [4, 4] of each link, with all joints at zero."""
    above = {}
    for joint in robot.findall("joint"):
        parent, child = joint.find("parent"), joint.find("child")
        if parent is None or child is None:
            raise ValueError(f"joint {joint.get('name')} lacks its parent or child")
        above[str(child.get("link"))] = (str(parent.get("link")), _origin(joint))
    frames = {}
    for link in (str(one.get("name")) for one in robot.findall("link")):
        matrix, name, seen = np.eye(4), link, {link}
        while name in above:
            name, step = above[name]
            matrix = step @ matrix
            if name in seen:
                raise ValueError(f"the joints of link {link} go in a circle")
            seen.add(name)
        frames[link] = matrix
    return frames


def _part(visual: Element, frame: FloatArray, colors: dict[str, tuple[int, ...] | None]) -> VisiblePart:
    material, geometry = visual.find("material"), visual.find("geometry")
    shape = None if geometry is None else next(iter(geometry), None)
    if shape is None:
        raise ValueError("a <visual> has no <geometry>")
    color = None if material is None else _color(material) or colors.get(str(material.get("name")))
    matrix = frame @ _origin(visual)
    if shape.tag == "mesh":
        scale = np.diag([*_numbers(shape.get("scale", "1 1 1"), 3), 1.0])
        # A package is the folder of the URDF: nothing is read outside of it.
        file = re.sub(r"^(package://[^/]+/|file://)", "", str(shape.get("filename", "")))
        if not file:
            raise ValueError("a <mesh> has no filename")
        return VisiblePart(matrix @ scale, file, color=color)
    return VisiblePart(matrix, None, _solid(shape), color)


def _solid(shape: Element) -> Any:
    if shape.tag == "box":
        return trimesh.creation.box(_numbers(shape.get("size"), 3))
    if shape.tag == "sphere":
        return trimesh.creation.icosphere(radius=_numbers(shape.get("radius"), 1)[0])
    if shape.tag == "cylinder":
        return trimesh.creation.cylinder(_numbers(shape.get("radius"), 1)[0], _numbers(shape.get("length"), 1)[0])
    raise ValueError(f"<{shape.tag}> is no geometry of a URDF")


def _origin(element: Element) -> FloatArray:
    """Return the matrix [4, 4] of an element's `<origin>`."""
    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    roll, pitch, yaw = _numbers(origin.get("rpy", "0 0 0"), 3)
    matrix = np.array(trimesh.transformations.euler_matrix(roll, pitch, yaw, axes="sxyz"), dtype=np.float64)
    matrix[:3, 3] = _numbers(origin.get("xyz", "0 0 0"), 3)
    return matrix


def _color(material: Element) -> tuple[int, ...] | None:
    color = material.find("color")
    return None if color is None else tuple(round(255 * value) for value in _numbers(color.get("rgba"), 4))


def _numbers(text: str | None, count: int) -> list[float]:
    values = [float(word) for word in (text or "").split()]
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"expected {count} numbers, but got {text!r}")
    return values


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
