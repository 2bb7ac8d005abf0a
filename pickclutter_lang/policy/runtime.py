"""A student in use: frames of cameras and names in, scores and maps out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pickclutter_lang.datasets.object_crops import crops_around
from pickclutter_lang.datasets.transforms.affine_crops import crop_images, crop_masks
from pickclutter_lang.datasets.transforms.preprocess import preprocess_images
from pickclutter_lang.datasets.transforms.squares import bounding_square
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.load import validate_label_names
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.bundle import (
    CROP_CLASSIFIER_PREFIX,
    PROMPTS_PREFIX,
    PolicyConfig,
    load_pretrained,
    load_teacher_for,
)
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.label_encoders import ClosedSetEncoder, PromptLabelEncoder, build_label_encoder
from pickclutter_lang.students.model import MultiLabelStudent, normalize_rgb

_WARMUP_CALLS = 3
"""After so many a traced network is compiled."""
CameraImages = Mapping[tuple[str, str], NDArray[Any]]
"""(camera, kind) -> a image: `rgb` uint8 [H, W, 3], `depth` float32 [H, W] or [H, W, 1] in meters (0 = nothing)."""


class StudentOutput(NamedTuple):
    """Scores [C] in 0..1 of C names, where each is seen: maps [C, h, w] with sum 1 each, and odds [C, h, w]: the
    logarithm of the odds that each cell alone gives it.
    """

    scores: NDArray[np.float32]
    attention: NDArray[np.float32]
    cell_logits: NDArray[np.float32]


class _LocalFeatures(nn.Module):
    """A scorer's network as a module from images to local features."""

    def __init__(self, scorer: MultiLabelStudent) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, images: Tensor) -> Tensor:
        """Return local features [N, D, h, w] of images [N, K, S, S]."""
        return self.scorer.features(images).spatial


