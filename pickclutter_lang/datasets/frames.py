"""Frames on disk: color, depth and camera of RGB-D images of any camera, and the labels of their objects.

A frame is `color.png`, `depth.png` and `camera.json`. Several lie in one folder with a name before each:
`mug1_color.png`, `mug1_depth.png`. One `camera.json` may serve them all. The depth has 16 bits, and `camera.json` the
keys of BOP's (`fx`, `fy`, `cx`, `cy`, `depth_scale`: millimeters of a unit), or `cam_K` or `K`, of its nine numbers.
`pose`, if it is there, is that of the camera in the world, four rows of four numbers, with OpenCV's axes.

Labels are `mug1_label.png`, the number of the object that each pixel belongs to, and `annotations.json`:
`{"frames": {"mug1": {"objects": [{"id": 1, "name": "mug"}]}}}`. Or `annotations.json` is COCO's, with polygons or RLE
of the color images.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from typing_extensions import NotRequired

from pickclutter_lang.datasets.photo_annotations import PhotoObject, read_annotations
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.utils.images import read_image
from pickclutter_lang.utils.reading import Text, damage_of, read_json

ANNOTATIONS_FILE = "annotations.json"
_REMEDY = "name the objects of each frame"
_COLOR = re.compile(r"^(?P<name>.*?)_?color\.(png|jpe?g)$", re.IGNORECASE)


class _Camera(TypedDict):
    """`camera.json`, of which a matrix, or fx, fy, cx and cy have to be there."""

    fx: NotRequired[float]
    fy: NotRequired[float]
    cx: NotRequired[float]
    cy: NotRequired[float]
    K: NotRequired[list[Any]]
    cam_K: NotRequired[list[Any]]
    depth_scale: NotRequired[float]
    pose: NotRequired[list[list[float]]]


class _Object(TypedDict):
    id: int
    name: Text


class _Objects(TypedDict):
    objects: list[_Object]
    group: NotRequired[Text]


class _Annotations(TypedDict):
    frames: dict[str, _Objects]


@dataclass(frozen=True)
class LabeledFrame:
    """A frame whose objects are known.

    - `name`: of its files
    - `group`: frames that were captured together, of one scene or camera, count as fewer
    - `objects`: their names, and masks, bool [H, W]
    """

    name: str
    group: str
    frame: Frame
    objects: tuple[tuple[str, NDArray[np.bool_]], ...]


def frames_in(folder: Path) -> dict[str, Path]:
    """Return the color images of the frames in a folder by the frames' names, "" of one that has none.

    :raises DatasetError: where there is none
    """
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    found = {match["name"]: path for path in paths if (match := _COLOR.match(path.name))}
    if not found:
        raise DatasetError(
            f"expected frames in {folder}, files such as color.png, depth.png and camera.json, or mug1_color.png, "
            "mug1_depth.png and mug1_camera.json, but there is no *color.png"
        )
    return found


def read_frame(folder: str | Path, name: str = "") -> Frame:
    """Read a frame.

    :param name: before the names of its files, such as `mug1`
    :raises DatasetError: for a file that is missing, damaged, or of another kind
    """
    place = Path(folder)
    found = frames_in(place)
    if name not in found:
        raise DatasetError(f"expected a frame out of {', '.join(map(repr, found))} in {place}, but got {name!r}")
    try:
        rgb = np.asarray(read_image(found[name]))
    except InvalidArgumentError as error:
        raise DatasetError(str(error)) from error
    stem = _stem(name)
    depth = _read_numbers(place / f"{stem}depth.png")
    if depth.shape != rgb.shape[:2]:
        raise DatasetError(
            f"expected {place / f'{stem}depth.png'} in the pixels of the color image, {rgb.shape[1]} x {rgb.shape[0]}, "
            f"but got {depth.shape[1]} x {depth.shape[0]}; align the depth to the color camera"
        )
    own = place / f"{stem}camera.json"
    path = own if own.exists() else place / "camera.json"
    remedy = "write the camera's fx, fy, cx and cy"
    camera = read_json(path, _Camera, DatasetError, remedy)
    with damage_of(path, DatasetError, remedy):
        matrix = camera.get("K") or camera.get("cam_K")
        if matrix is None:
            fx, fy, cx, cy = (float(camera[key]) for key in ("fx", "fy", "cx", "cy"))
            matrix = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
        intrinsic = np.asarray(matrix, float).reshape(3, 3)
        pose = np.asarray(camera["pose"], float).reshape(4, 4) if "pose" in camera else None
    return Frame(rgb, depth, intrinsic, pose, depth_scale=camera.get("depth_scale", 1.0) / 1000)


def read_labeled_frames(folder: str | Path, annotations: str | Path | None = None) -> list[LabeledFrame]:
    """Read the frames of a folder that have depth and labels.

    :param annotations: file of the objects' names; None: `annotations.json` in the folder
    :raises DatasetError: for no such frame, or a file that is missing or damaged
    """
    place = Path(folder)
    path = Path(annotations) if annotations is not None else place / ANNOTATIONS_FILE
    is_coco = "images" in read_json(path, dict[str, Any], DatasetError, _REMEDY)
    labels_of = _coco_labels(place, path) if is_coco else _image_labels(place, path)
    found = []
    for name, labels in labels_of.items():
        if (place / f"{_stem(name)}depth.png").exists():
            frame = read_frame(place, name)
            objects = labels.objects(*frame.rgb.shape[:2])
            group = labels.group or re.match(r"[^\d_]*", name)[0] or name  # type: ignore[index]
            found.append(LabeledFrame(name, group, frame, tuple(one for one in objects if one[1].any())))
    if not found:
        raise DatasetError(f"expected frames with depth and labels in {place}, of those named in {path}")
    return found


class _Labels(NamedTuple):
    """What is known of a frame: the names and masks of its objects for its height and width, and its group."""

    objects: Callable[[int, int], list[tuple[str, NDArray[np.bool_]]]]
    group: str | None = None


def _coco_labels(place: Path, path: Path) -> dict[str, _Labels]:
    """Return the labels of a file of COCO's format, whose images are the color images, by the frames' names."""
    of_path: dict[Path, list[PhotoObject]] = {}
    for one in read_annotations(path, place):
        of_path.setdefault(one.path, []).append(one)

    def masks(objects: list[PhotoObject], height: int, width: int) -> list[tuple[str, NDArray[np.bool_]]]:
        where = [(str(one.name), one.place(height, width)) for one in objects]
        if any("mask" not in of for _, of in where):
            raise DatasetError(f"expected a polygon or RLE of each object in {path}, but one has only a box")
        return [(name, of["mask"]) for name, of in where]

    names = frames_in(place).items()
    return {name: _Labels(partial(masks, of_path[color])) for name, color in names if color in of_path}


def _image_labels(place: Path, path: Path) -> dict[str, _Labels]:
    """Return the labels of images of numbers, with the names in a file, by the frames' names."""
    objects_of = read_json(path, _Annotations, DatasetError, _REMEDY)["frames"]

    def masks(name: str, height: int, width: int) -> list[tuple[str, NDArray[np.bool_]]]:
        file = place / f"{_stem(name)}label.png"
        numbers = _read_numbers(file)
        if numbers.shape != (height, width):
            raise DatasetError(f"expected {file} as large as the color image")
        return [(one["name"], numbers == one["id"]) for one in objects_of[name]["objects"]]

    known = [name for name in frames_in(place) if name in objects_of]
    return {name: _Labels(partial(masks, name), objects_of[name].get("group")) for name in known}


def _stem(name: str) -> str:
    """Return how the names of a frame's files begin."""
    return f"{name}_" if name else ""


def _read_numbers(path: Path) -> NDArray[Any]:
    """Return an image of one channel of whole numbers, [H, W].

    :raises DatasetError: for another one
    """
    with damage_of(path, DatasetError, "write it as a PNG of one channel"), Image.open(path) as image:
        values = np.asarray(image)
        if values.ndim != 2 or values.dtype.kind not in "iu":
            raise ValueError(f"expected whole numbers of one channel, but got {values.dtype} {list(values.shape)}")
    return values
