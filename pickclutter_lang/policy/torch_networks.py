"""`TorchNetworks`: the networks of a student, computed by torch; their weights in a policy folder."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor, nn

from pickclutter_lang.datasets.transforms.resampling import OBJECT_SIZE
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.policy.networks import StudentOutput
from pickclutter_lang.policy_folder.folder import (
    EXPORT_AGAIN,
    TEXT_FILE,
    WEIGHTS_FILE,
    PolicyConfig,
    StudentSpec,
    TextFeatures,
    load_config,
    policy_folder,
    read_policy_file,
    read_text,
    text_bytes,
    write_folder,
)
from pickclutter_lang.students.label_encoders import StoredLabelEncoder
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.students.student import CropClassifier, MultiLabelStudent, build_student, resolve_bf16
from pickclutter_lang.utils.batch_norms import fold_batch_norms, noise
from pickclutter_lang.utils.plugins import is_plugin
from pickclutter_lang.utils.reading import check_finite, damage_of, to_float, to_half

PROMPTS_PREFIX = "prompts."
"""How the names of the contexts' weights begin."""
CROP_CLASSIFIER_PREFIX = "closeups."
"""How the names of the crop classifier's weights begin."""
_Network = TypeVar("_Network", MultiLabelStudent, CropClassifier)


