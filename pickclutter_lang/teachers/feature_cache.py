"""Teacher features on disk. A file belongs to one content of the data, one teacher and one view."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError, TeacherError
from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.progress import ProgressBar

SCHEMA = 1


@dataclass(frozen=True)
class FeatureKey:
    """What features depend on: `data` is the content hash of the images, `teacher` the fingerprint of the
    model, and `view` says which view of each image is meant (camera, crop, flip).
    """

    data: str
    teacher: str
    transform_id: str = ""

    @property
    def digest(self) -> str:
        """Hash (sha256, hex) of all parts: the name of the files."""
        return hashlib.sha256(json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True).encode()).hexdigest()


class FeatureCache:
    """A folder of features: a key is `<digest>.safetensors` and `<digest>.json`, which says it in words."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def get_or_compute(
        self,
        teacher: Teacher,
        batches: Callable[[], Iterable[npt.NDArray[np.uint8]]],
        count: int,
        data: str,
        view: str = "",
    ) -> Tensor:
        """Return the features [count, D] of images; they are computed only if this very key is not there yet.

        :param batches: makes an iterator of uint8 batches [n, H, W, 3], `count` images in all; not called on a hit
        :param data: content hash of the images
        :raises TeacherError: when the files of this key are damaged or not what their names say
        :raises InvalidArgumentError: when the iterator gives another number of images
        :raises DatasetError: when they cannot be kept
        """
        key = FeatureKey(data, teacher.fingerprint, view)
        found = self.load(key)
        if found is None:
            found = self._computed(key, teacher, batches, count)
        if list(found.shape) != [count, teacher.embed_dim]:
            raise TeacherError(
                f"expected features [{count}, {teacher.embed_dim}] in {self._path(key)}, but got {list(found.shape)}; "
                f"delete that file"
            )
        return found

    def load(self, key: FeatureKey) -> Tensor | None:
        """Return the features of a key, or None when they are not there.

        :raises TeacherError: when the files are damaged or belong to another key
        """
        path = self._path(key)
        try:
            card = json.loads(path.with_suffix(".json").read_text())
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise TeacherError(f"the card {path.stem}.json of cached features is damaged; delete that file") from error
        try:
            features = load(content)["features"]
        except (SafetensorError, KeyError) as error:
            raise TeacherError(f"the cached features in {path} are damaged ({error}); delete that file") from error
        if card.get("key") != asdict(key) or card.get("sha256") != hashlib.sha256(content).hexdigest():
            raise TeacherError(f"the cached features in {path} are not what {path.stem}.json says; delete both files")
        return features

    def save(self, key: FeatureKey, features: Tensor) -> None:
        """Write the features of a key: the tensor first, then the card that makes it count."""
        content = save({"features": features.detach().cpu().float().contiguous()})
        card: dict[str, Any] = {
            "schema": SCHEMA,
            "key": asdict(key),
            "shape": list(features.shape),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        ensure_dir(self.folder)
        path = self._path(key)
        atomic_write(path, content)
        atomic_write(path.with_suffix(".json"), json.dumps(card, indent=1).encode())

    def _computed(
        self, key: FeatureKey, teacher: Teacher, batches: Callable[[], Iterable[npt.NDArray[np.uint8]]], count: int
    ) -> Tensor:
        """Compute and keep features, or wait for another process that does."""
        ensure_dir(self.folder)
        with file_lock(self._path(key), wait=True):
            found = self.load(key)
            if found is None:
                found = _compute(teacher, batches(), count)
                self.save(key, found)
        return found

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
