"""Writes procedural models in ManiSkill2's layout, atomically and with reproducible bytes."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, Part, TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, Ints
from pickclutter_lang.utils.io import is_running

ATLAS_SIZE = 512
_MARGIN = 3  # texels around each image, so that neighbors do not bleed in
_CREASE = np.cos(np.radians(42.0))
_MATERIAL = "newmtl surface\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nmap_Kd texture_map.png\n"


def atomic_write_dir(target: Path, marker: str, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary folder next to `target` and rename it, so that it appears atomically.

    A folder with the file `marker` stays as it is, also one that another process makes meanwhile.

    :raises InvalidArgumentError: when the folder cannot be written, or holds other files
    """
    if target.is_dir() and any(target.iterdir()):
        if (target / marker).is_file():
            return
        raise InvalidArgumentError(f"expected a new or empty folder, but {target} has other files in it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        prefix = f"{_prefix(target)}{os.getpid()}-"
        with TemporaryDirectory(prefix=prefix, dir=target.parent, ignore_cleanup_errors=True) as name:
            temporary = Path(name)
            write(temporary)
            temporary.chmod(0o755)
            temporary.rename(target)
    except OSError as error:
        if not (target / marker).is_file():
            raise InvalidArgumentError(
                f"expected a writable folder with free space, but got {target} ({error})"
            ) from error


def _prefix(target: Path) -> str:
    return f".{target.name}.building-"


def _remove_leftovers(target: Path) -> None:
    """Remove what killed builds left next to the target."""
    for folder in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        if not is_running(folder.name.removeprefix(_prefix(target)).partition("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)


def model_db_entry(size: Sequence[float], scale: float, density: float) -> dict[str, object]:
    """Return an object's entry in `info_pick_v0.json`; its bounding box is centered at the origin."""
    half = [round(side / 2, 6) for side in size]
    return {"bbox": {"min": [-h for h in half], "max": half}, "scales": [scale], "density": density}


def write_model(geometry: ModelGeometry, folder: Path, atlas_width: int = ATLAS_SIZE, compress_level: int = 6) -> None:
    """Write `textured.obj`, its material and texture, and `collision.obj` with one group for each convex part.

    :param compress_level: effort of the PNG encoder, 0 to 9
    """
    folder.mkdir(parents=True, exist_ok=True)
    atlas, uv = pack_atlas(geometry.parts, atlas_width)
    starts = np.cumsum([0] + [len(p.surface.points) for p in geometry.parts])
    points = np.concatenate([p.surface.points for p in geometry.parts])
    faces = np.concatenate([p.surface.faces + n for p, n in zip(geometry.parts, starts[:-1], strict=True)])
    part_index = np.concatenate([np.full(len(p.surface.faces), n) for n, p in enumerate(geometry.parts)])
    write_surface(folder, points, faces, np.concatenate(uv), atlas, part_index, compress_level)
    (folder / "collision.obj").write_text(collision_obj(geometry.hulls))


def write_surface(
    folder: Path,
    points: Floats,
    faces: Ints,
    uv: Floats,
    image: TextureImage,
    part_index: Ints,
    compress_level: int = 6,
) -> None:
    """Write `textured.obj` with its material and texture.

    :param points: [V, 3], meters
    :param faces: [F, 3], rows of `points`
    :param uv: [V, 2], coordinates on the image, (0, 0) is its lower left corner
    :param part_index: [F], the part of each face; only faces of one part are shaded smoothly
    """
    Image.fromarray(image).save(folder / "texture_map.png", optimize=False, compress_level=compress_level)
    (folder / "textured.mtl").write_text(_MATERIAL)
    (folder / "textured.obj").write_text(_visual(np.round(points, 6) + 0.0, faces, uv, part_index))


def pack_atlas(parts: list[Part], full_width: int) -> tuple[TextureImage, list[Floats]]:
    """Lay the images of all parts on one rectangle, and return it with each part's coordinates on it.

    :raises ValueError: when the images do not fit on `full_width` x 512 texels
    """
    unique = {id(part.image): part.image for part in parts}
    atlas = np.zeros((ATLAS_SIZE, full_width, 3), dtype=np.uint8)
    atlas[:] = np.mean([p.mean(axis=(0, 1)) for p in unique.values()], axis=0).astype(np.uint8)
    corners = {}
    x = 0
    y = 0
    shelf = 0
    for key, image in sorted(unique.items(), key=lambda item: -item[1].shape[0]):  # stable: order of the parts
        height, width = image.shape[:2]
        pad = min(_MARGIN, (full_width - width) // 2)
        if x + width + 2 * pad > full_width:
            x = 0
            y = y + shelf
            shelf = 0
        if y + height + 2 * _MARGIN > ATLAS_SIZE:
            raise ValueError(f"the images of a model do not fit on {full_width} x {ATLAS_SIZE} texels")
        margins = ((_MARGIN, _MARGIN), (pad, pad), (0, 0))
        atlas[y : y + height + 2 * _MARGIN, x : x + width + 2 * pad] = np.pad(image, margins, mode="edge")
        corners[key] = (x + pad, y + _MARGIN)
        x = x + width + 2 * pad
        shelf = max(shelf, height + 2 * _MARGIN)
    used = min(ATLAS_SIZE, 1 << int(np.ceil(np.log2(y + shelf))))
    placed = []
    for part in parts:
        left, top = corners[id(part.image)]
        height, width = part.image.shape[:2]
        u = left + 0.5 + part.surface.uv[:, 0] * (width - 1)
        v = top + 0.5 + (1 - part.surface.uv[:, 1]) * (height - 1)
        placed.append(np.stack([u / full_width, 1 - v / used], -1))
    return atlas[:used], placed


def _visual(points: Floats, faces: Ints, uv: Floats, part_index: Ints) -> str:
    normals = vertex_normals(points, faces, part_index).reshape(-1, 3)
    table, index = np.unique(np.round(normals, 4) + 0.0, axis=0, return_inverse=True)
    index = index.reshape(-1, 3)
    lines = ["mtllib textured.mtl", *_rows("v", points, 6), *_rows("vt", uv, 6)]
    lines += [*_rows("vn", table, 4), "usemtl surface"]
    corners = np.stack([faces, faces, index], axis=-1) + 1
    lines.append("\n".join(["f %d/%d/%d %d/%d/%d %d/%d/%d"] * len(faces)) % tuple(corners.ravel().tolist()))
    return "\n".join(lines) + "\n"


def vertex_normals(points: Floats, faces: Ints, part_index: Ints) -> Floats:
    """Return the normals [F, 3, 3] at the corners of each face.

    A corner's normal is the mean, weighted by area, over the faces of the same part that meet there and differ
    from its own by less than the crease angle.
    """
    corners = points[faces]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(areas, axis=1, keepdims=True)
    units = areas / np.where(length > 0, length, 1)
    keys = np.c_[np.round(corners.reshape(-1, 3) * 1e6).astype(np.int64), np.repeat(part_index, 3)]
    vertex = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(vertex, kind="stable")
    counts = np.bincount(vertex)
    firsts = np.cumsum(counts) - counts
    total = np.zeros((len(vertex), 3))
    face_of = np.arange(len(vertex)) // 3
    position = np.arange(len(vertex))
    for step in range(int(counts.max())):
        position = position[step < counts[vertex[position]]]
        other_face = face_of[order[firsts[vertex[position]] + step]]
        own = face_of[position]
        similar = (units[other_face] * units[own]).sum(axis=1) > _CREASE
        total[position[similar]] += areas[other_face[similar]]
    size = np.linalg.norm(total, axis=1, keepdims=True)
    safe = np.where(size > 0, total / np.where(size > 0, size, 1), [0.0, 0.0, 1.0])
    return np.asarray(safe.reshape(-1, 3, 3))


def collision_obj(hulls: Sequence[Floats]) -> str:
    """Return the text of `collision.obj`: the convex hull of each set of points [N, 3], a group each."""
    from trimesh.convex import convex_hull

    lines = []
    start = 1
    for n, points in enumerate(hulls):
        hull = convex_hull(np.round(points, 6))
        vertices = np.asarray(hull.vertices)
        faces = np.asarray(hull.faces) + start
        lines += [f"o convex_{n}", *_rows("v", vertices, 6)]
        lines += ["f " + " ".join(map(str, face)) for face in faces.tolist()]
        start += len(vertices)
    return "\n".join(lines) + "\n"


def _rows(name: str, values: npt.ArrayLike, digits: int) -> list[str]:
    table = np.asarray(values) + 0.0
    shape = f"{name} " + " ".join([f"%.{digits}f"] * table.shape[1])
    return ("\n".join([shape] * len(table)) % tuple(table.ravel().tolist())).split("\n")
