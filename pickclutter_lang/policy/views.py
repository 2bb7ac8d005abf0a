"""Views: an image, its segments, and what is computed of them once, when an evidence asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION, bounding_square, resize_nearest
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.photo_segmentation import segment_photo
from pickclutter_lang.policy.example_memory import crop_metric, keys_of
from pickclutter_lang.policy.observations import (
    OF_CAMERA,
    SEGMENTED_SIDE,
    VIEW,
    check_arrays,
    checked_view,
    enlarge_segments,
    segment_observation,
    shrink_observation,
)
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.typing import Float32Array

_MAX_SEGMENTS = 24
"""Most segments of a view, the largest ones, so that a decision has a longest time."""
_AROUND = 1.2
"""Side of the square of a frame that a student sees, in those of the square around its segments."""


@dataclass(frozen=True)
class View:
    """An image with its segments, as a student sees it.

    - `student`: whose view it is
    - `rgb`: uint8 [H, W, 3], all pixels, of which crops are made
    - `observation`: the images that the student takes, as small as it takes them
    - `parts`: [h, w], the number of the segment that each pixel belongs to, 0 for the background
    - `seen`: [s, s], `parts` as they lie in the square that the student sees
    - `with_depth`: whether depth told the segments apart
    - `of_camera`: whether it is a `Frame`, not an observation of an environment
    - `segmented`: whether objects were told apart; in a photo on a busy ground they were not, and all is one segment
    """

    student: StudentRuntime
    rgb: NDArray[np.uint8]
    observation: Mapping[str, Any]
    parts: NDArray[np.int64]
    seen: NDArray[np.int64]
    with_depth: bool
    segmented: bool
    of_camera: bool = False

    @classmethod
    def of_observation(cls, student: StudentRuntime, observation: Any) -> View:
        """Return the view of an observation of `FlatObservation`, or of a `Frame`.

        Of a square image, whose side is a multiple of `camera_size`, the student sees the center, as in training. Of
        any other it sees the square around all segments.

        :raises InvalidArgumentError: as `checked_view`
        """
        given = checked_view(observation)
        rgb = given["hand_rgb"]
        spec = student.config
        of_camera = OF_CAMERA in given
        height, width = rgb.shape[:2]
        as_trained = height == width and width % spec.camera_size == 0
        small = shrink_observation(given, spec.camera_size if as_trained else SEGMENTED_SIDE)
        parts = segment_observation(small)
        before = (spec.camera_size - spec.crop_size) // 2
        if as_trained:
            inside = slice(before, before + spec.crop_size)
            return cls(student, rgb, small, parts, parts[inside, inside], True, True, of_camera)
        square = _square_around(parts > 0)
        around = (before, spec.camera_size - spec.crop_size - before)  # which the student does not see
        images = {
            key: _cut_square(small[key], square, spec.crop_size, key == "hand_rgb") for key in student.student_input
        }
        images = {key: np.pad(image, [around] * 2 + [(0, 0)] * (image.ndim - 2)) for key, image in images.items()}
        seen = _cut_square(parts, square, spec.crop_size)
        return cls(student, rgb, images, parts, seen, True, True, of_camera)

    @classmethod
    def of_photo(cls, student: StudentRuntime, rgb: NDArray[np.uint8]) -> View:
        """Return the view of a photo [S, S, 3] that fills the student's field; on a busy ground all of it is a segment.

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
        segmented = parts is not None
        parts = np.ones(rgb.shape[:2], np.int64) if parts is None else parts
        return cls(student, rgb, seen, parts, parts, False, segmented)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Numbers [n] of the segments that are large enough to be told, in their order."""
        return large_segments(self.parts)

    def mask(self, segment: int) -> NDArray[np.bool_]:
        """Return the pixels, bool [H, W], of a segment by its position in `numbers`."""
        return self.enlarged(self.parts == self.numbers[segment])

    def enlarged(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return an image [h, w] of the student's pixels with all pixels [H, W]."""
        return enlarge_segments(image, self.rgb.shape)

    @cached_property
    def features(self) -> Float32Array:
        """Features [n, F] of the crops of the segments; the teacher's are the first."""
        return np.asarray(self.student.encode_crops(self.rgb, self._masks)[0])

    @cached_property
    def teacher_features(self) -> Float32Array:
        """The teacher's features [n, D] of the crops; without those of `features` they take two thirds of the time."""
        if "features" in vars(self):
            return self.features[:, : crop_metric().teacher_width]
        return np.asarray(self.student.encode_crops(self.rgb, self._masks, teacher_only=True)[0])

    @property
    def _masks(self) -> list[NDArray[np.bool_]]:
        return [self.mask(segment) for segment in range(len(self.numbers))]

    @cached_property
    def keys(self) -> Float32Array:
        """Keys [n, D] of the segments, by which examples are compared."""
        return keys_of(self.features[None])

    def turned_keys(self, segments: Sequence[int]) -> Float32Array:
        """Return keys [n, D] of segments by their positions in `numbers`: means over four quarter turns."""
        return keys_of(self.student.encode_crops(self.rgb, [self.mask(segment) for segment in segments], turns=4))


def large_segments(parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers [n] of the segments [h, w] that are large enough to be told, in their order."""
    sizes = np.bincount(parts.ravel())
    large = 1 + np.flatnonzero(sizes[1:] >= MIN_AREA_FRACTION * parts.size)
    return np.sort(large[np.argsort(-sizes[large], kind="stable")[:_MAX_SEGMENTS]])


def _square_around(objects: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return left, top and side of the square around all pixels of objects [h, w], or around the image."""
    if not objects.any():
        objects = np.ones_like(objects)
    x, y, side = bounding_square(objects)
    length = round(side * _AROUND)
    return round(x + 0.5 - length / 2), round(y + 0.5 - length / 2), length


def _cut_square(image: NDArray[Any], square: tuple[int, int, int], size: int, smooth: bool = False) -> NDArray[Any]:
    """Cut a square (left, top, side) out of an image [h, w, ...] and resize it to `size`; 0 outside of the image.

    :param smooth: interpolate between pixels, not for depth and numbers of segments
    """
    left, top, side = square
    height, width = image.shape[:2]
    beyond = [(max(-top, 0), max(top + side - height, 0)), (max(-left, 0), max(left + side - width, 0))]
    padded = np.pad(image, beyond + [(0, 0)] * (image.ndim - 2))
    top, left = top + beyond[0][0], left + beyond[1][0]
    cut = padded[top : top + side, left : left + side]
    if smooth:
        return np.asarray(Image.fromarray(cut).resize((size, size), Image.Resampling.BILINEAR))
    return np.asarray(resize_nearest(cut.reshape(side, side, -1), size).reshape(size, size, *image.shape[2:]))
