"""Reads a mesh file into pieces, and checks them; trimesh reads the formats."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import trimesh

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes import UNITS
from pickclutter_lang.objects.meshes.model import Faces, Piece, TextureImage
from pickclutter_lang.objects.meshes.sources import MeshSource
from pickclutter_lang.utils.images import MAX_PIXELS
from pickclutter_lang.utils.reading import read_file
from pickclutter_lang.utils.typing import FloatArray

MAX_BYTES = 256 * 2**20
"""Largest file of a mesh, material or texture."""
MAX_FACES = 2_000_000
"""Most triangles of a mesh that is read, with all its copies."""
MAX_PIECES = 2000
"""Most solids, primitives and copies that a mesh is made of."""
_MAX_NODES = 10_000  # of COLLADA, with all copies, and of glTF
_GRAY = (0.75, 0.75, 0.75)  # of what a file gives no color
_EXTENSIONS = {
    "EXT_texture_webp", "KHR_lights_punctual", "KHR_materials_clearcoat", "KHR_materials_emissive_strength",
    "KHR_materials_ior", "KHR_materials_pbrSpecularGlossiness", "KHR_materials_sheen", "KHR_materials_specular",
    "KHR_materials_unlit", "KHR_materials_variants", "KHR_mesh_quantization",
}  # fmt: skip
"""Extensions of glTF that a file may require: trimesh reads them, or triangles and textures are the same without."""
_SOLIDS: dict[str, tuple[int, Callable[[dict[str, list[float]]], Any]]] = {
    "box": (12, lambda size: trimesh.creation.box(size["size"])),
    "sphere": (1280, lambda size: trimesh.creation.icosphere(radius=size["radius"][0])),
    "cylinder": (128, lambda size: trimesh.creation.cylinder(size["radius"][0], size["length"][0])),
}
"""Simple solid of a URDF -> its triangles, and what makes it of its attributes."""
_DROPPED = re.compile("(failed|unable) to (load (image|base texture|mesh)|process extension)|ktx2")
Element = ElementTree.Element


@dataclass(frozen=True)
class MeshContent:
    """What a file holds: pieces, the length of their unit in meters, the axis that points up, and the files read."""

    pieces: list[Piece]
    meters: float
    up: str
    hashes: dict[str, str]
    """Path below the root of each file that was read -> sha256 of its bytes."""


class MeshFiles(logging.Handler):
    """The files that a mesh names, all below one folder; trimesh takes it as its resolver, and logs to it.

    Readers of materials pass over what they cannot load. So `problem` keeps the first error.
    """

    def __init__(self, root: Path, folders: Sequence[str] = ()) -> None:
        """Prepare it.

        :param root: the folder outside of which nothing is read
        :param folders: folders of `root` in which a name is looked up after `root` itself
        """
        super().__init__()
        self.root = root.resolve()
        self.folders = [".", *folders]
        self.hashes: dict[str, str] = {}
        self.problem: InvalidArgumentError | None = None
        self.faces = self.pieces = 0

    def get(self, name: str) -> bytes:
        """Return the bytes of a file.

        :raises InvalidArgumentError: for one outside of the folder, an address, or a file that cannot be read
        """
        clean = name.strip().strip('"').replace("\\", "/")
        words = clean.split()
        if clean.startswith("-"):  # options of a texture, as Blender writes them
            clean = words[-1]
        if len(words) > 1 and all(word.lower().endswith(".mtl") for word in words):
            return b"\n".join(map(self.get, dict.fromkeys(words)))  # of one line: `mtllib a.mtl b.mtl`
        reason = "which is no file of its folder; copy it there"
        try:
            for place in (self.root / folder / word for word in (clean, unquote(clean)) for folder in self.folders):
                path = place.resolve()
                if path.is_relative_to(self.root) and path.is_file():
                    data = read_file(path, MAX_BYTES)
                    self.hashes[path.relative_to(self.root).as_posix()] = hashlib.sha256(data).hexdigest()
                    return data
        except (OSError, ValueError) as error:
            reason = f"which cannot be read: {getattr(error, 'strerror', error)}"
        self.problem = self.problem or InvalidArgumentError(f"it names {name[:100]!r}, {reason}")
        raise self.problem

    __getitem__ = get

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what trimesh says of an image, a mesh or an extension that it drops."""
        if _DROPPED.search(record.getMessage()):
            reason = record.exc_info[1] if record.exc_info else record.getMessage()
            self.problem = self.problem or InvalidArgumentError(
                f"{next(reversed(self.hashes))} has an image or a mesh that cannot be read "
                f"({' '.join(str(reason).split())[:120]}); export it again, without compression"
            )

    def count(self, faces: int, pieces: int = 1) -> None:
        """Add triangles and pieces, before they are made.

        :raises InvalidArgumentError: when they are too many
        """
        self.faces += faces
        self.pieces += pieces
        if self.faces > MAX_FACES or self.pieces > MAX_PIECES:
            raise InvalidArgumentError(
                f"expected a mesh of at most {MAX_FACES} triangles in {MAX_PIECES} pieces, with all copies, but it has "
                "more; decimate or join it before"
            )


