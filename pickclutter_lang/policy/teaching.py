"""Showing a policy an object: what in an image is the example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION, object_crop
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.manipulation.photo_segmentation import box_at, cut_out, segment_photo
from pickclutter_lang.policy.example_memory import MAX_RIVALS, keys_of
from pickclutter_lang.policy.observations import (
    VIEW,
    check_arrays,
    checked_view,
    enlarge_segments,
    segment_observation,
    shrink_observation,
)
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.typing import Float32Array

_STANDS_OUT = 3.0
"""An object stands out that is so many times as large as any other."""
_MIN_SHARE_OF_PHOTO = 0.005


@dataclass(frozen=True)
class Example:
    """An image, uint8 [H, W, 3], the pixels of the object in it, and masks of others; all masks bool [H, W]."""

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    others: Sequence[NDArray[np.bool_]] = ()

    @property
    def crop(self) -> NDArray[np.uint8]:
        """The object alone, on gray, uint8 [64, 64, 3]."""
        return np.asarray((object_crop(self.rgb, self.mask, 64) * 255).round(), np.uint8)


def find_example(
    image: Frame | Mapping[str, Any] | NDArray[np.uint8],
    point: Sequence[float] | None = None,
    box: Sequence[float] | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> Example:
    """Find the object in an image that a policy is shown.

    :param image: a frame or an observation of `FlatObservation`, whose depth tells objects apart, or a photo [H, W, 3]
        of an object: on a plain ground, or on any where a point, a box or a mask is given
    :param point: (u, v), column and row of a pixel of the object
    :param box: (left, top, right, bottom) around it, pixels
    :param mask: bool [H, W], its pixels
    :raises InvalidArgumentError: when no object is there, or several are and nothing says which
    :raises MissingExtraError: for a box or a point on a busy ground, without OpenCV
    """
    in_pile = isinstance(image, Frame | Mapping)
    seen = checked_view(image) if in_pile else {"hand_rgb": np.asarray(image)}
    check_arrays(seen, {"hand_rgb": VIEW["hand_rgb"]})
    rgb = seen["hand_rgb"]
    if sum(given is not None for given in (point, box, mask)) > 1:
        raise InvalidArgumentError("expected one of point, box and mask, but got several")
    height, width = rgb.shape[:2]
    if mask is not None:
        if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != rgb.shape[:2] or not mask.any():
            raise InvalidArgumentError(
                f"expected a mask with pixels of the object, an array of bool [{height}, {width}], such as mask > 0"
            )
        return Example(rgb, mask)
    inside = np.ones((height, width), bool)
    if box is not None:
        left, top, right, bottom = map(round, _numbers("box=[left,top,right,bottom]", box, [width, height] * 2))
        if left >= right or top >= bottom:
            raise InvalidArgumentError(f"expected box=[left,top,right,bottom] around pixels, but got {list(box)}")
        inside[:] = False
        inside[top:bottom, left:right] = True
    segments = _segments_of(seen) if in_pile else segment_photo(rgb, inside)
    if segments is None:
        return Example(rgb, _cut_out(rgb, point, None if box is None else (left, top, right, bottom)))
    sizes = np.bincount(segments[inside], minlength=int(segments.max()) + 1)
    smallest = MIN_AREA_FRACTION if in_pile else _MIN_SHARE_OF_PHOTO
    large = [n for n in np.argsort(-sizes).tolist() if n and sizes[n] >= max(smallest * inside.sum(), 16)]
    if point is not None:
        u, v = _numbers("point=[u,v]", point, [width - 1e-6, height - 1e-6])
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
    others = [segments == n for n in large if n != chosen] if in_pile else []
    return Example(rgb, segments == chosen, others)


def _cut_out(rgb: NDArray[np.uint8], point: Sequence[float] | None, box: Sequence[int] | None) -> NDArray[np.bool_]:
    """Return the pixels [H, W] of the object at a point or in a box of a photo on a busy ground."""
    if box is not None:
        return cut_out(rgb, box)
    if point is None:
        raise InvalidArgumentError(
            "expected a plain ground around the object, but this one has many colors; say where it is: "
            "box=[left,top,right,bottom], point=[u,v], an alpha channel, or, for each photo, annotations.yaml or "
            "annotations.json beside the photos, where a mask file may stand too"
        )
    height, width = rgb.shape[:2]
    at = _numbers("point=[u,v]", point, [width - 1e-6, height - 1e-6])
    return cut_out(rgb, box_at(rgb, at), at)


def _segments_of(observation: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return the segments [H, W] of an observation of any size."""
    parts = segment_observation(shrink_observation(observation))
    return enlarge_segments(parts, observation["hand_rgb"].shape)


def _numbers(what: str, values: Sequence[float], highest: Sequence[float]) -> list[float]:
    """Return numbers, each from 0 to a highest one."""
    given = values.tolist() if isinstance(values, np.ndarray) else values
    count = len(given) if isinstance(given, Sequence) else 0
    if count != len(highest) or not all(
        isinstance(one, Real) and 0 <= one <= high for one, high in zip(given, highest, strict=True)
    ):
        raise InvalidArgumentError(
            f"expected {what}, numbers in 0..{highest[0]:.0f} and 0..{highest[1]:.0f}, but got {values!r:.80}"
        )
    return [float(one) for one in given]


def encode_example(student: StudentRuntime, example: Example) -> tuple[Float32Array, Float32Array]:
    """Return the key [1, D] of an example, and those [r, D] of other objects in its image."""
    keys = keys_of(student.encode_crops(example.rgb, [example.mask], turns=4))
    return keys, keys_of(student.encode_crops(example.rgb, example.others[:MAX_RIVALS]))


def add_example(student: StudentRuntime, name: str, example: Example) -> str:
    """Give a student one more example of a name, and return the name as the policy spells it.

    :raises InvalidArgumentError: as `ExampleMemory.add`
    """
    name = student.examples.spelled(name, student.config.names)
    keys, rivals = encode_example(student, example)
    student.remember(lambda examples: examples.add(name, keys, rivals))
    return name
