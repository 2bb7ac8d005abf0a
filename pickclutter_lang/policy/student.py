"""`ExportedStudent`: what detectors ask of an exported student, whatever computes its networks; needs no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from pickclutter_lang.datasets.config import CameraKey
from pickclutter_lang.datasets.transforms.augmentation import stack_channels
from pickclutter_lang.datasets.transforms.resampling import (
    MARGIN,
    MIN_CROP_SIDE,
    bounding_square,
    crop_bilinear,
    crop_nearest,
    resize_nearest,
    resize_smooth,
)
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.policy.config import StudentSpec, Thresholds
from pickclutter_lang.policy.manifest import copy_folder


class StudentOutput(NamedTuple):
    """What a student predicts for C names.

    `scores` [C] in 0..1, `attention` [C, h, w] with sum 1 each, and `cell_logits` [C, h, w]: the log odds of each name
    by each cell alone.
    """

    scores: NDArray[np.float32]
    attention: NDArray[np.float32]
    cell_logits: NDArray[np.float32]


class ExportedStudent(ABC):
    """A student with the thresholds of its scores: `StudentRuntime` by torch, `OnnxStudent` by ONNX Runtime."""

    def __init__(self, config: StudentSpec, thresholds: Thresholds | None) -> None:
        """Take its configuration.

        :param thresholds: of its scores; None for a student that only scores
        """
        self.config, self._thresholds = config, thresholds
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The policy folder that it was opened from.

        :raises InvalidArgumentError: when it was built without one
        """
        if self._folder is None:
            raise InvalidArgumentError(
                "expected a student that was opened from a policy folder, but this one was built from weights; make a "
                "folder: pickclutter export-policy"
            )
        return self._folder

    def save_pretrained(self, folder: str | Path) -> None:
        """Write its policy folder again somewhere else, as it was opened: without names that were encoded since.

        :raises CheckpointError: when the folder that it was opened from is gone or was changed
        :raises InvalidArgumentError: when there is none
        :raises DatasetError: when the new one cannot be written
        """
        copy_folder(self.folder, Path(folder))

    def push_to_hub(self, repository: str, private: bool = False, token: str | None = None, **place: Any) -> str:
        """Push its policy folder with a model card to the Hugging Face Hub; arguments and errors are `push_policy`'s.

        :raises InvalidArgumentError: when there is no folder
        """
        from pickclutter_lang.policy.hub import push_policy

        return push_policy(self.folder, repository, private, token, **place)

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names whose text features are known: those of its folder, then those that came since."""

    @abstractmethod
    def predict(self, observation: Mapping[str, Any], names: Sequence[str]) -> StudentOutput:
        """Score names on camera images.

        :param observation: has all images of `student_input`, each with a side of `config.camera_size` pixels
        :param names: C names
        :raises InvalidArgumentError: for an image that is missing or of another size, or a wrong name
        :raises PickClutterError: for a name whose text features are not known and cannot be made here
        """

    @abstractmethod
    def classify_crops(self, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
        """Return the log odds [n, C] of each name of the folder against its other names, for the objects in n masks.

        :param rgb: [S, S, 3], of the hand camera
        :param masks: each [S, S], where the object is, not empty
        :raises InvalidArgumentError: for a policy without a crop classifier
        """

    @property
    def student_input(self) -> list[str]:
        """Keys of the images that it takes in an observation, such as `hand_rgb`."""
        return [f"{camera}_{kind}" for camera, kind in self.config.camera_spec.keys]

    @property
    def thresholds(self) -> Thresholds:
        """The scores from which names are predicted present.

        :raises InvalidArgumentError: for a student that only scores
        """
        if self._thresholds is None:
            raise InvalidArgumentError("expected a student with thresholds, but this one only scores; export it first")
        return self._thresholds

    def threshold(self, name: str) -> float:
        """Return the score from which a name is predicted present."""
        return self.thresholds.names.get(name, self.thresholds.default)

    def preprocess(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the network's input for camera images, [1, K, S, S].

        :raises InvalidArgumentError: for an image that is missing or of another size
        """
        size = self.config.image_size
        channels, depths = stack_channels(self._stored_images(observation), self.config.crop_size)
        if size != channels.shape[1]:
            smooth = resize_smooth(channels, size)
            if depths:  # averaging over an edge gives a depth at which there is no surface
                smooth[..., depths] = resize_nearest(channels[..., depths], size)
            channels = smooth
        return np.ascontiguousarray(channels.transpose(0, 3, 1, 2))

    def _stored_images(self, observation: Mapping[str, Any]) -> dict[CameraKey, NDArray[Any]]:
        """Return the images that it takes in the format of scene stores, each with a first axis of 1.

        :raises InvalidArgumentError: for an image that is missing or of another size
        """
        side, stored = self.config.camera_size, {}
        for (camera, kind), key in zip(self.config.camera_spec.keys, self.student_input, strict=True):
            if key not in observation:
                raise InvalidArgumentError(
                    f"expected {key}, but got {', '.join(observation) or 'nothing'}; make the environment with "
                    "obs_mode='rgbd', and not with base_camera=False for the base camera's"
                )
            stored[camera, kind] = _validate_image(np.asarray(observation[key]), camera, kind, side)[None]
        return stored

    def _no_crops(self) -> InvalidArgumentError:
        return InvalidArgumentError(
            "expected a student with a crop classifier, but this policy has none; train with crop_classifier=default"
        )


def object_crops(
    rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the crops [n, 3, size, size] of the objects in n masks, and of the masks [n, size, size]."""
    squares = [(x, y, max(MARGIN * side, MIN_CROP_SIDE)) for x, y, side in map(bounding_square, masks)]
    images = np.stack([crop_bilinear(rgb, *square, size) for square in squares])
    cropped = np.stack([crop_nearest(mask, *square, size) for mask, square in zip(masks, squares, strict=True)])
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), cropped


def odds_against_others(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log odds [n, C] of each of C names against all others, of logits [n, C]."""
    others = np.repeat(logits[:, None], logits.shape[1], axis=1)
    others[:, np.arange(logits.shape[1]), np.arange(logits.shape[1])] = -np.inf
    return np.asarray(logits - logsumexp(others, axis=2))


def _validate_image(image: NDArray[Any], camera: str, kind: str, side: int) -> NDArray[Any]:
    """Return an image in the format of scene stores: uint8 [S, S, 3], or depth in millimeters, uint16 [S, S].

    :raises InvalidArgumentError: for another size, number of channels or type
    """
    if image.shape[:2] != (side, side):
        raise InvalidArgumentError(
            f"expected images of {side} x {side} pixels of the {camera} camera, but got "
            f"{' x '.join(map(str, image.shape[:2]))}; make the environment with "
            f"camera_cfgs={{'{camera}_camera': {{'width': {side}, 'height': {side}}}}}"
        )
    if kind == "rgb":
        if image.shape[2:] != (3,) or image.dtype != np.uint8:
            raise InvalidArgumentError(
                f"expected rgb of the {camera} camera as uint8 [{side}, {side}, 3], but got {image.dtype} "
                f"{list(image.shape)}; leave out an alpha channel, and give 0 to 255"
            )
        return image
    if image.ndim != 2 or not np.issubdtype(image.dtype, np.floating):
        raise InvalidArgumentError(
            f"expected depth of the {camera} camera in meters as floats [{side}, {side}], but got {image.dtype} "
            f"{list(image.shape)}"
        )
    return (image * 1000).round().clip(0, 65535).astype(np.uint16)
