"""`StudentRuntime`: inference with an exported student; torch or ONNX Runtime computes its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from pickclutter_lang.datasets.transforms.augmentation import stack_channels
from pickclutter_lang.datasets.transforms.resampling import (
    MARGIN,
    MIN_CROP_SIDE,
    bounding_square,
    crop_bilinear,
    crop_nearest,
    object_crop,
    resize_channels,
)
from pickclutter_lang.errors import (
    CheckpointError,
    InvalidArgumentError,
    MissingExtraError,
)
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric, load_examples
from pickclutter_lang.policy.networks import Networks, StudentOutput
from pickclutter_lang.policy.onnx_networks import OnnxNetworks
from pickclutter_lang.policy_folder.folder import (
    CROP_ENCODER_FILE,
    EXPORT_AGAIN,
    StudentSpec,
    Thresholds,
    as_path,
    check_nothing_lost,
    copy_folder,
    load_config,
    pictures_of,
    policy_folder,
)
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.typing import Float32Array
from pickclutter_lang.utils.validation import check_device, check_path

_learning = Lock()
"""Held while a memory takes the place of the one before: what threads teach at once is all kept."""


class StudentRuntime:
    """An exported student, with the thresholds of its scores; opened by `load`."""

    def __init__(
        self,
        config: StudentSpec,
        networks: Networks,
        thresholds: Thresholds | None = None,
        folder: Path | None = None,
        examples: ExampleMemory | None = None,
    ) -> None:
        """Take the parts of a student.

        :param thresholds: of its scores; None for a student that only scores
        :param folder: the policy folder that it comes from, if it comes from one
        :param examples: of the objects that it was shown
        """
        self.config = config
        self.networks = networks
        self.folder = folder
        self._thresholds = thresholds
        self.examples = ExampleMemory(crop_metric().encoder) if examples is None else examples
        """Of the objects that it was shown; a new memory takes its place when it is taught."""
        self._opened_with = self.examples
        self.student_input = [f"{camera}_{kind}" for camera, kind in config.camera_spec.keys]
        """Keys of the images that it takes in an observation, such as `hand_rgb`."""

    @classmethod
    def load(
        cls, folder: str | Path, trust_code: bool = False, num_threads: int | None = None, device: str = "cpu"
    ) -> StudentRuntime:
        """Open a policy folder, or an embedded policy by its name, `open`.

        :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder
            names the module that is then imported
        :param num_threads: of ONNX Runtime, for a folder of `pickclutter export-runtime`; None: one for each core
        :param device: torch's name of where its networks compute, such as `cuda`
        :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
        :raises InvalidArgumentError: for a device that cannot be used here, or with ONNX Runtime
        :raises MissingExtraError: when it needs what is not installed
        """
        root = policy_folder(folder)
        config = load_config(root)
        examples = load_examples(root)
        if config.thresholds.second_look is not None:
            if config.student.teacher.fingerprint != crop_metric().teacher:
                raise CheckpointError(
                    f"expected a second look by the teacher of the policy in {root}, but this package embeds another "
                    f"one; {EXPORT_AGAIN}"
                )
            if config.is_onnx and CROP_ENCODER_FILE not in config.sha256:
                raise CheckpointError(
                    f"expected {CROP_ENCODER_FILE} in {root}, whose policy takes a second look; export it again: "
                    "pickclutter export-runtime policy=... out=..."
                )
        if config.is_onnx:
            if device != "cpu":
                raise InvalidArgumentError(
                    f"expected device=cpu for {root}, which ONNX Runtime computes, but got {device!r}; open the "
                    "folder of export-policy that it was made from"
                )
            return cls(config.student, OnnxNetworks(root, config, num_threads), config.thresholds, root, examples)
        if find_spec("torch") is None:
            raise MissingExtraError("torch, which a folder of export-policy needs,", "train")
        from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained

        check_device(device)
        _, weights, text = load_pretrained(root, trust_code)
        networks = TorchNetworks(config.student, weights, text, device)
        return cls(config.student, networks, config.thresholds, root, examples)

    @property
    def names(self) -> list[str]:
        """Names whose text features are known: those of its folder, then those that came since."""
        return self.networks.names

    @property
    def thresholds(self) -> Thresholds:
        """The scores from which names are predicted present.

        :raises InvalidArgumentError: for a student that only scores
        """
        if self._thresholds is None:
            raise InvalidArgumentError("expected a student with thresholds, but this one only scores; export it first")
        return self._thresholds

    def learned(self) -> dict[str, bytes]:
        """Return the files of a policy folder with what it learned: its memory, without pictures."""
        return self.examples.files()

    def remember(self, change: Callable[[ExampleMemory], ExampleMemory]) -> None:
        """Change the memory of what it was shown; what other threads change at once is not lost."""
        with _learning:
            self.examples = change(self.examples)

    def save(self, folder: Path, out: str | Path) -> None:
        """Write the policy folder that it was opened from again, with what it learned since.

        :param out: another folder, or the same one
        :raises CheckpointError: when `folder` is gone or was changed
        :raises InvalidArgumentError: when a policy in `out` learned what would be lost
        :raises DatasetError: when it cannot be written
        """
        target = as_path("folder", out)
        check_path("folder", str(out))
        config = load_config(folder)
        if config.student != self.config or config.thresholds != self.thresholds:
            raise CheckpointError(
                f"expected {folder} as it was when the policy was opened, but it was changed; open it again"
            )
        with dir_lock(target):
            learned = self.learned()
            is_own = folder.resolve() == target.resolve()
            check_nothing_lost(target, learned, self._opened_with.files() if is_own else None)
            pictures = {} if is_own else pictures_of(folder, self.examples.taught)
            copy_folder(folder, target, pictures | learned)
            self._opened_with = self.examples

    @property
    def looks_twice(self) -> bool:
        """Whether it takes a second look at each segment; see `policy.evidence.second_look`."""
        return self._thresholds is not None and self._thresholds.second_look is not None

    @cached_property
    def map_size(self) -> int:
        """Side h = w of its maps."""
        spec = self.config
        blank = np.zeros((1, spec.camera_spec.channels, spec.image_size, spec.image_size), np.float32)
        return int(self.networks.score(blank, self.networks.encode_names(spec.names[:1])).attention.shape[-1])

    def predict(self, observation: Mapping[str, Any], names: Sequence[str]) -> StudentOutput:
        """Score C names on the camera images of an observation; the teacher's text tower encodes new ones, each once.

        :raises InvalidArgumentError: as `preprocess`, and for a name that cannot be encoded, as UnknownObjectError
        :raises TeacherError: when a name is new, and the teacher is missing or another one
        """
        return self.networks.score(self.preprocess(observation), self.networks.encode_names(names))

    def preprocess(self, observation: Mapping[str, Any]) -> Float32Array:
        """Return the network's input [1, K, S, S] for camera images: RGB in 0..1, depth in meters (0 = nothing).

        :param observation: has all images of `student_input`, each with a side of `config.camera_size` pixels
        :raises InvalidArgumentError: for an image that is missing or of another size
        """
        spec = self.config
        images: dict[tuple[str, str], NDArray[np.generic]] = {}
        for (camera, kind), key in zip(spec.camera_spec.keys, self.student_input, strict=True):
            if key not in observation:
                raise InvalidArgumentError(
                    f"expected {key}, but got {', '.join(observation) or 'nothing'}; make the environment with "
                    "obs_mode='rgbd', and not with base_camera=False for the base camera's"
                )
            images[camera, kind] = _validate_image(np.asarray(observation[key]), key, spec.camera_size)[None]
        channels, depths = stack_channels(images, spec.crop_size)
        resized = resize_channels(channels[0], spec.image_size, depths)
        return np.ascontiguousarray(resized.transpose(2, 0, 1)[None])

    def classify_crops(self, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
        """Return the log odds [n, C] of each name of the folder against its other names, for the objects in n masks.

        :param rgb: [S, S, 3], of the hand camera
        :param masks: each [S, S], where the object is, not empty
        :raises InvalidArgumentError: for a policy without a crop classifier
        """
        size = self.config.object_crop_size
        if size is None:
            raise InvalidArgumentError(
                "expected a student with a crop classifier, but this policy has none; train with "
                "crop_classifier=default"
            )
        squares = [(x, y, max(MARGIN * side, MIN_CROP_SIDE)) for x, y, side in map(bounding_square, masks)]
        images = np.stack([crop_bilinear(rgb, *square, size) for square in squares]).transpose(0, 3, 1, 2)
        cropped = np.stack([crop_nearest(mask, *square, size) for mask, square in zip(masks, squares, strict=True)])
        logits = self.networks.classify_crops(np.ascontiguousarray(images), cropped).astype(np.float64)
        others = np.repeat(logits[:, None], logits.shape[1], axis=1)
        others[:, np.arange(logits.shape[1]), np.arange(logits.shape[1])] = -np.inf
        return np.asarray(logits - logsumexp(others, axis=2))

    def encode_crops(
        self, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]], turns: int = 1, teacher_only: bool = False
    ) -> Float32Array:
        """Return features [turns, n, F] of the objects in n masks; see `Networks.encode_crops`.

        :param rgb: [H, W, 3]
        :param masks: each [H, W], not empty
        :param turns: quarter turns of each crop: 4 for an example, which may lie turned later
        :param teacher_only: without the features of ImageNet's network
        """
        if not len(masks):
            width = crop_metric().teacher_width if teacher_only else len(crop_metric().mean)
            return np.zeros((turns, 0, width), np.float32)
        crops = np.stack([np.rot90(object_crop(rgb, mask), turn) for turn in range(turns) for mask in masks])
        features = self.networks.encode_crops(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)), teacher_only)
        return features.reshape(turns, len(masks), -1)


def _validate_image(image: NDArray[Any], key: str, side: int) -> NDArray[np.generic]:
    """Return RGB, uint8 [S, S, 3], or depth, floats [S, S] in meters, in the whole millimeters of scene stores.

    :raises InvalidArgumentError: for another size, number of channels or type
    """
    if image.shape[:2] != (side, side):
        camera = key.partition("_")[0]
        raise InvalidArgumentError(
            f"expected {key} of {side} x {side} pixels, but got {' x '.join(map(str, image.shape[:2]))}; make the "
            f"environment with camera_cfgs={{'{camera}_camera': {{'width': {side}, 'height': {side}}}}}"
        )
    if key.endswith("_depth"):
        fits = image.ndim == 2 and image.dtype.kind == "f"
        wanted = f"meters as floats [{side}, {side}]"
    else:
        fits = image.shape[2:] == (3,) and image.dtype == np.uint8
        wanted = f"uint8 [{side}, {side}, 3]"
    if not fits:
        raise InvalidArgumentError(f"expected {key} as {wanted}, but got {image.dtype} {list(image.shape)}")
    return np.round(image * 1000) if key.endswith("_depth") else image
