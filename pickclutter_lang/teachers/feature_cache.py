"""Cache of teacher features on disk, keyed by the images' content hash, the teacher and the image transform."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import Tensor

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.reading import Sha256, read_json, read_tensors

_SCHEMA = 2
_REMEDY = "delete that file"
_BATCH_SIZE = 64
Row = TypeVar("Row")


@dataclass(frozen=True)
class FeatureKey:
    """What features depend on: the content hash of the images (`data`), the fingerprint of the model (`teacher`), and
    the transform of each image (`transform_id`: camera, crop, flip, and bfloat16 where the model computes in it).
    """

    data: str
    teacher: str
    transform_id: str = ""

    @property
    def digest(self) -> str:
        """Hash (sha256, hex) of all parts: the name of the files."""
        return hashlib.sha256(json.dumps({"schema": _SCHEMA, **asdict(self)}, sort_keys=True).encode()).hexdigest()


class _Metadata(TypedDict):
    key: dict[str, str]
    sha256: Sha256


class FeatureCache:
    """A folder of features: `<digest>.safetensors` with the tensor and `<digest>.json` with the key for each entry."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def get_or_compute(
        self,
        teacher: Teacher,
        rows: Sequence[Row],
        images: Callable[[Sequence[Row]], npt.NDArray[np.uint8]],
        data: str,
        transform_id: str = "",
    ) -> Tensor:
        """Return the features [N, D] of images; one process computes them if the key is not cached, others wait.

        :param rows: what N images are known by
        :param images: from some of the rows to their images, uint8 [n, H, W, 3]; not called on a hit
        :param data: content hash of the images
        :param transform_id: transform of the images, free text
        :raises TeacherError: when the files of the key are damaged
        :raises DatasetError: when the cache folder cannot be written to
        """
        key = FeatureKey(data, teacher.fingerprint, transform_id + (" bfloat16" if teacher.use_bf16 else ""))
        features = self.load(key)
        if features is not None:
            return features
        create_dir(self.folder)
        with file_lock(self._path(key), wait=True):
            features = self.load(key)
            if features is None:
                features = _compute(teacher, rows, images)
                self._save(key, features)
        return features

    def load(self, key: FeatureKey) -> Tensor | None:
        """Return the features of a key, or None when they are not there.

        :raises TeacherError: when the files are damaged
        """
        path = self._path(key)
        if not path.exists() or not path.with_suffix(".json").exists():
            return None
        metadata = read_json(path.with_suffix(".json"), _Metadata, TeacherError, _REMEDY)
        return read_tensors(path, metadata["sha256"], TeacherError, _REMEDY)["features"]

    def _save(self, key: FeatureKey, features: Tensor) -> None:
        """Write the features of a key: the tensor first, then the metadata that makes it valid."""
        content = save({"features": features.contiguous()})
        sha256 = hashlib.sha256(content).hexdigest()
        metadata = {"schema": _SCHEMA, "key": asdict(key), "shape": list(features.shape), "sha256": sha256}
        path = self._path(key)
        atomic_write(path, content)
        atomic_write(path.with_suffix(".json"), json.dumps(metadata, indent=1).encode())

    def _path(self, key: FeatureKey) -> Path:
        return self.folder / f"{key.digest[:32]}.safetensors"


def _compute(teacher: Teacher, rows: Sequence[Row], images: Callable[[Sequence[Row]], npt.NDArray[np.uint8]]) -> Tensor:
    parts = [torch.zeros(0, teacher.embed_dim)]
    with ProgressBar("teacher features", len(rows), transient=True) as bar:
        for first in range(0, len(rows), _BATCH_SIZE):
            batch = images(rows[first : first + _BATCH_SIZE])
            parts.append(teacher.encode_image(teacher.preprocess(batch)).cpu())
            bar.advance(len(batch))
    return torch.cat(parts)