class TorchNetworks:
    """The networks of a student.

    Names of the folder need no teacher. Others are encoded, without a description, by the text tower of the teacher
    that the student was distilled from. It is loaded at the first of them, and each is encoded once. The first
    prediction copies the weights of `model`, and the first crop those of `crop_classifier`, with batch norms folded:
    later changes do not count.
    """

    def __init__(
        self, config: StudentSpec, weights: Mapping[str, Tensor], text: PromptFeatures, device: str = "cpu"
    ) -> None:
        """Build the networks.

        :param weights: state dicts of the student, and under their prefixes of the prompts and the crop classifier
        :param text: text features [C, D] of the names of the configuration
        :param device: torch's name of where images are computed; names are encoded on the CPU
        :raises CheckpointError: when the weights do not fit the configuration
        """
        self._config = config
        self._device = torch.device(device)
        contexts = _with_prefix(weights, PROMPTS_PREFIX)
        self._labels = StoredLabelEncoder(config.names, text, config.prompts.prompt_config, contexts, config.teacher)
        use_bf16 = resolve_bf16(config.precision, device)
        settings = config.network.student_config
        self.model = MultiLabelStudent(settings, config.camera_spec, self._labels.embed_dim, use_bf16=use_bf16)
        self.crop_classifier: CropClassifier | None = None
        if config.object_crop_size is not None:
            student = build_student(settings, config.camera_spec.channels, self._labels.embed_dim, use_bf16)
            self.crop_classifier = CropClassifier(student, len(config.names)).eval().requires_grad_(False)
        prefixes = (PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX)
        try:
            self.model.load_state_dict({k: v for k, v in weights.items() if not k.startswith(prefixes)})
            if self.crop_classifier is not None:
                self.crop_classifier.load_state_dict(_with_prefix(weights, CROP_CLASSIFIER_PREFIX))
        except RuntimeError as error:
            raise CheckpointError(
                f"expected weights of the student that policy.json describes, but: "
                f"{' '.join(str(error).split())[:300]}; {EXPORT_AGAIN}"
            ) from error
        self.model.eval().requires_grad_(False)

    @property
    def names(self) -> list[str]:
        """Names whose text features are known: those of the folder, then those that were encoded since."""
        return self._labels.names

    def encode_names(self, names: Sequence[str]) -> TextFeatures:
        """Return the text features of names.

        :raises InvalidArgumentError, UnknownObjectError: for a name that cannot be encoded
        :raises TeacherError: when a name is new, and the teacher is missing or another one
        """
        text = self._labels.encode(names)
        assert text.negative is not None  # the label encoder has them
        return TextFeatures(text.positive.float().numpy(), text.negative.float().numpy())

    @torch.inference_mode()
    def score(self, images: NDArray[np.float32], text: TextFeatures) -> StudentOutput:
        """Score texts on an image [1, K, S, S]."""
        spatial = self._network.local_features(self._there(images)).float()
        scores = self._network.aggregation(spatial, *map(self._there, text))
        return StudentOutput(*(value[0].cpu().numpy() for value in scores))

    @torch.inference_mode()
    def classify_crops(self, images: NDArray[np.float32], masks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits [n, C] of the folder's names for object crops [n, 3, S, S] and their masks [n, S, S]."""
        logits: NDArray[np.float32] = self._crop_network(self._there(images), self._there(masks)).cpu().numpy()
        return logits

    @torch.inference_mode()
    def encode_crops(self, crops: NDArray[np.float32], teacher_only: bool = False) -> NDArray[np.float32]:
        """Return features [n, F] of crops [n, 3, S, S] in 0..1 of objects alone; see `Networks`."""
        features: NDArray[np.float32] = self._crop_encoder(self._there(crops), teacher_only).cpu().numpy()
        return features

    def _there(self, array: NDArray[np.float32]) -> Tensor:
        """Return an array on the device."""
        return torch.from_numpy(array).to(self._device)

    @cached_property
    def _network(self) -> MultiLabelStudent:
        return _folded(self.model, self._config.camera_spec.channels, self._config.image_size).to(self._device)

    @cached_property
    def _crop_network(self) -> CropClassifier:
        assert self.crop_classifier is not None and self._config.object_crop_size is not None  # the runtime checks it
        return _folded(self.crop_classifier, 3, self._config.object_crop_size).to(self._device)

    @cached_property
    def _crop_encoder(self) -> CropEncoder:
        """The encoder of any number of crops."""
        encoder = CropEncoder(resolve_bf16("auto", str(self._device))).eval()
        encoder.visual = fold_batch_norms(encoder.visual, noise(1, 3, OBJECT_SIZE, OBJECT_SIZE), encoder.use_bf16)
        return encoder.to(self._device)


def save_pretrained(
    folder: Path,
    config: PolicyConfig,
    weights: Mapping[str, Tensor],
    text: PromptFeatures,
    catalog: Sequence[CatalogEntry] = (),
    half: bool = False,
) -> None:
    """Write a policy folder, its configuration last.

    :param catalog: of one's own objects that the student was trained on
    :param half: write the weights in half precision; text features stay in single
    :raises InvalidArgumentError: for a configuration that is not allowed, text features without negative ones, or
        weights that half precision cannot hold
    :raises DatasetError: when it cannot be written
    """
    if text.negative is None:
        raise InvalidArgumentError("expected prompts with a negative context, but got only positive ones")
    if half:
        weights = to_half(weights)
        try:
            check_finite(weights)
        except ValueError as error:
            raise InvalidArgumentError(
                f"expected weights below 65504, as half precision holds, but: {error}; export them with half=false"
            ) from error
    features = TextFeatures(text.positive.cpu().numpy(), text.negative.cpu().numpy())
    files = {
        WEIGHTS_FILE: save({key: value.cpu().contiguous() for key, value in weights.items()}),
        TEXT_FILE: text_bytes(config.student.names, features),
    }
    write_folder(folder, config, files, catalog)


def load_pretrained(
    folder: str | Path, trust_code: bool = False
) -> tuple[PolicyConfig, dict[str, Tensor], PromptFeatures]:
    """Read a policy folder, or an embedded policy: its configuration, weights, and text features [C, D] of its names.

    :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder names
        the module that is then imported
    :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
    """
    root = policy_folder(folder)
    config = load_config(root)
    network = config.student.network.name
    if is_plugin(network) and not trust_code:
        raise CheckpointError(
            f"the policy in {root} names code outside this package, {network}, which opening it would run; if you "
            "trust the folder and that module, open it with trust_code=True (trust_code=true for a command)"
        )
    with damage_of(root / WEIGHTS_FILE, CheckpointError, EXPORT_AGAIN):
        weights = load(read_policy_file(root, config, WEIGHTS_FILE))
        check_finite(weights)
    return config, to_float(weights), PromptFeatures(*map(torch.from_numpy, read_text(root, config)))


class CropEncoder(nn.Module):
    """The encoder of crops, from [N, 3, S, S] in 0..1 to features [N, F]; see `Networks.encode_crops`."""

    mean: Tensor
    std: Tensor

    def __init__(self, use_bf16: bool) -> None:
        from pickclutter_lang.teachers.efficientnet_lite import BesideImageNet
        from pickclutter_lang.teachers.pocket import load_pocket_teacher  # open_clip takes seconds

        super().__init__()
        teacher = load_pocket_teacher()
        visual: Any = teacher.model.visual
        self.visual: Any = BesideImageNet(visual.trunk, visual.head)
        self.use_bf16 = use_bf16
        for name in ("mean", "std"):
            value = getattr(teacher.preprocess.config, name)
            self.register_buffer(name, torch.tensor(value).view(3, 1, 1), persistent=False)

    def forward(self, crops: Tensor, teacher_only: bool = False) -> Tensor:
        """Return the features, of both networks or of the teacher."""
        images = ((crops - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16, cache_enabled=False):
            features: Tensor = self.visual(images, teacher_only)
        return features


def _with_prefix(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the weights whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _folded(network: _Network, channels: int, size: int) -> _Network:
    """Return a copy of a network for images [N, channels, size, size] with folded batch norms."""
    made = copy.deepcopy(network)
    images = noise(1, channels, size, size)
    made.student.backbone = fold_batch_norms(made.student.backbone, images, made.student.use_bf16)
    return made
