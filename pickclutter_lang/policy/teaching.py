"""Showing a policy an object: what in an image is the example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.segmentation import segment_photo
from pickclutter_lang.policy.examples import MAX_RIVALS, keys_of
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.typing import Float32Array

_STANDS_OUT = 3.0
"""An object stands out that is so many times as large as any other."""
_MIN_SHARE_OF_PHOTO = 0.005
_OBSERVED = ("hand_rgb", "hand_depth", "hand_intrinsic", "hand_cam2world")


@dataclass(frozen=True)
class Example:
    """An image, uint8 [H, W, 3], the pixels of the object in it, and masks of others; all masks bool [H, W]."""

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    others: Sequence[NDArray[np.bool_]] = ()


def find_example(
    image: Mapping[str, Any] | NDArray[np.uint8],
    point: Sequence[float] | None = None,
    box: Sequence[float] | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> Example:
    """Find the object in an image that a policy is shown.

    :param image: an observation of `FlatObservation`, whose depth tells objects apart, or a photo [H, W, 3] of an
        object on a plain ground
    :param point: (u, v), column and row of a pixel of the object
    :param box: (left, top, right, bottom) around it, pixels
    :param mask: bool [H, W], its pixels
    :raises InvalidArgumentError: when no object is there, or several are and nothing says which
    """
    if isinstance(image, Mapping):
        check_observation(image)
    rgb = np.asarray(image["hand_rgb"] if isinstance(image, Mapping) else image)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise InvalidArgumentError(f"expected an image, uint8 [H, W, 3], but got {rgb.dtype} {list(rgb.shape)}")
    if sum(given is not None for given in (point, box, mask)) > 1:
        raise InvalidArgumentError("expected one of point, box and mask, but got several")
    height, width = rgb.shape[:2]
    if mask is not None:
        if np.shape(mask) != rgb.shape[:2] or not np.any(mask):
            raise InvalidArgumentError(f"expected a mask with pixels of the object, bool [{height}, {width}]")
        return Example(rgb, np.asarray(mask, bool))
    inside = np.ones((height, width), bool)
    if box is not None:
        left, top, right, bottom = (round(value) for value in _numbers("box", box, 4))
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise InvalidArgumentError(
                f"expected box=[left,top,right,bottom] in {width} x {height} pixels, but got {list(box)}"
            )
        inside[:] = False
        inside[top:bottom, left:right] = True
    segments = segment_observation(image) if isinstance(image, Mapping) else segment_photo(rgb, inside)
    if segments is None and inside.all():
        raise InvalidArgumentError(
            "expected a plain ground around the object, but this one has many colors; put the object on a sheet of "
            "paper, cut it out (an alpha channel), or give box=[left,top,right,bottom]"
        )
    segments = inside.astype(np.int64) if segments is None else segments  # the box is the object
    sizes = np.bincount(segments[inside], minlength=int(segments.max()) + 1)
    smallest = MIN_AREA_FRACTION if isinstance(image, Mapping) else _MIN_SHARE_OF_PHOTO
    large = [n for n in np.argsort(-sizes).tolist() if n and sizes[n] >= max(smallest * inside.sum(), 16)]
    if point is not None:
        u, v = _numbers("point", point, 2)
        if not (0 <= u < width and 0 <= v < height):
            raise InvalidArgumentError(f"expected point=[u,v] in {width} x {height} pixels, but got {list(point)}")
        chosen = int(segments[int(v), int(u)])
        if not chosen:
            raise InvalidArgumentError(f"expected a point on an object, but at {list(point)} is the ground")
    elif not large:
        raise InvalidArgumentError("expected an object in the image, but none is seen; give box= or a mask around it")
    elif len(large) > 1 and box is None and sizes[large[0]] < _STANDS_OUT * sizes[large[1]]:
        raise InvalidArgumentError(
            f"expected one object that stands out, but {len(large)} do; say which: point=[u,v] or box=[l,t,r,b]"
        )
    else:
        chosen = large[0]
    others = [segments == n for n in large if n != chosen] if isinstance(image, Mapping) else []
    return Example(rgb, segments == chosen, others)


def check_observation(observation: Mapping[str, Any]) -> None:
    """Raise InvalidArgumentError for an observation that lacks what detectors read."""
    if missing := [key for key in _OBSERVED if key not in observation]:
        raise InvalidArgumentError(f"expected an observation of FlatObservation, but it has no {missing[0]}")


def _numbers(key: str, values: Sequence[float], count: int) -> list[float]:
    if len(values) != count or not all(np.isfinite(value) for value in values):
        raise InvalidArgumentError(f"expected {key} to have {count} numbers, but got {list(values)}")
    return [float(value) for value in values]


def encode_example(student: StudentRuntime, example: Example) -> tuple[Float32Array, Float32Array]:
    """Return the key [1, D] of an example, and those [r, D] of other objects in its image."""
    keys = keys_of(student.encode_crops(example.rgb, [example.mask], turns=4))
    return keys, keys_of(student.encode_crops(example.rgb, example.others[:MAX_RIVALS]))


def add_example(student: StudentRuntime, name: str, example: Example) -> str:
    """Give a student one more example of a name, and return the name as the policy spells it.

    :raises InvalidArgumentError: as `Examples.add`
    """
    name = student.examples.spelled(name, student.config.names)
    keys, rivals = encode_example(student, example)
    student.remember(lambda examples: examples.add(name, keys, rivals))
    return name
