"""A second look: what crops say of names, whom it leaves alone, and where it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation

from helpers.policies import random_policy
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.second_look import mutual_log_odds
from pickclutter_lang.policy_folder.folder import CONFIG_FILE, copy_folder
from pickclutter_lang.policy_making.config import RuntimeExportConfig
from pickclutter_lang.policy_making.export_runtime import export_runtime

NAMES = ["lemon", "hammer", "our gadget", "fruit", "the red one"]
"""Two of the folder, one that is new, one that means several, and a color alone."""


def slow_log_odds(crop: Sequence[float], own: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """What a crop says of a name against its rivals, number by number."""

    def cosine(text: Sequence[float]) -> float:
        return 20 * sum(float(a) * float(b) for a, b in zip(crop, text, strict=True))

    return max(map(cosine, own)) - float(np.log(sum(np.exp(cosine(text)) for text in others)))


def sure(score: float) -> float:
    return float(np.log(score / (1 - score)))


@pytest.fixture(scope="module")
def student() -> StudentRuntime:
    return StudentRuntime.load("open")


@pytest.fixture
def one_look(student: StudentRuntime) -> StudentRuntime:
    """The same student, which decides by the whole image."""
    thresholds = replace(student.thresholds, second_look=None)
    return StudentRuntime(student.config, student.networks, thresholds, student.folder)


def same(one: Detection, other: Detection) -> bool:
    return one[:2] == other[:2] and np.array_equal(one.mask, other.mask)


def test_the_crop_that_fits_best_decides(student: StudentRuntime, one_look: StudentRuntime) -> None:
    seen = painted_observation(256)
    segments, known = segment_observation(seen), student.config.names
    numbers = [n for n in range(1, int(segments.max()) + 1) if (segments == n).mean() >= 0.0005]
    crops = student.encode_crops(seen["hand_rgb"], [segments == n for n in numbers])[0]

    def texts(names: Sequence[str]) -> list[list[float]]:
        return [list(map(float, text)) for text in student.networks.encode_names(names).positive]

    before = StudentDetector(one_look).detect(seen, NAMES)
    for name, found, whole in zip(NAMES, StudentDetector(student).detect(seen, NAMES), before, strict=True):
        if name == "the red one":
            assert same(found, whole)
            continue
        if name == "fruit":  # whatever it means is no rival of it
            assert found.threshold == student.thresholds.second_look and found.mask.any()
            continue
        others = [other for other in known if other != name]
        odds = [slow_log_odds(crop, texts([name]), texts(others)) for crop in crops.tolist()]
        best = int(np.argmax(odds))
        expected = sure(whole.score) + 0.3 * float(np.clip(odds[best], -12, 12))
        assert sure(found.score) == pytest.approx(expected, abs=1e-4)
        assert found.threshold == student.thresholds.second_look
        np.testing.assert_array_equal(found.mask, segments == numbers[best])


def test_each_text_against_all_others() -> None:
    rng = np.random.default_rng(0)
    crops, texts = (values / np.linalg.norm(values, axis=1, keepdims=True) for values in rng.normal(size=(2, 5, 8)))
    found = mutual_log_odds(crops, texts.astype(np.float32))
    for n, crop in enumerate(crops):
        for c, text in enumerate(texts):
            others = [other for row, other in enumerate(texts) if row != c]
            assert found[n, c] == pytest.approx(
                np.clip(slow_log_odds(crop, [text], others), -13.8155, 13.8155), abs=1e-3
            )


def test_nothing_to_see_speaks_against_every_name(student: StudentRuntime, one_look: StudentRuntime) -> None:
    seen = painted_observation(256)
    empty = seen | {"hand_depth": np.full_like(seen["hand_depth"], 0.38)}
    found, whole = (StudentDetector(one)(empty, "lemon") for one in (student, one_look))
    assert not found.mask.any() and sure(found.score) == pytest.approx(sure(whole.score) - 0.3 * 12, abs=1e-3)


def test_what_was_taught_is_decided_as_without_it(one_look: StudentRuntime) -> None:
    seen, taught = painted_observation(256), {}
    policies = {"twice": LanguagePickPolicy.load("open"), "once": LanguagePickPolicy(StudentDetector(one_look))}
    for name, policy in policies.items():
        policy.teach(seen, "lemon", mask=segment_observation(seen) == 2)
        taught[name] = policy.detector(painted_observation(256, 1), "lemon")
    assert same(taught["twice"], taught["once"])


def test_looks_with_crops_adapt_what_crops_take_part_in(student: StudentRuntime) -> None:
    policy = LanguagePickPolicy.load("open")
    piles = [painted_observation(256, n) for n in range(12)]
    for pile in piles:
        policy.adapt(pile)
    runtime, plain, known = policy._student, StudentDetector(student), student.config.names
    every = np.array([[sure(one.score) for one in plain.detect(pile, known)] for pile in piles])
    found_before = policy.detector(piles[3], "lemon")[:2]
    for name, near in zip(NAMES[1:3], (1e-3, 0.02), strict=True):
        looks, typical = np.array([sure(plain(pile, name).score) for pile in piles]), float(every.var(axis=0).mean())
        deviation = np.sqrt((12 * looks.var() + 10 * typical) / 22)
        z = (looks[3] - looks.mean()) / deviation
        found = policy.detector(piles[3], name)
        assert found.threshold == 0.5 and found.score == pytest.approx(1 / (1 + np.exp(0.55 - z)), abs=near)
    kept, crops = runtime.calibration, runtime.calibration.crops
    photos = replace(kept, crops=crops[:0], crop_counts=np.full(12, -1, np.int32))
    assert photos.adapts(False) and not photos.adapts(True) and not photos.note(True)
    both = kept.add(photos)  # looks without depth say nothing of crops, and take nothing away
    assert both.note(False) == {"adapted_looks": 24} and both.note(True) == {"adapted_looks": 12}
    runtime.calibration = both
    assert policy.detector(piles[3], "lemon")[:2] == found_before
    for _ in range(17):
        kept = kept.add(replace(photos, crops=crops, crop_counts=runtime.calibration.crop_counts[:12]))
    assert kept.count == 200 and len(kept.crops) == kept.crop_counts.sum()
    np.testing.assert_array_equal(kept.crops[-len(crops) :], crops)


def test_an_exported_student_looks_twice_too(tmp_path: Path, student: StudentRuntime) -> None:
    pytest.importorskip("onnx")
    seen = painted_observation(256)
    folder = export_runtime(RuntimeExportConfig("open", out=str(tmp_path / "onnx"), names=["our gadget"])).folder
    onnx = StudentDetector(StudentRuntime.load(folder)).detect(seen, NAMES[:3])
    for found, expected in zip(onnx, StudentDetector(student).detect(seen, NAMES[:3]), strict=True):
        assert found.score == pytest.approx(expected.score, abs=0.06)  # bfloat16 against float32
        assert found.threshold == expected.threshold and found.mask.any()


def test_what_has_no_rival_or_is_a_color_is_decided_by_the_image(student: StudentRuntime) -> None:
    seen = painted_observation(256)
    forced = StudentDetector(student, always_present=True)
    assert [forced(seen, name).threshold for name in NAMES] == [0.0] * len(NAMES)
    alone = replace(student.config, names=("lemon",), unseen_names=None)
    one = StudentRuntime(alone, student.networks, replace(student.thresholds, names={"lemon": 0.3}))
    without = StudentRuntime(alone, student.networks, replace(one.thresholds, second_look=None))
    assert same(StudentDetector(one)(seen, "lemon"), StudentDetector(without)(seen, "lemon"))


def edited(folder: Path, **thresholds: Any) -> Path:
    content = json.loads((folder / CONFIG_FILE).read_text())
    content["thresholds"] |= thresholds
    (folder / CONFIG_FILE).write_text(json.dumps(content))
    return folder


def test_a_second_look_that_cannot_be_is_refused(tmp_path: Path) -> None:
    copy_folder(Path("open"), tmp_path / "open", {})
    for value in (1.5, -0.1, "much", float("nan")):
        with pytest.raises(CheckpointError, match="second_look"):
            StudentRuntime.load(edited(tmp_path / "open", second_look=value))
    with pytest.raises(CheckpointError, match="export"):  # of another teacher
        StudentRuntime.load(edited(random_policy(tmp_path / "other"), second_look=0.5))
    crops = random_policy(tmp_path / "crops", object_crop_size=32)
    with pytest.raises(CheckpointError, match="second look"):
        StudentRuntime.load(edited(crops, second_look=0.5))
