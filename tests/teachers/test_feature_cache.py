"""The feature cache: computed once per key, never reused for another, never half written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg

from pickclutter_lang.errors import InvalidArgumentError, TeacherError
from pickclutter_lang.teachers import FeatureCache, FeatureKey, OpenClipTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, build_pocket_model

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), dtype=np.uint8)


def make_teacher(seed: int = 0) -> OpenClipTeacher:
    torch.manual_seed(seed)
    return OpenClipTeacher(
        build_pocket_model(POCKET_CONFIG), POCKET_CONFIG["model_cfg"], PreprocessCfg(**POCKET_CONFIG["preprocess_cfg"])
    )


class Batches:
    """Yields the images in batches of two and counts its calls."""

    def __init__(self, images: NDArray[Any] = IMAGES) -> None:
        self.images, self.calls = images, 0

    def __call__(self) -> Iterator[NDArray[Any]]:
        self.calls += 1
        return (self.images[n : n + 2] for n in range(0, len(self.images), 2))


@pytest.fixture(scope="module")
def teacher() -> OpenClipTeacher:
    return make_teacher()


def test_features_are_computed_once_for_each_key(tmp_path: Path) -> None:
    cache, batches, teacher = FeatureCache(tmp_path), Batches(), make_teacher()
    exact = cache.get_or_compute(teacher, batches, 5, data="d")
    assert torch.equal(FeatureCache(tmp_path).get_or_compute(teacher, batches, 5, data="d"), exact)
    assert batches.calls == 1 and torch.allclose(exact, teacher.encode_image(teacher.preprocess(IMAGES)), atol=1e-5)
    teacher.use_bf16 = True
    rounded = cache.get_or_compute(teacher, batches, 5, data="d")
    assert batches.calls == 2 and rounded.dtype == torch.float32
    assert float((exact - rounded).abs().max()) > 0 and float((exact * rounded).sum(dim=1).min()) > 0.999
    text = teacher.encode_text(["a mug"])
    teacher.use_bf16 = False
    assert torch.equal(text, teacher.encode_text(["a mug"]))
    other = Batches(255 - IMAGES)
    for number, key in enumerate(({"data": "e"}, {"data": "d", "transform_id": "base"})):
        features = cache.get_or_compute(teacher, other, 5, **key)
        assert other.calls == number + 1
        assert torch.allclose(features, teacher.encode_image(teacher.preprocess(other.images)), atol=1e-5)
    second = cache.get_or_compute(make_teacher(1), batches, 5, data="d")
    assert batches.calls == 3 and not torch.allclose(exact, second, atol=1e-2)
    with pytest.raises(InvalidArgumentError):
        cache.get_or_compute(teacher, batches, 6, data="another count")
    assert cache.load(FeatureKey("another count", teacher.fingerprint)) is None


def test_one_of_two_processes_computes_the_features(tmp_path: Path, teacher: OpenClipTeacher) -> None:
    started, resume, late = threading.Event(), threading.Event(), Batches()

    def slow() -> Iterator[NDArray[Any]]:
        started.set()
        assert resume.wait(30)
        return Batches()()

    with ThreadPoolExecutor(2) as pool:  # a file lock excludes threads as it does processes
        first = pool.submit(FeatureCache(tmp_path).get_or_compute, teacher, slow, 5, data="d")
        assert started.wait(30)
        second = pool.submit(FeatureCache(tmp_path).get_or_compute, teacher, late, 5, data="d")
        with pytest.raises(TimeoutError):
            second.result(0.5)
        resume.set()
        assert torch.equal(first.result(30), second.result(30))
    assert late.calls == 0


@pytest.mark.parametrize("damage", ["flip", "metadata"])
def test_damage_is_an_error(tmp_path: Path, teacher: OpenClipTeacher, damage: str) -> None:
    cache = FeatureCache(tmp_path)
    cache.get_or_compute(teacher, Batches(), 5, data="d")
    (tensor,), (metadata,) = tmp_path.glob("*.safetensors"), tmp_path.glob("*.json")
    content = bytearray(tensor.read_bytes())
    if damage == "metadata":
        metadata.write_text("{")
    else:
        content[-1] ^= 1
        tensor.write_bytes(content)
    with pytest.raises(TeacherError):
        cache.load(FeatureKey("d", teacher.fingerprint))


def test_an_interrupted_write_is_ignored(tmp_path: Path, teacher: OpenClipTeacher) -> None:
    cache, batches = FeatureCache(tmp_path), Batches()
    cache.get_or_compute(teacher, batches, 5, data="d")
    next(tmp_path.glob("*.json")).unlink()
    cache.get_or_compute(teacher, batches, 5, data="d")
    assert batches.calls == 2
    assert json.loads(next(tmp_path.glob("*.json")).read_text())["shape"] == [5, 256]
    assert len([path for path in tmp_path.iterdir() if path.suffix != ".lock"]) == 2