def read_mesh(source: MeshSource) -> MeshContent:
    """Read a mesh with its materials and textures.

    :raises InvalidArgumentError: naming what is wrong with it
    """
    files = MeshFiles(source.root, source.folders)
    name = source.path.relative_to(source.root).as_posix()
    suffix = source.path.suffix.lower()
    try:
        with _messages_of_trimesh(files):
            if suffix == ".urdf":
                geometries = _read_urdf(files.get(name), files)
                meters = 1.0
                up = "z"
            else:
                geometries, meters, up = _load(name, files)
            if files.problem is not None:
                raise files.problem
            pieces = [_piece(geometry, linear=suffix in (".glb", ".gltf")) for geometry in geometries]
    except InvalidArgumentError:
        raise
    except Exception as error:  # readers of formats fail in their own ways at what is cut off or damaged
        raise files.problem or InvalidArgumentError(
            f"expected a mesh as {suffix[1:].upper()}, but {next(reversed(files.hashes), name)} cannot be read "
            f"({' '.join(str(error).split())[:120]}); it is cut off or damaged: export it again"
        ) from error
    if not any(len(piece.faces) for piece in pieces):
        raise InvalidArgumentError("expected a mesh of triangles, but it has none: it is cut off, or has points only")
    return MeshContent(pieces, meters * UNITS[source.unit or "m"], up, files.hashes)


@contextmanager
def _messages_of_trimesh(handler: logging.Handler) -> Iterator[None]:
    """Give all messages of trimesh only to a handler, in the block."""
    logger = logging.getLogger("trimesh")
    before = logger.handlers, logger.propagate, logger.level
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before[:2]
        logger.setLevel(before[2])


def _load(name: str, files: MeshFiles) -> tuple[list[Any], float, str]:
    """Return the meshes of a file in its own unit and axes, where its scene puts them; its unit in meters; its up."""
    data = files.get(name)
    suffix = Path(name).suffix.lower()
    meters = 1.0
    up = "y" if suffix in (".glb", ".gltf") else "z"
    if suffix == ".dae":
        unit = re.search(rb"<unit\b[^>]*\bmeter\s*=\s*[\"']([^\"']*)[\"']", data)
        axis = re.search(rb"<up_axis>\s*([XYZ])_UP", data)
        meters = float(unit[1]) if unit else 1.0
        up = axis[1].decode().lower() if axis else "y"
        _check_nodes(ElementTree.fromstring(data))
    elif up == "y":
        _check_gltf(data)
    elif suffix == ".ply":
        _check_rows(data)
    elif suffix == ".obj" and re.search(rb"(?m)^\s*f\b[^\n]*[ \t/]0+(?![^\s/])", data):
        raise ValueError("a face has the index 0, but the first is 1")
    resolver: Any = files
    files.folders.insert(0, Path(name).parent.as_posix())  # its materials lie beside it
    scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], resolver=resolver, process=False)
    del files.folders[0]
    placed = [scene.graph[node] for node in sorted(scene.graph.nodes_geometry)]
    meshes = [(scene.geometry[geometry_name], matrix) for matrix, geometry_name in placed]
    meshes = [(mesh, matrix) for mesh, matrix in meshes if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces)]
    files.count(sum(len(mesh.faces) for mesh, _ in meshes), len(meshes))
    return [mesh.copy().apply_transform(matrix) for mesh, matrix in meshes], meters, up


