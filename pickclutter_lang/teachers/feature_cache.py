"""Cache of teacher features on disk, keyed by the images' content hash, the teacher and the image transform."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError, TeacherError
from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.array_files import read_tensors
from pickclutter_lang.utils.io import atomic_write, cache_dir, ensure_dir
from pickclutter_lang.utils.json_files import Sha256, read_json
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.object_storage import is_url
from pickclutter_lang.utils.progress import ProgressBar

SCHEMA = 2


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
        return hashlib.sha256(json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True).encode()).hexdigest()


class _Metadata(TypedDict):
    key: dict[str, str]
    sha256: Sha256


class FeatureCache:
    """A folder of features: `<digest>.safetensors` with the tensor and `<digest>.json` with the key for each entry.

    Features of scenes on object storage lie in `$PICKCLUTTER_CACHE/teacher_features`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = cache_dir() / "teacher_features" if is_url(folder) else Path(folder)

    def get_or_compute(
        self,
        teacher: Teacher,
        batches: Callable[[], Iterable[npt.NDArray[np.uint8]]],
        count: int,
        data: str,
        transform_id: str = "",
    ) -> Tensor:
        """Return the features [count, D] of images; compute them if the key is not cached.

        :param batches: makes an iterator of uint8 batches [n, H, W, 3], `count` images in all; not called on a hit
        :param data: content hash of the images
        :param transform_id: transform of the images, free text
        :raises TeacherError: when the files of the key are damaged or belong to another key
        :raises InvalidArgumentError: when the iterator gives another number of images
        :raises DatasetError: when the cache folder cannot be written to
        """
        key = FeatureKey(data, teacher.fingerprint, transform_id + (" bfloat16" if teacher.use_bf16 else ""))
        features = self.load(key)
        if features is None:
            features = self._compute_locked(key, teacher, batches, count)
        if list(features.shape) != [count, teacher.embed_dim]:
            raise TeacherError(
                f"expected features [{count}, {teacher.embed_dim}] in {self._path(key)}, "
                f"but got {list(features.shape)}; delete that file"
            )
        return features

    def load(self, key: FeatureKey) -> Tensor | None:
        """Return the features of a key, or None when they are not there.

        :raises TeacherError: when the files are damaged or belong to another key
        """
        path = self._path(key)
        if not path.exists() or not path.with_suffix(".json").exists():
            return None
        metadata = read_json(path.with_suffix(".json"), _Metadata, TeacherError, "delete that file")
        if metadata["key"] != asdict(key):
            raise TeacherError(f"the cached features in {path} do not match {path.stem}.json; delete both files")
        features = read_tensors(path, metadata["sha256"], TeacherError, "delete that file")
        if set(features) != {"features"}:
            raise TeacherError(f"expected features alone in {path}, but got {sorted(features)}; delete that file")
        return features["features"]

    def save(self, key: FeatureKey, features: Tensor) -> None:
        """Write the features of a key: the tensor first, then the metadata that makes it valid."""
        content = save({"features": features.detach().cpu().float().contiguous()})
        metadata: dict[str, Any] = {
            "schema": SCHEMA,
            "key": asdict(key),
            "shape": list(features.shape),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        ensure_dir(self.folder)
        path = self._path(key)
        atomic_write(path, content)
        atomic_write(path.with_suffix(".json"), json.dumps(metadata, indent=1).encode())

    def _compute_locked(
        self, key: FeatureKey, teacher: Teacher, batches: Callable[[], Iterable[npt.NDArray[np.uint8]]], count: int
    ) -> Tensor:
        """Compute and save features under a lock, so that one process computes and others wait."""
        ensure_dir(self.folder)
        with file_lock(self._path(key), wait=True):
            features = self.load(key)
            if features is None:
                features = _compute(teacher, batches(), count)
                self.save(key, features)
        return features

    def _path(self, key: FeatureKey) -> Path:
        return self.folder / f"{key.digest[:32]}.safetensors"


def _compute(teacher: Teacher, batches: Iterable[npt.NDArray[np.uint8]], count: int) -> Tensor:
    parts = []
    with ProgressBar("teacher features", count, transient=True) as bar:
        for batch in batches:
            parts.append(teacher.encode_image(teacher.preprocess(batch)).cpu())
            bar.advance(len(batch))
    features = torch.cat(parts) if parts else torch.zeros(0, teacher.embed_dim)
    if len(features) != count:
        raise InvalidArgumentError(f"expected {count} images, but the iterator gave {len(features)}")
    return features
