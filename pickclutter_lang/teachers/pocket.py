"""The embedded pocket teacher: a small open_clip model trained on simulator renders, and how it is stored.

A folder with `open_clip_config.json` (open_clip's own form: `model_cfg`, `preprocess_cfg`) and
`open_clip_model.safetensors` (float16). Of the token embeddings, most of a small model's weights, only the rows of
tokens that occurred in training are stored; the others are zero, so that a word it never saw says nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.transform import PreprocessCfg
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers import patch_resnet
from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
_EMBEDDING = "token_embedding.weight"
_STORED_ROWS = "token_embedding.stored_rows"

EMBEDDED = {"pocket": "pocket_teacher", "pocket_held_out": "pocket_teacher_held_out"}
"""Names of the embedded teachers, and their folders in the package's assets."""

POCKET_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 256,
        "vision_cfg": {
            "timm_model_name": patch_resnet.pocket_patch_resnet.__name__,
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
        "std": [0.25, 0.25, 0.25],
        "interpolation": "bilinear",
        "resize_mode": "squash",
    },
}


class PocketTeacher(OpenClipTeacher):
    """The pocket teacher: a `Teacher` with features of every place of a image."""

    @torch.no_grad()
    def encode_dense(self, images: Tensor) -> Tensor:
        """Return a feature per cell, [N, D, h, w] (h = w = S / 16), L2-normalized, of preprocessed images."""
        return functional.normalize(dense_features(self.model, images.to(self.device)).float(), dim=1)


def build_pocket_model(config: Mapping[str, Any]) -> open_clip.CLIP:
    """Build an untrained model from the `model_cfg` of a configuration, from torch's random generator."""
    return open_clip.CLIP(**config["model_cfg"])


def dense_features(model: Any, images: Tensor) -> Tensor:
    """Return the projected map before pooling, [N, D, h, w]; its mean over h and w is `encode_image`'s output.

    :param model: an open_clip model with a convolutional timm trunk, average pooling and a linear projection
    :param images: preprocessed images [N, 3, H, W] of any size
    """
    return dense_maps(model, model.visual.trunk.forward_features(images))


def dense_maps(model: Any, trunk_map: Tensor) -> Tensor:
    """Project a map of the trunk, [N, C, h, w], to the embedding, [N, D, h, w]."""
    projected: Tensor = model.visual.head(trunk_map.permute(0, 2, 3, 1))
    return projected.permute(0, 3, 1, 2)


def save_pocket_model(folder: Path, model: open_clip.CLIP, config: Mapping[str, Any], seen: Tensor | None) -> None:
    """Write a model's configuration and weights.

    :param seen: int64, ids of the tokens that occurred in training: only their embeddings are stored, and only
        `load_pocket_teacher` can read that. None: all are stored, and `open_clip.create_model("local-dir:FOLDER")`
        reads it too, once this module is imported
    """
    weights = {name: _halved(value.detach().cpu()).contiguous() for name, value in model.state_dict().items()}
    if seen is not None:
        rows = torch.unique(seen)
        weights[_EMBEDDING] = weights[_EMBEDDING][rows].contiguous()
        weights[_STORED_ROWS] = rows.to(torch.int32)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{WEIGHTS_FILE}.{os.getpid()}"
    partial.write_bytes(save(weights))  # `save_file` would make a file that its owner alone can read
    partial.replace(folder / WEIGHTS_FILE)
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n")


def load_pocket_teacher(folder: str | Path | None = None, name: str = "pocket") -> PocketTeacher:
    """Load an embedded pocket teacher, or one that the trainer exported to a folder.

    :param name: which of `EMBEDDED`, where no folder is given
    :raises TeacherError: when files are missing, damaged, or of another architecture
    """
    root = Path(folder) if folder is not None else Path(str(files("pickclutter_lang.assets") / EMBEDDED[name]))
    try:
        config = json.loads((root / CONFIG_FILE).read_text())
        weights = load_file(root / WEIGHTS_FILE)
        model = build_pocket_model(config)
        model.load_state_dict(_whole_table(weights, config))
    except FileNotFoundError as error:
        raise TeacherError(
            f"expected a pocket teacher at {root}, but {error.filename or WEIGHTS_FILE} is not there; "
            f"train one: pickclutter train-teacher"
        ) from error
    except (json.JSONDecodeError, SafetensorError, RuntimeError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TeacherError(f"the pocket teacher at {root} is damaged or of another architecture: {reason}") from error
    return PocketTeacher(model, config["model_cfg"], PreprocessCfg(**config["preprocess_cfg"]))


def _whole_table(weights: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Put the stored rows of the token embeddings back to their places."""
    rows = weights.pop(_STORED_ROWS, None)
    whole = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    if rows is not None:
        table = torch.zeros(config["model_cfg"]["text_cfg"]["vocab_size"], whole[_EMBEDDING].shape[1])
        table[rows.long()] = whole[_EMBEDDING]
        whole[_EMBEDDING] = table
    return whole


def _halved(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