def _check_gltf(data: bytes) -> None:
    """Raise an error for glTF that trimesh reads as something else, or of which it makes too much."""
    binary = data.startswith(b"glTF")
    content = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")] if binary else data)
    accessors, nodes = content.get("accessors", []), content.get("nodes", [])
    primitives = [one for mesh in content.get("meshes", ()) for one in mesh["primitives"]]
    used = [one["attributes"] | {"": one.get("indices", 0)} for one in primitives]
    read = [(name, accessors[index]) for of in used for name, index in of.items()]
    below = [child for node in nodes for child in node.get("children", ())]
    unread = sorted({*content.get("extensionsRequired", ())} - _EXTENSIONS)
    wrong = {
        f"it requires {', '.join(unread)}": unread,
        "a negative count": any(one["count"] < 0 for one in accessors),
        "sparse numbers": any("sparse" in one for _, one in read),
        "normalized integers": any(one.get("normalized") for name, one in read if name in ("POSITION", "TEXCOORD_0")),
        "a node is there twice": len({*below}) < len(below),
        "too many nodes or primitives": len(nodes) > _MAX_NODES or len(used) > MAX_PIECES,
        "too many numbers": sum(one["count"] for _, one in read) > 9 * MAX_FACES,
    }
    if reasons := [reason for reason, found in wrong.items() if found]:
        raise ValueError(reasons[0])


def _check_rows(data: bytes) -> None:
    """Raise ValueError for a PLY of text whose rows are fewer, or shorter, than they say."""
    head, _, body = data.partition(b"end_header")
    if re.search(rb"format\s+ascii", head):
        numbers = np.fromstring(body, sep=" ")
        place = 0
        for count, rows in re.findall(rb"element\s+\S+\s+(\d+)((?:\s+(?:property|comment)[^\n]*)*)", head):
            lists = [line.split()[0] == b"list" for line in re.findall(rb"property\s+([^\n]*)", rows)]
            for _ in range(min(int(count), len(numbers))):
                for is_list in lists:
                    place += 1 + (int(numbers[place]) if is_list else 0)
        if place != len(numbers):
            raise ValueError(f"its rows have {len(numbers)} numbers, but should have {place}")


def _check_nodes(root: Element) -> None:
    """Raise ValueError for COLLADA with too many nodes, each as often as it is instanced."""
    nodes = [node for node in root.iter() if node.tag.rpartition("}")[2] == "node"][: _MAX_NODES + 1]
    inside = {
        str(node.get("id")): [str(one.get("url"))[1:] for one in node.iter() if one.tag.endswith("instance_node")]
        for node in nodes
    }

    @cache
    def size(name: str) -> int:
        return 1 + sum(map(size, inside.get(name, ())))

    if len(nodes) > _MAX_NODES or sum(map(size, inside)) > _MAX_NODES:
        raise ValueError(f"more than {_MAX_NODES} nodes")


def _read_urdf(data: bytes, files: MeshFiles) -> list[Any]:
    """Return the meshes of all `<visual>` of a URDF, in the frame of its first link; its joints stay at zero."""
    robot = ElementTree.fromstring(data)
    colors = {str(one.get("name")): _color(one) for one in robot.findall("material")}
    frames = _frames(robot)
    return [
        geometry.apply_transform(frames[str(link.get("name"))] @ _origin(visual))
        for link in robot.findall("link")
        for visual in link.findall("visual")
        for geometry in _visual(visual, colors, files)
    ]


def _frames(robot: Element) -> dict[str, FloatArray]:
    """Return the frame [4, 4] of each link, with all joints at zero."""
    above = {}
    for joint in robot.findall("joint"):
        parent, child = joint.find("parent"), joint.find("child")
        above[str(child.get("link"))] = (str(parent.get("link")), _origin(joint))  # type: ignore[union-attr]
    frames = {}
    for link in (str(one.get("name")) for one in robot.findall("link")):
        matrix = np.eye(4)
        name = link
        for _ in range(len(above) + 1):
            if name not in above:
                break
            name, step = above[name]
            matrix = step @ matrix
        else:
            raise ValueError(f"its joints go in a circle at {link!r}")
        frames[link] = matrix
    return frames


