"""The feature cache: computed once per key, never reused for another, never half written."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers import FeatureCache, FeatureKey, OpenClipTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, build_pocket_model

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), dtype=np.uint8)
ROWS = range(5)


def make_teacher(seed: int = 0) -> OpenClipTeacher:
    torch.manual_seed(seed)
    return OpenClipTeacher(
        build_pocket_model(POCKET_CONFIG), POCKET_CONFIG["model_cfg"], PreprocessCfg(**POCKET_CONFIG["preprocess_cfg"])
    )


class Counted:
    """Gives images and counts its calls."""

    def __init__(self, images: NDArray[Any] = IMAGES) -> None:
        self.images = images
        self.calls = 0

    def __call__(self, rows: Sequence[int]) -> NDArray[Any]:
        self.calls += 1
        return self.images[list(rows)]


@pytest.fixture(scope="module")
def teacher() -> OpenClipTeacher:
    return make_teacher()


def test_features_are_computed_once_for_each_key(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    images = Counted()
    teacher = make_teacher()
    exact = cache.get_or_compute(teacher, ROWS, images, data="d")
    assert torch.equal(FeatureCache(tmp_path).get_or_compute(teacher, ROWS, images, data="d"), exact)
    assert images.calls == 1 and torch.allclose(exact, teacher.encode_image(teacher.preprocess(IMAGES)), atol=1e-5)
    teacher.use_bf16 = True
    rounded = cache.get_or_compute(teacher, ROWS, images, data="d")
    assert images.calls == 2 and rounded.dtype == torch.float32
    assert float((exact - rounded).abs().max()) > 0 and float((exact * rounded).sum(dim=1).min()) > 0.999
    text = teacher.encode_text(["a mug"])
    teacher.use_bf16 = False
    assert torch.equal(text, teacher.encode_text(["a mug"]))
    other = Counted(255 - IMAGES)
    for number, key in enumerate(({"data": "e"}, {"data": "d", "transform_id": "base"})):
        features = cache.get_or_compute(teacher, ROWS, other, **key)
        assert other.calls == number + 1
        assert torch.allclose(features, teacher.encode_image(teacher.preprocess(other.images)), atol=1e-5)
    second = cache.get_or_compute(make_teacher(1), ROWS, images, data="d")
    assert images.calls == 3 and not torch.allclose(exact, second, atol=1e-2)


def test_one_of_two_processes_computes_the_features(tmp_path: Path, teacher: OpenClipTeacher) -> None:
    started = threading.Event()
    resume = threading.Event()
    late = Counted()

    def slow(rows: Sequence[int]) -> NDArray[Any]:
        started.set()
        assert resume.wait(30)
        return IMAGES

    with ThreadPoolExecutor(2) as pool:  # a file lock excludes threads as it does processes
        first = pool.submit(FeatureCache(tmp_path).get_or_compute, teacher, ROWS, slow, "d")
        assert started.wait(30)
        second = pool.submit(FeatureCache(tmp_path).get_or_compute, teacher, ROWS, late, "d")
        with pytest.raises(TimeoutError):
            second.result(0.5)
        resume.set()
        assert torch.equal(first.result(30), second.result(30))
    assert late.calls == 0


@pytest.mark.parametrize("damage", ["flip", "metadata"])
def test_damage_is_an_error(tmp_path: Path, teacher: OpenClipTeacher, damage: str) -> None:
    cache = FeatureCache(tmp_path)
    cache.get_or_compute(teacher, ROWS, Counted(), data="d")
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
    cache = FeatureCache(tmp_path)
    images = Counted()
    cache.get_or_compute(teacher, ROWS, images, data="d")
    next(tmp_path.glob("*.json")).unlink()
    cache.get_or_compute(teacher, ROWS, images, data="d")
    assert images.calls == 2
    assert json.loads(next(tmp_path.glob("*.json")).read_text())["shape"] == [5, 256]
    assert len([path for path in tmp_path.iterdir() if path.suffix != ".lock"]) == 2
