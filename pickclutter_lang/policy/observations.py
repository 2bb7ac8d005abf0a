"""Observations of the hand camera: their segments, smaller copies, and what a student says of their pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.transforms.resampling import enlarge, segment_means
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.point_cloud import MAX_DEPTH_M
from pickclutter_lang.manipulation.segmentation import segment_rgbd


def check_view(rgb: Any, depth: Any, intrinsic: Any, pose: Any) -> None:
    """Check what a camera of one's own gives; the arguments are those of `LanguagePickPolicy.locate`.

    :raises InvalidArgumentError: for another form, type or unit
    """
    for name, value in (("rgb", rgb), ("depth", depth), ("intrinsic", intrinsic), ("pose", pose)):
        if not isinstance(value, np.ndarray):
            raise InvalidArgumentError(f"expected {name} to be an array of NumPy, but got {type(value).__name__}")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise InvalidArgumentError(f"expected rgb as uint8 [S, S, 3], but got {rgb.dtype} {list(rgb.shape)}")
    height, width = rgb.shape[:2]
    if depth.shape != (height, width) or depth.dtype.kind != "f":
        raise InvalidArgumentError(
            f"expected depth in meters as floats [{height}, {width}], but got {depth.dtype} {list(depth.shape)}; whole "
            "numbers are millimeters: depth / 1000"
        )
    if not ((depth > 0) & (depth < MAX_DEPTH_M)).any():
        raise InvalidArgumentError(
            f"expected depth of 0 to {MAX_DEPTH_M:g} m somewhere, but there is none; is it in millimeters?"
        )
    focal, center = (np.diagonal(intrinsic)[:2], intrinsic[:2, 2]) if intrinsic.shape == (3, 3) else np.zeros((2, 2))
    if not ((focal > 0).all() and (center > 0).all() and (center < [width, height]).all()):
        raise InvalidArgumentError(
            f"expected the matrix of a camera of {width} x {height} pixels, [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], but "
            f"got {intrinsic.tolist()}"
        )
    if pose.shape != (4, 4) or not np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=0.01):
        raise InvalidArgumentError(f"expected pose as [4, 4], a rotation and a position, but got {pose.tolist()}")


def segment_observation(observation: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return the segments [H, W] of the hand camera's image: 1, 2, ..., and 0 for the background."""
    rgb, depth, intrinsic, pose = (observation[f"hand_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world"))
    return segment_rgbd(rgb, depth, intrinsic, pose)


def shrink_observation(observation: Mapping[str, Any], factor: int) -> dict[str, Any]:
    """Return an observation whose images of the hand camera have `factor` times fewer pixels a side.

    :raises InvalidArgumentError: for images whose side is no multiple of it
    """
    rgb, depth = observation["hand_rgb"], observation["hand_depth"]
    if len(rgb) % factor:
        raise InvalidArgumentError(f"expected images with a multiple of {factor} pixels a side, but got {len(rgb)}")
    middle = np.s_[factor // 2 :: factor, factor // 2 :: factor]  # a mean over an edge is a depth without a surface
    scaled = np.asarray(observation["hand_intrinsic"], float) / [[factor], [factor], [1]]
    small = np.asarray(Image.fromarray(rgb).reduce(factor))
    return {**observation, "hand_rgb": small, "hand_depth": depth[middle], "hand_intrinsic": scaled}


def repeated(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return an image [H, W] with each pixel `factor` times along both axes."""
    return image if factor == 1 else image.repeat(factor, axis=0).repeat(factor, axis=1)


def segment_log_odds(cell_logits: NDArray[np.float32], segments: NDArray[np.int64], view: int) -> NDArray[np.float64]:
    """Return the mean log odds of names in each segment, [C, segments], by the pixels that the student sees.

    :param cell_logits: [C, h, w], of the central `view` pixels of the image
    :param segments: [side, side], of the full image
    :return: NaN for a segment outside of the view
    """
    start = (len(segments) - view) // 2
    seen = segments[start : start + view, start : start + view]
    return segment_means(cell_logits, seen, int(segments.max()) + 1)


def upsample_to_image(maps: NDArray[np.float32], view: int, side: int) -> NDArray[np.float64]:
    """Return maps [C, h, w] of the central `view` pixels as maps of the full image, [C, side, side], 0 outside."""
    full = np.zeros((len(maps), side, side))
    start = (side - view) // 2
    full[:, start : start + view, start : start + view] = enlarge(maps, view)
    return full
