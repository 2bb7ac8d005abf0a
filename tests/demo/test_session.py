"""What student and teacher find: in piles as the policy's detectors do, in a person's own images without depth."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.policies import opened
from helpers.process_kill import worker_processes
from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.session import DemoSession, open_session
from pickclutter_lang.demo.simulator import SimulatedPile
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError
from pickclutter_lang.evaluation.calibration import thresholds_of, write_thresholds
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy import teacher_detector
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.folder import Thresholds
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.students import label_encoders
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE

NAMES = ["banana", "a red teapot", "the blue object"]


class NoSimulator:
    """In place of the process, which these tests do not need."""

    def submit(self, seed: int, name: str | None = None) -> Any:
        return None


def without_simulator(folder: Path, evaluation: Path) -> DemoSession:
    simulator: Any = NoSimulator()
    return DemoSession(folder, simulator, evaluation, False)


@pytest.fixture(scope="module")
def lonely(exported: Path) -> DemoSession:
    return without_simulator(exported / "few_shot", exported)


@pytest.fixture(scope="module")
def pile(exported: Path) -> SimulatedPile:
    """A stored scene as the simulator would show it."""
    return SimulatedPile(scene_to_observation(opened(exported, "few_shot").scenes["ood"], 3), ("banana",), ("banana",))


def test_a_pile_gets_what_the_detectors_find(lonely: DemoSession, pile: SimulatedPile) -> None:
    spec = lonely.student.config
    student = StudentDetector(lonely.student).detect(pile.observation, NAMES)
    teacher = TeacherDetector(spec.teacher.load(), spec.names, Thresholds(0.5, {}, None))
    for answer, expected in (
        (lonely.ask_student(pile, NAMES), student),
        (lonely.ask_teacher(pile, NAMES), [teacher(pile.observation, name) for name in NAMES]),
    ):
        assert list(answer.detections) == NAMES and answer.seconds > 0
        for found, one in zip(answer.detections.values(), expected, strict=True):
            assert found.score == pytest.approx(one.score, abs=1e-6) and found.threshold == one.threshold
            np.testing.assert_array_equal(found.mask, one.mask)
            np.testing.assert_allclose(found.heatmap, one.heatmap, atol=1e-8)


def test_an_own_image_fills_the_view_of_the_student(lonely: DemoSession) -> None:
    spec = lonely.student.config
    image = np.random.default_rng(0).integers(0, 256, (spec.crop_size, spec.crop_size, 3), np.uint8)
    answer = lonely.ask_student(image, NAMES)
    start = (spec.camera_size - spec.crop_size) // 2
    camera = np.full((spec.camera_size, spec.camera_size, 3), 99, np.uint8)  # what is around it is not seen
    camera[start : start + spec.crop_size, start : start + spec.crop_size] = image
    expected = lonely.student.predict({"hand_rgb": camera}, NAMES)
    assert [found.score for found in answer.detections.values()] == pytest.approx(expected.scores.tolist())
    assert [found.threshold for found in answer.detections.values()] == [lonely.student.threshold(n) for n in NAMES]
    for found, attention in zip(answer.detections.values(), expected.attention, strict=True):
        assert found.heatmap.shape == image.shape[:2] and not found.mask.any()
        peak = np.array(np.unravel_index(found.heatmap.argmax(), image.shape[:2])) * len(attention) / len(image)
        assert np.abs(peak - (np.array(np.unravel_index(attention.argmax(), attention.shape)) + 0.5)).max() <= 1


def test_the_teacher_classifies_all_of_an_own_image(lonely: DemoSession) -> None:
    image = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    found = lonely.ask_teacher(image, ["a red teapot"]).detections["a red teapot"]
    teacher, names = lonely.student.config.teacher.load(), ["a red teapot", *lonely.student.config.names]
    feature = teacher.encode_image(teacher.preprocess(image[None])).numpy()[0]
    text = teacher.encode_text([PHOTO_TEMPLATE.format(label=name) for name in names]).numpy()
    odds = np.exp(teacher.logit_scale * text @ feature)
    assert found.score == pytest.approx(odds[0] / odds.sum(), abs=1e-5)
    assert found.mask.all() and np.ptp(found.heatmap) == 0


def test_thresholds_of_the_teacher_come_from_an_evaluation(exported: Path, tmp_path: Path) -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    spec = StudentRuntime.load(exported / "few_shot").config
    write_thresholds(tmp_path, thresholds_of(spec), Thresholds(0.25, {"banana": 0.125}, None))
    calibrated = without_simulator(exported / "few_shot", tmp_path)
    found = calibrated.ask_teacher(image, ["banana", "a red teapot"]).detections.values()
    assert [one.threshold for one in found] == [0.125, 0.25] and calibrated.teacher_is_calibrated
    write_thresholds(tmp_path, thresholds_of(spec) | {"label": "visible"}, Thresholds(0.25, {}, None))
    other = without_simulator(exported / "few_shot", tmp_path)
    assert other.ask_teacher(image, ["banana"]).detections["banana"].threshold == 0.5
    assert not other.teacher_is_calibrated


def test_without_its_teacher_the_student_knows_its_own_names(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "few_shot", tmp_path / "policy")
    path = tmp_path / "policy" / "policy.json"
    path.write_text(path.read_text().replace(str(exported), str(tmp_path / "nowhere")))
    alone, image = without_simulator(tmp_path / "policy", tmp_path), np.zeros((40, 40, 3), np.uint8)
    assert alone.ask_student(image, ["banana"]).detections["banana"].score > 0
    for ask in (alone.ask_teacher, lambda image, names: alone.ask_student(image, ["a red teapot"])):
        with pytest.raises(TeacherError, match="nowhere"):
            ask(image, ["banana"])


def test_a_student_of_depth_takes_no_own_image(exported: Path) -> None:
    session = without_simulator(exported / "few_shot", exported)
    session.student.config = replace(session.student.config, depth=True)
    assert not session.accepts_uploads
    with pytest.raises(InvalidArgumentError, match="takes depth"):
        session.ask_student(np.zeros((40, 40, 3), np.uint8), ["banana"])


def test_memory_for_new_names_is_bounded(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (label_encoders, teacher_detector):
        monkeypatch.setattr(module, "MAX_NEW_NAMES", 4)
    session, image = without_simulator(exported / "few_shot", exported), np.zeros((40, 40, 3), np.uint8)
    stored = len(session.student.config.names)
    first = [ask(image, ["name 0"]).detections["name 0"].score for ask in (session.ask_student, session.ask_teacher)]
    for number in range(10):
        for ask in (session.ask_student, session.ask_teacher):
            ask(image, [f"name {number}", f"name {number + 1}"])
    assert session.student.names[stored:] == [f"name {n}" for n in range(7, 11)]
    assert set(session._teacher._text) == {*session.student.config.names, *(f"name {n}" for n in range(7, 11))}
    again = [ask(image, ["name 0"]).detections["name 0"].score for ask in (session.ask_student, session.ask_teacher)]
    assert again == pytest.approx(first, abs=1e-6)


def test_a_run_is_exported_for_the_page(exported: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    expected = without_simulator(exported / "distill", exported).ask_student(image, NAMES)
    with open_session(DemoConfig(run=str(exported / "run"), phase="distill", num_threads=1)) as session:
        found = session.ask_student(image, NAMES)
    scores = ([one.score for one in answer.detections.values()] for answer in (found, expected))
    assert next(scores) == pytest.approx(next(scores), abs=1e-6)


@pytest.mark.sim
@pytest.mark.slow
def test_piles_may_be_of_kinds() -> None:
    pytest.importorskip("sapien")
    with open_session(DemoConfig(policy="open", objects="kinds", num_threads=1)) as session:
        piles = [session.pile(seed) for seed in (0, 1)]
        names = {name for shown in piles for name in shown.objects}
        assert names <= {*session.student.config.names} and len(names - {*paper_catalog().names}) > len(names) / 2
        name = piles[0].visible[0]
        for answer in (session.ask_student(piles[0], [name]), session.ask_teacher(piles[0], [name])):
            assert 0 <= answer.detections[name].score <= 1
        attempt = session.pick(0, name).future.result()
    assert attempt.episode["target"] == name and attempt.episode["expected"] == [name]


def test_a_policy_folder_has_one_student(tmp_path: Path) -> None:
    for changes in ({"phase": "distill"}, {"scenes": "s"}):
        with pytest.raises(InvalidArgumentError, match="expected phase= and scenes= with run= alone"):
            DemoConfig(policy=str(tmp_path), **changes).validate()  # type: ignore[arg-type]


def test_a_damaged_policy_is_named_and_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="expected a policy in"), open_session(DemoConfig(policy=str(tmp_path))):
        pass
    assert not worker_processes(os.getpid())
