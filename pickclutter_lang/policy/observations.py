"""Observations of the hand camera: their segments, smaller copies, and what a student says of their pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.transforms.resampling import enlarge
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_BYTES
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.manipulation.lazy_observation import LazyObservation
from pickclutter_lang.manipulation.point_cloud import MAX_DEPTH_M
from pickclutter_lang.manipulation.segmentation import segment_rgbd
from pickclutter_lang.manipulation.table import find_table
from pickclutter_lang.utils.typing import FloatArray

SEGMENTED_SIDE = 256
"""Pixels along the longer side at which the segments of a frame are told apart."""
OF_CAMERA = "of_camera"
"""Key of an observation that was a `Frame`; environments have none."""
_Form = tuple[str, str, tuple[int, ...]]


def _is_matrix(matrix: FloatArray, size: tuple[int, ...]) -> bool:
    """Return whether a matrix [3, 3] may be that of a camera, for an image of `size` (width, height).

    A camera's principal point lies within a tenth of the side of the middle; in a matrix for half as many pixels it is
    a quarter away. fx and fy differ where an image was squeezed into a square.
    """
    focal = np.diagonal(matrix)[:2]
    center = matrix[:2, 2]
    nearest, farthest = (np.array(size) / 2 / np.tan(np.deg2rad(field / 2)) for field in (150, 10))
    skew = abs(matrix - [[focal[0], 0, center[0]], [0, focal[1], center[1]], [0, 0, 1]])
    return bool(
        ((focal > nearest) & (focal < farthest)).all()
        and focal.max() < 2 * focal.min()
        and (abs(center / size - 0.5) < 0.2).all()
        and (skew <= [[0.01 * focal[0]], [1e-6], [1e-6]]).all()
    )


def _is_pose(pose: FloatArray) -> bool:
    """Return whether a pose [4, 4] may be that of a camera; one higher than `MAX_DEPTH_M` sees no table in range."""
    rotation = pose[:3, :3].astype(float)
    position = abs(pose[:3, 3])
    return bool(
        np.allclose(rotation @ rotation.T, np.eye(3), atol=0.01)
        and np.linalg.det(rotation) > 0
        and (position.max() < 1000 and position[2] < MAX_DEPTH_M)
        and np.allclose(pose[3], [0, 0, 0, 1], atol=1e-6)
    )


_NUMBERS = "efd" + np.typecodes["AllInteger"]
# Arrays of one image with depth: what each is, characters of its types, and its shape; 0: any side.
VIEW: dict[str, _Form] = {
    "hand_rgb": ("the image, uint8 [H, W, 3]", "B", (0, 0, 3)),
    "hand_depth": (
        "the depth in meters, floats [H, W] of the pixels of hand_rgb; whole numbers are millimeters: depth / 1000",
        "efd",
        (0, 0),
    ),
    "hand_intrinsic": (
        "the camera's matrix [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels of this image, with fx and fy alike, a "
        "field of view of 10 to 150 degrees, and cx and cy near the middle",
        _NUMBERS,
        (3, 3),
    ),
    "hand_cam2world": (
        f"the camera's pose [4, 4]: a rotation, not mirrored, a position in meters, at most {MAX_DEPTH_M:g} above the "
        "table, and the last row 0 0 0 1",
        _NUMBERS,
        (4, 4),
    ),
}
# Further arrays, by which a picker acts.
ROBOT: dict[str, _Form] = {
    "qpos": ("angles of 7 joints and positions of 2 fingers [9]", _NUMBERS, (9,)),
    "base_pose": ("position and unit quaternion of the arm's base [7]", _NUMBERS, (7,)),
    "goal_pos": ("the position of the goal [3]", _NUMBERS, (3,)),
    "instruction": (f"a text of encode_instruction, uint8 [{INSTRUCTION_BYTES}]", "B", (INSTRUCTION_BYTES,)),
}
# What is true of an array, in its observation.
_CHECKS: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "hand_depth": lambda depth, seen: depth.shape == seen["hand_rgb"].shape[:2],
    "hand_intrinsic": lambda matrix, seen: _is_matrix(matrix, seen["hand_rgb"].shape[1::-1]),
    "hand_cam2world": lambda pose, _: _is_pose(pose),
    "base_pose": lambda pose, _: abs(float(np.linalg.norm(pose[3:])) - 1) < 0.01,
}


def check_arrays(observation: Any, forms: Mapping[str, _Form]) -> None:
    """Check that an observation has arrays of some forms, finite but for depth.

    :raises InvalidArgumentError: where one is missing, or of another form
    """
    missing = [key for key in forms if not isinstance(observation, Mapping) or key not in observation]
    if missing:
        raise InvalidArgumentError(
            f"expected an observation of FlatObservation, but it has no {', '.join(missing)}; wrap the environment in "
            "pickclutter_lang.envs.wrappers.FlatObservation"
        )
    for key, (meaning, types, shape) in forms.items():
        value = observation[key]
        fits = (
            isinstance(value, np.ndarray)
            and not isinstance(value, np.ma.MaskedArray)
            and value.dtype.char in types
            and (value.size > 0 and value.ndim == len(shape))
            and all(wanted in (0, side) for wanted, side in zip(shape, value.shape, strict=True))
            and (key == "hand_depth" or np.isfinite(value).all())
            and (key not in _CHECKS or _CHECKS[key](value, observation))
        )
        if not fits:
            raise InvalidArgumentError(
                f"expected {key}, {meaning}, but got {getattr(value, 'dtype', type(value).__name__)} "
                f"{list(getattr(value, 'shape', ()))}: {' '.join(str(value).split())[:120]}"
            )


def checked_view(observation: Any, more: Mapping[str, _Form] | None = None, of_pile: bool = True) -> dict[str, Any]:
    """Return an observation with an image with depth and its camera, 0 where the depth is not finite.

    :param observation: of `FlatObservation`, or a `Frame`, whose pose is fitted to the table that it sees
    :param more: further arrays, such as `ROBOT`
    :param of_pile: most of the depth is in range; an object in the hand may hide all
    :raises InvalidArgumentError: for another form or unit, what is none of a camera, or a frame without a table
    """
    if isinstance(observation, Frame):
        observation = _with_pose(observation)
    check_arrays(observation, {**VIEW, **(more or {})})
    depth = np.where(np.isfinite(observation["hand_depth"]), observation["hand_depth"], np.float32(0))
    measured = np.count_nonzero(depth > 0)
    near = np.count_nonzero((depth > 0) & (depth < MAX_DEPTH_M))
    if of_pile and 2 * near <= measured:
        raise InvalidArgumentError(
            f"expected hand_depth with most of what was measured within {MAX_DEPTH_M:g} m, but {near} of {measured} "
            "pixels are; is it in millimeters? depth / 1000"
        )
    return {**observation, "hand_depth": depth}


def _with_pose(frame: Frame) -> dict[str, Any]:
    """Return the observation of a frame, with the pose that the table gives, near its own where it has one."""
    arrays = frame.arrays()
    check_arrays(arrays, {key: VIEW[key] for key in VIEW if key in arrays or key != "hand_cam2world"})
    depth = np.where(np.isfinite(arrays["hand_depth"]), arrays["hand_depth"], 0)
    pose = find_table(depth, arrays["hand_intrinsic"], arrays.get("hand_cam2world")).pose
    return {**arrays, "hand_cam2world": pose, OF_CAMERA: True}


def checked_step(observation: Any, of_pile: bool) -> Mapping[str, Any]:
    """Return the checked observation of a step, as `checked_view` with `ROBOT`; images of a lazy one are not read."""
    if isinstance(observation, LazyObservation):
        check_arrays(observation, ROBOT)
        return observation
    return checked_view(observation, ROBOT, of_pile)


def each_environment(observation: Any) -> tuple[list[Any], bool]:
    """Return the observation of each environment, and whether it is a vectorized one, with an axis of them first.

    :raises InvalidArgumentError: for no environment, or arrays of different numbers of them
    """
    one = isinstance(observation, LazyObservation) or not isinstance(observation, Mapping)
    if one or getattr(observation.get("hand_rgb"), "ndim", 0) != 4:
        return [observation], False
    counts = {key: len(value) if getattr(value, "ndim", 0) else 0 for key, value in observation.items()}
    if len({*counts.values()}) > 1 or not any(counts.values()):
        raise InvalidArgumentError(f"expected arrays of the same environments, at least one, but got {counts}")
    return [{key: value[n] for key, value in observation.items()} for n in range(counts["hand_rgb"])], True


def segment_observation(observation: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return the segments [H, W] of the hand camera's image: 1, 2, ..., and 0 for the background."""
    rgb, depth, intrinsic, pose = (observation[f"hand_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world"))
    return segment_rgbd(rgb, depth, intrinsic, pose)