class StudentRuntime:
    """An exported student on the CPU; made by `load`.

    Names of the folder need no teacher. Others are encoded, without a description, by the text tower of the teacher
    that the student was distilled from, which is loaded at the first of them; each is encoded once. The weights are
    frozen at the first look, and object crops' at the first of them: what is loaded into `scorer` later does not count.
    """

    def __init__(
        self, card: PolicyConfig, config: TrainConfig, weights: Mapping[str, Tensor], text: PromptFeatures
    ) -> None:
        """Build the network; `load` is the usual way.

        :raises CheckpointError: when the weights do not fit the settings
        """
        self.config, self.train_config = card, config
        self._contexts = {
            name.removeprefix(PROMPTS_PREFIX): value
            for name, value in weights.items()
            if name.startswith(PROMPTS_PREFIX)
        }
        self._text = {name: (text.positive[n], text.negative[n]) for n, name in enumerate(card.names)}  # type: ignore[index]
        empty = replace(config, student=replace(config.student, pretrained=False))  # its weights are here
        self.scorer = MultiLabelStudent(empty, text.positive.shape[1])
        self._crop_classifier = (
            None
            if card.crop_classifier is None
            else CropClassifier(MultiLabelStudent(empty, text.positive.shape[1]).student, len(card.names))
        )
        own = {
            name: value
            for name, value in weights.items()
            if not name.startswith((PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX))
        }
        closer = {
            name.removeprefix(CROP_CLASSIFIER_PREFIX): v
            for name, v in weights.items()
            if name.startswith(CROP_CLASSIFIER_PREFIX)
        }
        try:
            self.scorer.load_state_dict(own)
            if self._crop_classifier is not None:
                self._crop_classifier.load_state_dict(closer)
        except RuntimeError as error:
            raise CheckpointError(
                f"expected weights of the student that policy.json describes, but: {error}"
            ) from error
        self.scorer.eval().requires_grad_(False)
        if self._crop_classifier is not None:
            self._crop_classifier.eval().requires_grad_(False)
            self._crop_classifier.use_bf16 = self.scorer.use_bf16
        kinds = ("rgb", "depth") if config.data.depth else ("rgb",)
        self.student_input = [(camera, kind) for camera in config.data.cameras for kind in kinds]
        """(camera, kind) of each image that it looks at."""

    @classmethod
    def load(cls, folder: str | Path, trust_code: bool = False) -> StudentRuntime:
        """Open what `export_policy` wrote.

        :param trust_code: see `load_pretrained`
        :raises CheckpointError: when it is not there, damaged, or of another schema, or names code that is not trusted
        """
        return cls(*load_pretrained(folder, trust_code))

    @property
    def names(self) -> list[str]:
        """Names that it knows the texts of: those of its folder, then those that were asked for since."""
        return list(self._text)

    @property
    def map_size(self) -> int:
        """Side h = w of its maps."""
        with torch.no_grad():
            return int(self._network(self._blank).shape[-1])

    def threshold(self, name: str) -> float:
        """Return the score from which an object counts as there: its own threshold, or the one for all names."""
        return self.config.thresholds.get(name, self.config.threshold)

    @torch.no_grad()
    def predict(self, frame: CameraImages, names: Sequence[str]) -> StudentOutput:
        """Score names on what the cameras show.

        :param frame: has all of `images`, each with a side of `card.camera_size` pixels
        :param names: C names; new ones are encoded
        :raises InvalidArgumentError: for a image that is missing or of another size, or a wrong name
        :raises TeacherError: when a name is new, and the teacher is not there or another one
        """
        text = self.encode_names(names)
        scored = self.scorer.aggregation(self._network(self.preprocess(frame)).float(), text.positive, text.negative)
        return StudentOutput(
            *(values[0].numpy() for values in (scored.probabilities, scored.attention, scored.cell_logits))
        )

    @torch.no_grad()
    def classify_crop(self, rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the logarithms [C] of the odds that an object is rather called by a name of `card.names` than by any
        other of them.

        :param rgb: [S, S, 3], of the hand camera
        :param mask: [S, S], where the object is, not empty
        :raises InvalidArgumentError: for a student without object crops
        """
        network, size = self._closer
        window = crops_around(np.array([bounding_square(mask)]))
        image = crop_images(np.asarray(rgb)[None], window, size)
        own = crop_masks(mask[None].astype(np.uint8), window, size)
        logits = network(normalize_rgb(image), own.float())[0].double()
        others = logits.repeat(len(logits), 1).fill_diagonal_(-torch.inf).logsumexp(dim=1)
        odds: NDArray[np.float64] = (logits - others).numpy()
        return odds

    def preprocess(self, frame: CameraImages) -> Tensor:
        """Return what the student sees of a frame, float32 [1, K, S, S].

        :raises InvalidArgumentError: for a image that is missing or of another size
        """
        side, stored = self.config.camera_size, {}
        for camera, kind in self.student_input:
            if (camera, kind) not in frame:
                there = ", ".join(f"{k} of {c}" for c, k in frame) or "nothing"
                raise InvalidArgumentError(
                    f"expected {kind} of the {camera} camera, but the frame has {there}; make the environment with "
                    "obs_mode='rgbd', and not with base_camera=False for the base camera's"
                )
            stored[camera, kind] = _checked(np.asarray(frame[camera, kind]), camera, kind, side)[None]
        data = self.train_config.data
        return preprocess_images(stored, data.crop_size or side, data.image_size)

    def encode_names(self, names: Sequence[str]) -> PromptFeatures:
        """Return the text features [C, D] of names.

        :raises InvalidArgumentError, UnknownObjectError, TeacherError: for a name that cannot be encoded
        """
        wanted = validate_label_names(names)
        new = [name for name in wanted if name not in self._text]
        if new:
            found = self._encode(new)
            self._text |= {name: (found.positive[n], found.negative[n]) for n, name in enumerate(new)}  # type: ignore[index]
        positive, negative = zip(*(self._text[name] for name in wanted), strict=True)
        return PromptFeatures(torch.stack(positive), torch.stack(negative))

    @torch.no_grad()
    def _encode(self, names: Sequence[str]) -> PromptFeatures:
        """Encode names by the learned contexts and the teacher's text tower."""
        return self._prompts.encode(names)

    @property
    def _blank(self) -> Tensor:
        """A image [1, K, S, S] with nothing on it."""
        size = self.train_config.data.image_size
        return torch.zeros(1, self.train_config.data.channels, size, size)

    @cached_property
    def _network(self) -> torch.jit.ScriptModule:
        """The network from a image to local features, frozen."""
        return _frozen(_LocalFeatures(self.scorer), self._blank)

    @cached_property
    def _closer(self) -> tuple[torch.jit.ScriptModule, int]:
        """The frozen network from an object crop and its mask to logits of the folder's names, and the crop's size."""
        if self._crop_classifier is None or self.config.crop_classifier is None:
            raise InvalidArgumentError(
                "expected a student with a crop classifier, but this policy has none; train with "
                "crop_classifier=default"
            )
        size = self.config.crop_classifier.crop_size
        return _frozen(self._crop_classifier, torch.zeros(1, 3, size, size), torch.zeros(1, size, size)), size

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is frozen, so that a student can be sent to the processes of vectorised environments."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_network", "_closer")}

    @cached_property
    def _prompts(self) -> PromptLabelEncoder | ClosedSetEncoder:
        """The learned contexts before the teacher's text tower, which is loaded for it."""
        plain = replace(
            self.train_config.prompts, descriptions=None, extra_descriptions=[]
        )  # their files need not be here
        prompts = build_label_encoder(plain, load_teacher_for(self.config), self.config.names)
        prompts.load_state_dict(self._contexts)
        return prompts.eval()


@torch.no_grad()
def _frozen(network: nn.Module, *blank: Tensor) -> torch.jit.ScriptModule:
    """Trace a network and freeze its weights; that takes about half of its time.

    :param blank: what it may be given, of the only size that it takes then
    """
    with warnings.catch_warnings():
        # Of sizes that are taken for constants: all images have one size.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        traced = torch.jit.trace(network.eval(), blank, check_trace=False)  # type: ignore[no-untyped-call]
    frozen: torch.jit.ScriptModule = torch.jit.freeze(traced)
    for _ in range(_WARMUP_CALLS):
        frozen(*blank)
    return frozen


def _checked(image: NDArray[Any], camera: str, kind: str, side: int) -> NDArray[Any]:
    """Return a image as scene stores hold it: uint8 [S, S, 3], or depth in millimeters, uint16 [S, S].

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
    if image.shape[2:] not in ((), (1,)) or not np.issubdtype(image.dtype, np.floating):
        raise InvalidArgumentError(
            f"expected depth of the {camera} camera in meters as floats [{side}, {side}] or [{side}, {side}, 1], but "
            f"got {image.dtype} {list(image.shape)}"
        )
    return (image.reshape(side, side) * 1000).round().clip(0, 65535).astype(np.uint16)
