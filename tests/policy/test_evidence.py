"""Evidence: what the map, crops and examples say of names, beside slow references, and how they add up."""

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
from pickclutter_lang.datasets.transforms.resampling import enlarge
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.language.instructions import COLORS, color_phrase
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.evidence import LogOdds
from pickclutter_lang.policy.evidence.examples import Examples
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.queries import Query, query_of
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_folder.folder import CONFIG_FILE, copy_folder
from pickclutter_lang.policy_making.config import RuntimeExportConfig
from pickclutter_lang.policy_making.export_runtime import export_runtime

NAMES = ["lemon", "hammer", "our gadget", "fruit", "the red one"]
"""Two of the folder, one that is new, one that means several, and a color by itself."""


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


def texts_of(student: StudentRuntime, names: Sequence[str]) -> list[list[float]]:
    return [list(map(float, text)) for text in student.networks.encode_names(names).positive]


def slow_segments(student: StudentRuntime, seen: dict[str, Any], name: str) -> tuple[float, dict[int, float]]:
    """Log odds of the image, and of each segment, of a name of the folder: number by number."""
    segments = segment_observation(seen)
    spec = student.config
    numbers = [n for n in range(1, int(segments.max()) + 1) if (segments == n).mean() >= 0.001]
    names = [name, *(other for other in spec.names if other != name)]
    output = student.predict(seen, names)
    start = (spec.camera_size - spec.crop_size) // 2
    inside = np.s_[start : start + spec.crop_size, start : start + spec.crop_size]
    heat, odds = (enlarge(maps, spec.crop_size) for maps in (output.attention[:1], output.cell_logits))
    pointed = {}
    for n in numbers:
        pixels = segments[inside] == n
        means = [float(one[pixels].mean()) if pixels.any() else -20.0 for one in odds]
        margin = means[0] - max(means[1:]) if pixels.any() else -20.0
        pointed[n] = float(np.log((heat[0][pixels].mean() if pixels.any() else 0) + 1e-12) - np.log1p(np.exp(-margin)))
    most = max(pointed.values())
    image = sure(float(output.scores[0])) - sure(student.thresholds.of(name))
    return image, {n: 0.2 * (value - most) for n, value in pointed.items()}


@pytest.mark.parametrize("name", ["lemon", "hammer"])
def test_the_map_and_the_crops_of_a_name_add_up(student: StudentRuntime, one_look: StudentRuntime, name: str) -> None:
    seen = painted_observation(256)
    segments = segment_observation(seen)
    image, by_map = slow_segments(student, seen, name)
    best = max(by_map, key=lambda n: by_map[n])
    whole = StudentDetector(one_look)(seen, name)
    assert sure(whole.score) == pytest.approx(image, abs=1e-3) and whole.threshold == 0.5
    assert np.array_equal(whole.mask, segments == best)
    crops = student.encode_crops(seen["hand_rgb"], [segments == n for n in by_map])[0, :, :256]  # the teacher's
    own = texts_of(student, [name])
    others = texts_of(student, [one for one in student.config.names if one != name])
    totals = {
        n: image + of_map + 0.3 * float(np.clip(slow_log_odds(crop, own, others), -12, 12))
        for (n, of_map), crop in zip(by_map.items(), crops.tolist(), strict=True)
    }
    best = max(totals, key=lambda n: totals[n])
    threshold = sure(float(student.thresholds.second_look or 0)) - sure(student.thresholds.of(name))
    found = StudentDetector(student)(seen, name)
    assert sure(found.score) == pytest.approx(totals[best] - threshold, abs=2e-3)
    assert np.array_equal(found.mask, segments == best) and found.heatmap.sum() == pytest.approx(1)