def _visual(visual: Element, colors: dict[str, list[float] | None], files: MeshFiles) -> list[Any]:
    """Return the mesh file or the simple solid of a `<visual>`, in its own frame, with its color."""
    material, shape = visual.find("material"), visual.find("geometry/*")
    if shape is None:
        raise ValueError("a <visual> has no geometry")
    size = {key: [float(word) for word in value.split()] for key, value in shape.items() if key != "filename"}
    if shape.tag == "mesh":  # a package is the folder of the URDF: nothing is read outside of it
        file = re.sub(r"^(package://[^/]+/|file://)", "", str(shape.get("filename")))
        meshes, meters, _ = _load(file, files)
        scale = np.diag([*(meters * np.array(size.get("scale", [1.0, 1.0, 1.0]))), 1.0])
        meshes = [mesh.apply_transform(scale) for mesh in meshes]
    elif shape.tag in _SOLIDS and all(length > 0 for lengths in size.values() for length in lengths):
        faces, make = _SOLIDS[shape.tag]
        files.count(faces)
        meshes = [make(size)]
    else:
        raise ValueError(f"its <{shape.tag}> is no geometry of a URDF with lengths above 0")
    color = None if material is None else _color(material) or colors.get(str(material.get("name")))
    for mesh in meshes:
        if color is not None and not mesh.visual.defined:
            mesh.visual.face_colors = [round(255 * value) for value in color]
    return meshes


def _origin(element: Element) -> FloatArray:
    """Return the matrix [4, 4] of an element's `<origin>`."""
    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    turn, shift = ([float(word) for word in origin.get(key, "0 0 0").split()] for key in ("rpy", "xyz"))
    roll, pitch, yaw = turn
    matrix = np.array(trimesh.transformations.euler_matrix(roll, pitch, yaw, axes="sxyz"), dtype=np.float64)
    matrix[:3, 3] = shift
    return matrix


def _color(material: Element) -> list[float] | None:
    color = material.find("color")
    return None if color is None else [float(word) for word in color.get("rgba", "").split()]


def _piece(geometry: Any, linear: bool) -> Piece:
    """Return a mesh of trimesh as a piece.

    :param linear: plain colors are intensities of light, as in glTF
    :raises InvalidArgumentError: when its numbers are no mesh
    """
    points = np.asarray(geometry.vertices, dtype=np.float64)
    faces = np.asarray(geometry.faces, dtype=np.int64)
    visual = geometry.visual
    image = None
    if points.shape[1:] != (3,) or (
        faces.size and (faces.min() < 0 or faces.max() >= len(points) or not np.isfinite(points[faces]).all())
    ):
        raise InvalidArgumentError("expected faces of finite vertices, but some are missing, NaN or infinite")
    colors = np.broadcast_to(np.array(_GRAY), (len(faces), 3, 3))
    if visual.kind == "texture":
        image = _image(visual.material)
        plain = _main_color(visual.material, image is not None)
        colors = np.broadcast_to(_encoded(plain) if linear else plain, (len(faces), 3, 3))
    elif visual.kind in ("vertex", "face"):
        colors = _own_colors(visual, faces)
        colors = _encoded(colors) if linear else colors
    if image is None:
        return Piece(points, faces, np.asarray(colors))
    if np.shape(visual.uv) != (len(points), 2) or not np.isfinite(visual.uv).all():
        raise InvalidArgumentError("expected finite texture coordinates (UV), since it names a texture; unwrap it")
    return Piece(points, faces, np.asarray(colors), np.asarray(visual.uv, dtype=np.float64), image)


def _image(material: Any) -> TextureImage | None:
    """Return the image of a material, without its alpha."""
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if image is None:
        return None
    try:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels are more than {MAX_PIXELS / 1e6:.0f} million")
        return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidArgumentError(f"its texture cannot be read ({error}); export it again") from error


def _main_color(material: Any, textured: bool) -> FloatArray:
    """Return the color of a material; of Wavefront's, only a texture is the color, as most programs take it."""
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
