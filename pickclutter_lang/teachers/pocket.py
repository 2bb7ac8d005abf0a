"""The embedded pocket teacher, a small open_clip model trained on simulator renders, and its file format.

A folder with `open_clip_config.json` (open_clip's own form: `model_cfg`, `preprocess_cfg`) and
`open_clip_model.safetensors` (float16). Of the token embeddings, most of a small model's weights, only the rows of
tokens that occurred in training are stored. The others are zero: such words carry no meaning, unless they are taken for
known ones (`PocketTeacher.with_neighbors`).
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import open_clip
import torch
from msgspec import Meta
from open_clip.transform import PreprocessCfg
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.datasets.transforms.resampling import OBJECT_SIZE
from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.efficientnet_lite import pocket_efficientnet_lite0
from pickclutter_lang.teachers.known_words import WordNeighbors
from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher, Preprocessing, token_text
from pickclutter_lang.utils.batch_norms import fold_batch_norms, noise
from pickclutter_lang.utils.hub_files import CARD_FILE, SharedFolder, pretrained_folder
from pickclutter_lang.utils.io import atomic_write, write_json
from pickclutter_lang.utils.reading import Sha256, check_finite, read_json, read_tensors, to_float, to_half

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
TRAINING_IMAGES = "training_images.json"
"""The images that a teacher was trained on; see `pickclutter_lang.teachers.training_images`."""
TEACHER_FILES = (CONFIG_FILE, WEIGHTS_FILE, TRAINING_IMAGES)
"""Files of a teacher's folder."""
_EMBEDDING = "token_embedding.weight"
_STORED_ROWS = "token_embedding.stored_rows"

POCKET_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 256,
        "vision_cfg": {
            "timm_model_name": pocket_efficientnet_lite0.__name__,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": 160,
        },
        "text_cfg": {"context_length": 64, "vocab_size": 49408, "width": 192, "heads": 3, "layers": 3},
    },
    "preprocess_cfg": {
        "size": 160,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bilinear",
        "resize_mode": "squash",
    },
}
"""Configuration of an untrained pocket teacher."""

_Positive = Annotated[float, Meta(gt=0, le=100)]
_Size = Annotated[int, Meta(ge=1, le=4096)]


@dataclass(frozen=True)
class _Vision:
    """A trunk that code of this package or of timm builds, without a download."""

    timm_model_name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.]+\Z")]
    timm_model_pretrained: bool
    timm_pool: str
    timm_proj: str
    image_size: _Size

    def __post_init__(self) -> None:
        if self.timm_model_pretrained:
            raise ValueError("expected timm_model_pretrained to be false: weights are in the folder")


@dataclass(frozen=True)
class _Text:
    """CLIP's own text encoder."""

    context_length: _Size
    vocab_size: Annotated[int, Meta(ge=1, le=10**6)]
    width: _Size
    heads: _Size
    layers: Annotated[int, Meta(ge=1, le=100)]


@dataclass(frozen=True)
class _Model:
    embed_dim: _Size
    vision_cfg: _Vision
    text_cfg: _Text


@dataclass(frozen=True)
class _Preprocess:
    size: _Size
    mean: tuple[float, float, float]
    std: tuple[_Positive, _Positive, _Positive]
    interpolation: Literal["bilinear", "bicubic"]
    resize_mode: Literal["squash", "shortest", "longest"]


@dataclass(frozen=True)
class _Config:
    """Content of the configuration; `sha256` is that of the weights."""

    model_cfg: _Model
    preprocess_cfg: _Preprocess
    sha256: Sha256 | None = None