def shrink_observation(observation: Mapping[str, Any], longest: int = SEGMENTED_SIDE) -> dict[str, Any]:
    """Return an observation whose images of the hand camera have at most `longest` pixels along the longer side."""
    rgb, depth = observation["hand_rgb"], observation["hand_depth"]
    height, width = depth.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return dict(observation)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    factors = np.array([[width / size[0]], [height / size[1]], [1]])
    small = Image.fromarray(rgb).resize(size, Image.Resampling.BOX)
    rows, columns = _nearest(size[1], height), _nearest(size[0], width)
    return {
        **observation,
        "hand_rgb": np.asarray(small),
        "hand_depth": depth[rows[:, None], columns],  # a mean over an edge is a depth without a surface
        "hand_intrinsic": np.asarray(observation["hand_intrinsic"], float) / factors,
    }


def enlarge_segments(segments: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an image [h, w] of what `shrink_observation` gave with all pixels of the image, [H, W]."""
    if segments.shape == shape[:2]:
        return segments
    rows, columns = (_nearest(side, few) for side, few in zip(shape, segments.shape, strict=False))
    return np.asarray(segments[rows[:, None], columns])


def _nearest(size: int, side: int) -> NDArray[np.int64]:
    """Return which of `side` pixels of an axis is at the center of each of `size` ones."""
    return np.minimum(((np.arange(size) + 0.5) * side / size).astype(np.int64), side - 1)


def upsample_to_image(maps: NDArray[np.float32], view: int, side: int) -> NDArray[np.float64]:
    """Return maps [C, h, w] of the central `view` pixels as maps of the full image, [C, side, side], 0 outside."""
    full = np.zeros((len(maps), side, side))
    start = (side - view) // 2
    full[:, start : start + view, start : start + view] = enlarge(maps, view)
    return full
