"""Views: an image, its segments, and what is computed of them once, when an evidence asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.segmentation import segment_photo
from pickclutter_lang.policy.example_memory import keys_of
from pickclutter_lang.policy.observations import (
    VIEW,
    check_arrays,
    checked_view,
    repeated,
    segment_observation,
    shrink_observation,
)
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.typing import Float32Array

_MAX_SEGMENTS = 24
"""Most segments of a view, the largest ones, so that a decision has a longest time."""


@dataclass(frozen=True)
class View:
    """An image with its segments, as a student sees it.

    - `student`: whose view it is
    - `rgb`: uint8 [H, W, 3], all pixels, of which crops are made
    - `observation`: the images that the student takes, as small as it takes them
    - `parts`: [h, w], the number of the segment that each pixel belongs to, 0 for the background
    - `field`: side in pixels of the central square of `parts` that the student sees
    - `with_depth`: whether depth told the segments apart
    - `segmented`: whether there are segments at all, as on any ground of a photo but a plain one there are not
    """

    student: StudentRuntime
    rgb: NDArray[np.uint8]
    observation: Mapping[str, Any]
    parts: NDArray[np.int64]
    field: int
    with_depth: bool
    segmented: bool

    @classmethod
    def of_observation(cls, student: StudentRuntime, observation: Any) -> View:
        """Return the view of an observation of `FlatObservation`, whose sides are a multiple of `camera_size`.

        :raises InvalidArgumentError: as `checked_view` and `shrink_observation`
        """
        given = checked_view(observation)
        factor = max(len(given["hand_rgb"]) // student.config.camera_size, 1)
        seen = shrink_observation(given, factor) if factor > 1 else given
        return cls(student, given["hand_rgb"], seen, segment_observation(seen), student.config.crop_size, True, True)

    @classmethod
    def of_photo(cls, student: StudentRuntime, rgb: NDArray[np.uint8]) -> View:
        """Return the view of a photo [S, S, 3] that fills the student's field; on a busy ground it has no segment.

        :raises InvalidArgumentError: for a student that takes depth, or another image
        """
        spec = student.config
        check_arrays({"hand_rgb": rgb}, {"hand_rgb": VIEW["hand_rgb"]})
        if rgb.shape[0] != rgb.shape[1]:
            raise InvalidArgumentError(
                f"expected a square photo, since a student sees a square, but got {rgb.shape[1]} x {rgb.shape[0]} "
                "pixels; cut a square around what you ask for"
            )
        if spec.depth:
            raise InvalidArgumentError("expected a student of only RGB, but this one takes depth, which no photo has")
        parts = segment_photo(rgb, np.ones(rgb.shape[:2], bool))
        before = (spec.camera_size - spec.crop_size) // 2
        around = (before, spec.camera_size - spec.crop_size - before)  # which the student does not see
        small = np.asarray(Image.fromarray(rgb).resize((spec.crop_size,) * 2))
        seen = {"hand_rgb": np.pad(small, (around, around, (0, 0)))}
        whole = np.zeros(rgb.shape[:2], np.int64)
        return cls(student, rgb, seen, whole if parts is None else parts, len(rgb), False, parts is not None)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Numbers [n] of the segments that are large enough to be told, in their order."""
        sizes = np.bincount(self.parts.ravel())
        large = 1 + np.flatnonzero(sizes[1:] >= MIN_AREA_FRACTION * self.parts.size)
        return np.sort(large[np.argsort(-sizes[large], kind="stable")[:_MAX_SEGMENTS]])

    def mask(self, segment: int) -> NDArray[np.bool_]:
        """Return the pixels, bool [H, W], of a segment by its position in `numbers`."""
        return self.enlarged(self.parts == self.numbers[segment])

    def enlarged(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return an image [h, w] of the student's pixels with all pixels [H, W]."""
        return repeated(image, len(self.rgb) // len(self.parts))

    @cached_property
    def features(self) -> Float32Array:
        """Features [n, F] of the crops of the segments."""
        masks = [self.mask(segment) for segment in range(len(self.numbers))]
        return np.asarray(self.student.encode_crops(self.rgb, masks)[0])

    @cached_property
    def keys(self) -> Float32Array:
        """Keys [n, D] of the segments, by which examples are compared."""
        return keys_of(self.features[None])