class PocketTeacher(OpenClipTeacher):
    """The pocket teacher: a `Teacher` that also gives dense features, one for each cell of an image."""

    _neighbors: WordNeighbors | None = None

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, **of_hub: Any) -> PocketTeacher:
        """Open a teacher of the Hugging Face Hub, `owner/name`, or a folder that `train-teacher` exported.

        :param of_hub: `revision`, `cache_dir`, `token` and `endpoint`
        :raises PickClutterError: what `pretrained_folder` and `load_pocket_teacher` raise
        """
        return load_pocket_teacher(pretrained_folder(name_or_path, TEACHER, **of_hub))

    def with_neighbors(self, kept: Sequence[str] = ()) -> PocketTeacher:
        """Return the teacher, sharing all else, with `WordNeighbors`; words of the texts `kept` stay as they are."""
        other = copy.copy(self)
        kept_tokens = self.tokenize(kept, truncate=True).flatten().cpu()
        other._neighbors = WordNeighbors(self._text.token_embedding.weight, kept_tokens)
        return other

    def for_objects(self) -> PocketTeacher:
        """Return the teacher for crops of an object alone, at about the size of most crops in its training."""
        other = copy.copy(self)
        other.__dict__.pop("fingerprint", None)  # it is of the preprocessing too
        size = min(OBJECT_SIZE, self.image_size)
        other.preprocess = Preprocessing(replace(self.preprocess.config, size=size))
        return other

    def neighbors_of(self, word: str) -> list[list[tuple[str, float]]]:
        """Return for each unknown token of a word the known words that it is taken for, with their weights."""
        tokens = self.tokenize([word], truncate=True)
        tokens = tokens[:, : int(self.eot_positions(tokens)[0])]
        unknown = ~super().embed_tokens(tokens)[0].any(dim=1)
        if self._neighbors is None:
            return [[] for _ in tokens[0][unknown]]
        nearest, weights = (found[0][unknown.cpu()].tolist() for found in self._neighbors.of(tokens))
        return [
            [(token_text(token), weight) for token, weight in zip(*of_token, strict=True) if weight]
            for of_token in zip(nearest, weights, strict=True)
        ]

    def embed_tokens(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [C, L, W], without positions, of tokens [C, L] from the start of the texts on."""
        embedded = super().embed_tokens(tokens)
        return embedded if self._neighbors is None else embedded + self._neighbors(tokens)

    @cached_property
    def _image_encoder(self) -> Callable[[Tensor], Tensor]:
        images = noise(1, 3, self.image_size, self.image_size).to(self.device)
        return fold_batch_norms(cast(nn.Module, self.model.visual), images, self.use_bf16)

    @torch.no_grad()
    def encode_dense(self, images: Tensor) -> Tensor:
        """Return a feature per cell, [N, D, h, w] (h = w = S / 16), L2-normalized, of preprocessed images."""
        model: Any = self.model
        maps = dense_maps(model, model.visual.trunk.forward_features(images.to(self.device)))
        return functional.normalize(maps.float(), dim=1)


def build_pocket_model(config: Mapping[str, Any]) -> open_clip.CLIP:
    """Build an untrained model from the `model_cfg` of a configuration, from torch's random generator."""
    return open_clip.CLIP(**config["model_cfg"])


def dense_maps(model: Any, trunk_map: Tensor) -> Tensor:
    """Project a map of the trunk, [N, C, h, w], to the embedding, [N, D, h, w].

    Its mean over h and w is the output of `encode_image`, before its norm.
    """
    projected: Tensor = model.visual.head(trunk_map.permute(0, 2, 3, 1))
    return projected.permute(0, 3, 1, 2)


def save_pocket_model(folder: Path, model: open_clip.CLIP, config: Mapping[str, Any], token_ids: Tensor | None) -> None:
    """Write a model's configuration and weights.

    :param token_ids: int64, ids of the tokens that occurred in training: only their embeddings are stored, and only
        `load_pocket_teacher` can read that. None: all are stored, and `open_clip.create_model("local-dir:FOLDER")`
        reads it too, once this module is imported
    """
    weights = {name: value.cpu().contiguous() for name, value in to_half(model.state_dict()).items()}
    if token_ids is not None:
        rows = torch.unique(token_ids)
        weights[_EMBEDDING] = weights[_EMBEDDING][rows].contiguous()
        weights[_STORED_ROWS] = rows.to(torch.int32)
    data = save(weights)
    atomic_write(folder / WEIGHTS_FILE, data)
    content = {**config, "sha256": hashlib.sha256(data).hexdigest()}
    write_json(folder / CONFIG_FILE, content)


def load_pocket_teacher(folder: str | Path | None = None) -> PocketTeacher:
    """Load the embedded pocket teacher, or one that the trainer exported to a folder.

    :raises TeacherError: when files are missing, damaged, or of another architecture
    """
    root = Path(folder) if folder is not None else Path(str(files("pickclutter_lang.assets") / "pocket_teacher"))
    remedy = "restore it, or train one: pickclutter train-teacher"
    missing = f"expected a pocket teacher at {root}, but {CONFIG_FILE} is not there; {remedy}"
    stored = read_json(root / CONFIG_FILE, _Config, TeacherError, remedy, missing)
    weights = read_tensors(root / WEIGHTS_FILE, stored.sha256, TeacherError, remedy)
    config = asdict(stored)
    try:
        check_finite(weights)
        model = build_pocket_model(config)
        model.load_state_dict(_restore_embeddings(weights, stored.model_cfg.text_cfg.vocab_size))
    except (RuntimeError, KeyError, ValueError, IndexError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TeacherError(
            f"the pocket teacher at {root} is damaged or of another architecture: {reason}; {remedy}"
        ) from error
    return PocketTeacher(model, config["model_cfg"], PreprocessCfg(**config["preprocess_cfg"]))


def _restore_embeddings(weights: dict[str, Tensor], vocab_size: int) -> dict[str, Tensor]:
    """Expand the stored rows of the token embeddings to the full table, as float32."""
    rows = weights.pop(_STORED_ROWS, None)
    state = to_float(weights)
    if rows is not None:
        table = torch.zeros(vocab_size, state[_EMBEDDING].shape[1])
        table[rows.long()] = state[_EMBEDDING]
        state[_EMBEDDING] = table
    return state


TEACHER = SharedFolder(CONFIG_FILE, "model", (*TEACHER_FILES, CARD_FILE), load_pocket_teacher)
"""A folder of a pocket teacher."""