def test_what_a_name_means_is_no_rival_of_it(student: StudentRuntime) -> None:
    known = student.config.names
    fruit, yellow, lemon = (query_of(name, known) for name in ("fruit", "yellow fruit", "lemon"))
    assert "lemon" in fruit.texts and not {*fruit.texts} & {*fruit.rivals}
    assert yellow.texts == ("yellow fruit",) and "lemon" not in yellow.rivals and "hammer" in yellow.rivals
    assert lemon.texts == ("lemon",) and {"lemon", *lemon.rivals} == {*known}
    red = query_of("the red one", known)
    assert red.color and not {*red.texts} & {*red.rivals} and {*red.rivals} < {color_phrase(one) for one in COLORS}


def test_evidence_of_ones_own_is_a_function_more(student: StudentRuntime) -> None:
    seen = painted_observation(256)

    def last_one(view: View, queries: Sequence[Query]) -> LogOdds:
        said = LogOdds.nothing(view, queries)
        said.segments[:, -1] = 50.0
        return said

    detector = StudentDetector(student)
    detector.evidence.append(last_one)
    for found in detector.detect(seen, NAMES):
        assert found.margin > 0.49 and np.array_equal(found.mask, View.of_observation(student, seen).mask(-1))


def test_where_nothing_lies_nothing_is_present(student: StudentRuntime) -> None:
    seen = painted_observation(256)
    empty = seen | {"hand_depth": np.full_like(seen["hand_depth"], 0.38)}
    for found in StudentDetector(student).detect(empty, NAMES):
        assert found.score == 0 and not found.mask.any() and not found.heatmap.any()


def test_a_description_of_what_was_taught_may_mean_another_one(student: StudentRuntime) -> None:
    seen = painted_observation(256)
    plain = StudentDetector(student)(seen, "red lemon")
    policy = LanguagePickPolicy.load("open")
    v, u = np.argwhere(segment_observation(seen) == 2)[20].tolist()
    policy.teach(seen, "lemon", point=(u, v))
    itself, described = policy.detector.detect(seen, ["lemon", "red lemon"])  # type: ignore[attr-defined]
    assert itself.margin > 0 and np.array_equal(itself.mask, described.mask) and described.score > plain.score
    view = View.of_observation(policy._student, seen)
    queries = [query_of(name, student.config.names, ("lemon",)) for name in ("lemon", "red lemon", "hammer")]
    said = Examples(policy._student)(view, queries).segments
    assert (said[0] < 0).any() and np.array_equal(said[1], np.maximum(said[0], 0)) and not said[2].any()


def test_what_was_taught_is_decided_as_without_it(one_look: StudentRuntime) -> None:
    seen = painted_observation(256)
    taught = {}
    policies = {"twice": LanguagePickPolicy.load("open"), "once": LanguagePickPolicy(StudentDetector(one_look))}
    for name, policy in policies.items():
        policy.teach(seen, "lemon", mask=segment_observation(seen) == 2)
        taught[name] = policy.detector(painted_observation(256, 1), "lemon")
    assert same(taught["twice"], taught["once"])


def test_an_exported_student_looks_twice_too(tmp_path: Path, student: StudentRuntime) -> None:
    pytest.importorskip("onnx")
    seen = painted_observation(256)
    folder = export_runtime(RuntimeExportConfig("open", out=str(tmp_path / "onnx"), names=["our gadget"])).folder
    onnx = StudentDetector(StudentRuntime.load(folder)).detect(seen, NAMES[:3])
    for found, expected in zip(onnx, StudentDetector(student).detect(seen, NAMES[:3]), strict=True):
        ours, theirs = (sure(one.score) + sure(0.0826) for one in (found, expected))  # by the folder's threshold
        assert 1 / (1 + np.exp(-ours)) == pytest.approx(1 / (1 + np.exp(-theirs)), abs=0.06)  # bfloat16, float32
        assert found.threshold == expected.threshold and found.mask.any()


def test_what_has_no_rival_or_is_a_color_is_decided_by_the_image(student: StudentRuntime) -> None:
    seen = painted_observation(256)
    forced = StudentDetector(student, threshold=0.0)
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
