"""`StudentRuntime`: inference with an exported student, from camera images and names to scores and maps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.bundle import CROP_CLASSIFIER_PREFIX, PROMPTS_PREFIX, load_pretrained
from pickclutter_lang.policy.config import StudentSpec, Thresholds
from pickclutter_lang.policy.manifest import policy_folder
from pickclutter_lang.policy.student import ExportedStudent, StudentOutput, object_crops, odds_against_others
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.label_encoders import StoredLabelEncoder
from pickclutter_lang.students.model import MultiLabelStudent, resolve_bf16

_WARMUP_CALLS = 3
"""After so many calls a traced network is compiled."""


class _SpatialFeatures(nn.Module):
    """A student's network as a module from images to spatial features."""

    def __init__(self, scorer: MultiLabelStudent) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, images: Tensor) -> Tensor:
        """Return spatial features [N, D, h, w] of images [N, K, S, S]."""
        return self.scorer.features(images).spatial


class StudentRuntime(ExportedStudent):
    """An exported student on the CPU; created by `load`.

    Names of the folder need no teacher. Others are encoded, without a description, by the text tower of the teacher
    that the student was distilled from. It is loaded at the first of them, and each is encoded once. The weights are
    frozen at the first prediction, and the crop classifier's at the first crop: later changes of `scorer` do not count.
    """

    def __init__(
        self,
        config: StudentSpec,
        weights: Mapping[str, Tensor],
        text: PromptFeatures,
        thresholds: Thresholds | None = None,
    ) -> None:
        """Build the network; `load` is the usual way.

        :param config: of the student
        :param weights: state dicts of the student, and under their prefixes of the prompts and the crop classifier
        :param text: text features [C, D] of the names of the configuration
        :param thresholds: of its scores; None for a student that only scores
        :raises CheckpointError: when the weights do not fit the configuration
        :raises InvalidArgumentError: for the precision `int8`
        """
        super().__init__(config, thresholds)
        contexts = _with_prefix(weights, PROMPTS_PREFIX)
        self._labels = StoredLabelEncoder(config.names, text, config.prompts.prompt_config, contexts, config.teacher)
        if config.precision == "int8":
            raise InvalidArgumentError(
                "expected the precision float32, bfloat16 or auto with torch, but got int8, which ONNX Runtime has"
            )
        self._use_bf16 = resolve_bf16(config.precision, "cpu")
        self.scorer = self._build_student()
        self.crop_classifier: CropClassifier | None = None
        if config.object_crop_size is not None:
            student = self._build_student().student
            self.crop_classifier = CropClassifier(student, len(config.names), use_bf16=self._use_bf16)
        prefixes = (PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX)
        try:
            self.scorer.load_state_dict({k: v for k, v in weights.items() if not k.startswith(prefixes)})
            if self.crop_classifier is not None:
                self.crop_classifier.load_state_dict(_with_prefix(weights, CROP_CLASSIFIER_PREFIX))
        except RuntimeError as error:
            raise CheckpointError(
                f"expected weights of the student that policy.json describes, but: {error}"
            ) from error
        for network in (self.scorer, self.crop_classifier):
            if network is not None:
                network.eval().requires_grad_(False)

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, trust_code: bool = False, **of_hub: Any) -> StudentRuntime:
        """Open a student of the Hugging Face Hub, `owner/name`, of a policy folder, or an embedded one, `open`.

        :param trust_code: see `load_pretrained`
        :param of_hub: `revision`, `cache_dir` and `token` of `fetch_policy`
        :raises CheckpointError: what `fetch_policy` and `load` raise
        """
        from pickclutter_lang.policy.hub import fetch_policy

        return cls.load(fetch_policy(name_or_path, **of_hub), trust_code)

    @classmethod
    def load(cls, folder: str | Path, trust_code: bool = False) -> StudentRuntime:
        """Open a policy folder, which `export_policy` wrote, or an embedded policy by its name, `open`.

        :param trust_code: see `load_pretrained`
        :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
        """
        config, weights, text = load_pretrained(folder, trust_code)
        student = cls(config.student, weights, text, config.thresholds)
        student._folder = policy_folder(folder)
        return student

    @property
    def names(self) -> list[str]:
        """Names whose text features are known: those of its folder, then those that were encoded since."""
        return self._labels.names

    @property
    def map_size(self) -> int:
        """Side h = w of its maps."""
        with torch.no_grad():
            return int(self._network(self._blank).shape[-1])

    @torch.no_grad()
    def predict(self, observation: Mapping[str, Any], names: Sequence[str]) -> StudentOutput:
        """Score names on camera images.

        :param observation: has all images of `student_input`, each with a side of `config.camera_size` pixels
        :param names: C names; new ones are encoded
        :raises InvalidArgumentError: for an image that is missing or of another size, or a wrong name
        :raises TeacherError: when a name is new, and the teacher is missing or another one
        """
        text = self.encode_names(names)
        spatial = self._network(torch.from_numpy(self.preprocess(observation))).float()
        scores = self.scorer.aggregation(spatial, text.positive, text.negative)
        return StudentOutput(*(value[0].numpy() for value in scores))

    @torch.no_grad()
    def classify_crops(self, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
        """Return the log odds [n, C] of each name of the folder against its other names, for the objects in n masks.

        :param rgb: [S, S, 3], of the hand camera
        :param masks: each [S, S], where the object is, not empty
        :raises InvalidArgumentError: for a policy without a crop classifier
        """
        network, size = self._crop_network
        crops = (torch.from_numpy(part).split(1) for part in object_crops(np.asarray(rgb), masks, size))
        # one at a time: the network is frozen for one
        found = [odds_against_others(network(*crop).double().numpy())[0] for crop in zip(*crops, strict=True)]
        return np.stack(found)

    def encode_names(self, names: Sequence[str]) -> PromptFeatures:
        """Return the text features [C, D] of names.

        :raises InvalidArgumentError, UnknownObjectError: for a name that cannot be encoded
        :raises TeacherError: when a name is new, and the teacher is missing or another one
        """
        return self._labels.encode(names)

    def _build_student(self) -> MultiLabelStudent:
        config = self.config
        return MultiLabelStudent(
            config.network.student_config, config.camera_spec, self._labels.embed_dim, self._use_bf16
        )

    @property
    def _blank(self) -> Tensor:
        """A black image [1, K, S, S]."""
        size = self.config.image_size
        return torch.zeros(1, self.config.camera_spec.channels, size, size)

    @cached_property
    def _network(self) -> torch.jit.ScriptModule:
        """The frozen network from an image to spatial features."""
        return _freeze(_SpatialFeatures(self.scorer), self._blank)

    @cached_property
    def _crop_network(self) -> tuple[torch.jit.ScriptModule, int]:
        """The frozen network from an object crop and its mask to logits of the names, and the side of the crop."""
        size = self.config.object_crop_size
        if self.crop_classifier is None or size is None:
            raise self._no_crops()
        return _freeze(self.crop_classifier, torch.zeros(1, 3, size, size), torch.zeros(1, size, size)), size

    def __getstate__(self) -> dict[str, Any]:
        """Leave out frozen networks, so that a student can be sent to the processes of vectorized environments."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_network", "_crop_network")}


def _with_prefix(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the weights whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


@torch.no_grad()
def _freeze(network: nn.Module, *blank: Tensor) -> torch.jit.ScriptModule:
    """Trace a network and freeze its weights; that takes about half of its time.

    :param blank: example inputs, of the only size that the frozen network takes
    """
    with warnings.catch_warnings():
        # The tracer warns that sizes become constants: all images have one size.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        traced = torch.jit.trace(network.eval(), blank, check_trace=False)
    frozen: torch.jit.ScriptModule = torch.jit.freeze(traced)
    for _ in range(_WARMUP_CALLS):
        frozen(*blank)
    return frozen
