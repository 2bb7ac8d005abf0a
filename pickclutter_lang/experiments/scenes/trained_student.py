"""The student of a finished run for inference: weights and label features, without scene stores or teacher."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypedDict

from msgspec import Meta
from safetensors.torch import save
from torch import Tensor

from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset, load_scene_datasets
from pickclutter_lang.errors import CheckpointError, DatasetError, MismatchError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, read_catalog
from pickclutter_lang.students.label_encoders import StoredLabelEncoder
from pickclutter_lang.students.student import MultiLabelStudent, resolve_bf16
from pickclutter_lang.teachers.reference import TeacherReference
from pickclutter_lang.training.checkpoint import describe_differences
from pickclutter_lang.utils.array_files import read_tensors
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import Sha256, Text, check_json, parse_json
from pickclutter_lang.utils.validation import MAX_IMAGE_SIZE

LABEL_FEATURES_FILE = "label_features.safetensors"
_PROMPTS_PREFIX = "prompts."


class _NeededAbout(TypedDict):
    names: list[Text]
    unseen: list[bool]
    camera_size: Annotated[int, Meta(ge=1, le=MAX_IMAGE_SIZE)]


class _About(_NeededAbout, total=False):
    """Metadata of label features; `sha256` is that of the tensors, which version 0.2.0 lacks."""

    sha256: Sha256


_KINDS: dict[str, Any] = {"names": list[str], "unseen": list[bool], "camera_size": int, "sha256": str}
_Header = TypedDict("_Header", {"__metadata__": dict[str, str]})


@dataclass(frozen=True)
class LabelFeatures:
    """Text features [C, D] of the labels of a run after a phase.

    `unseen` marks the labels of Y_ood, `camera_size` is the side in pixels of the stored images.
    """

    names: tuple[str, ...]
    unseen: tuple[bool, ...]
    camera_size: int
    features: PromptFeatures

    @property
    def unseen_by_name(self) -> dict[str, bool]:
        """Name -> whether it is of Y_ood."""
        return dict(zip(self.names, self.unseen, strict=True))

    def save(self, path: Path) -> None:
        """Write them atomically."""
        features = self.features._asdict()
        tensors = {name: value.cpu().contiguous() for name, value in features.items() if value is not None}
        values = {"names": self.names, "unseen": self.unseen, "camera_size": self.camera_size}
        metadata = {key: json.dumps(value) for key, value in values.items()}
        body = _split(save(tensors, metadata))[1]
        atomic_write(path, save(tensors, metadata | {"sha256": json.dumps(hashlib.sha256(body).hexdigest())}))

    @classmethod
    def load(cls, path: Path) -> LabelFeatures:
        """Read what `save` wrote.

        :raises CheckpointError: when the file is damaged
        """
        remedy = "delete the file, and train the run again with the same command, which resumes it"
        tensors = read_tensors(path, None, CheckpointError, remedy)
        try:
            header, body = _split(path.read_bytes())
            written = parse_json(header, _Header)["__metadata__"]
            about = check_json({key: parse_json(text.encode(), _KINDS[key]) for key, text in written.items()}, _About)
            features = PromptFeatures(tensors["positive"], tensors["negative"])
            if about.get("sha256", hashlib.sha256(body).hexdigest()) != hashlib.sha256(body).hexdigest():
                raise ValueError("its sha256 is not the one that was noted when it was written")
            if not len(about["names"]) == len(about["unseen"]) == len(tensors["positive"]) == len(tensors["negative"]):
                raise ValueError("expected features of each name")
        except (ValueError, KeyError, IndexError) as error:
            raise CheckpointError(f"the label features at {path} are damaged ({error}); {remedy}") from error
        return cls(tuple(about["names"]), tuple(about["unseen"]), about["camera_size"], features)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return the header of a safetensors file, which is JSON, and the tensors' bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    return data[8:end], data[end:]


@dataclass(frozen=True)
class TrainedStudent:
    """A student after a phase, on the CPU and in eval mode.

    `weights` are its state dict with that of its label encoder (`prompts.`), and `data` the content hashes of the
    stores that it was trained on, by name. The stores themselves are opened at the first use of `scenes`.
    """

    config: TrainConfig
    phase: str
    weights: dict[str, Tensor]
    labels: LabelFeatures
    teacher: TeacherReference
    data: dict[str, Any]

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return Path(self.config.out)

    @property
    def own_catalog(self) -> tuple[CatalogEntry, ...]:
        """The catalog of one's own objects; nothing for a run on other objects."""
        path = self.folder / CATALOG_FILE
        return read_catalog(path) if path.exists() else ()

    @property
    def crop_size(self) -> int:
        """Side in pixels of the center of an image that the student sees."""
        return self.config.data.crop_size or self.labels.camera_size

    @cached_property
    def model(self) -> MultiLabelStudent:
        """The network. New names are encoded without descriptions, by the teacher, which is loaded at the first."""
        config, features = self.config, self.labels.features
        contexts = {
            name.removeprefix(_PROMPTS_PREFIX): value
            for name, value in self.weights.items()
            if name.startswith(_PROMPTS_PREFIX)
        }
        prompts = replace(config.prompts, descriptions=None, extra_descriptions=[])
        model = MultiLabelStudent(
            replace(config.student, pretrained=False),
            config.data.camera_spec,
            features.positive.shape[1],
            lambda: StoredLabelEncoder(self.labels.names, features, prompts, contexts, self.teacher),
            self.labels.names,
            resolve_bf16(config.precision, "cpu"),
        )
        network = {name: value for name, value in self.weights.items() if not name.startswith(_PROMPTS_PREFIX)}
        try:
            model.load_state_dict(network)
        except RuntimeError as error:
            raise CheckpointError(
                f"the weights of the run at {self.folder} do not fit its configuration: {error}"
            ) from error
        return model.eval().requires_grad_(False)

    @cached_property
    def scenes(self) -> dict[str, SceneDataset]:
        """The scene stores of the run, but for unlabeled scenes, which it was only distilled on.

        :raises DatasetError: when a store is missing, damaged, or not the one that the run was trained on
        """
        try:
            scenes = load_scene_datasets(replace(self.config.data, unlabeled=None))
        except DatasetError as error:
            raise type(error)(
                f"{error}; if the scene stores of the run were moved, name their folder: scenes=..."
            ) from error
        found = {name: {"scenes": len(part), "content": part.content_hash} for name, part in scenes.items()}
        differences = describe_differences({name: self.data[name] for name in self.data if name != UNLABELED}, found)
        if differences:
            raise MismatchError(
                f"the run at {self.folder} was trained on other data (there / now): {'; '.join(differences)}; "
                "name the folder of its scene stores: scenes=..."
            )
        return scenes

    def label_names(self, splits: Sequence[str]) -> list[str]:
        """Return the names of Y_id (`id`), Y_ood (`ood`) or both, in catalog order."""
        pairs = zip(self.labels.names, self.labels.unseen, strict=True)
        return [name for name, unseen in pairs if ("ood" if unseen else "id") in splits]

    def label_indices(self, splits: Sequence[str]) -> list[int]:
        """Return the label columns of the stores for Y_id, Y_ood or both, in catalog order."""
        columns = self.scenes["train"].label_names
        return [columns.index(name) for name in self.label_names(splits)]


def architecture_signature(config: TrainConfig, embed_dim: int) -> dict[str, Any]:
    """Return what a checkpoint must share with a model to be loaded into it, as JSON values."""
    return {
        "student": config.student.name,
        "output_stride": config.student.output_stride,
        "temperature": config.student.temperature,
        "cameras": list(config.data.cameras),
        "depth": config.data.depth,
        "crop_size": config.data.crop_size,
        "image_size": config.data.image_size,
        "embed_dim": embed_dim,
        "n_ctx": config.prompts.n_ctx,
        "descriptions": config.prompts.descriptions,
        "extra_descriptions": list(config.prompts.extra_descriptions),
        "truncate": config.prompts.truncate,
        "closed_set": config.prompts.closed_set,
    }
