"""The simulator's process: the pile that is shown is the one that the arm picks from; nothing of it is left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imageio_ffmpeg import count_frames_and_secs, read_frames
from numpy.typing import NDArray
from PIL import Image

from helpers.policies import SIDE, changed
from helpers.process_kill import wait_until, worker_processes
from pickclutter_lang.demo import simulator
from pickclutter_lang.demo.simulator import STUDENT, Attempt, SimulatedPile, Simulator
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError, TeacherError, WorkerError
from pickclutter_lang.evaluation.pick import outcome_in_words
from pickclutter_lang.evaluation.rollout import RolloutConfig
from pickclutter_lang.policy.runtime import StudentRuntime

EPISODE: dict[str, Any] = {
    "reference": "lemon", "target": "lemon", "expected": ["lemon"], "present": True, "declared_absent": False,
    "success": False, "picked": [], "grasp_found": True, "wrong_objects": 0,
}  # fmt: skip
UNKNOWN = {"reference": "teapot", "expected": [], "present": False}


def config(policy: Path) -> RolloutConfig:
    return RolloutConfig(policies={STUDENT: str(policy)})


@contextmanager
def started(policy: RolloutConfig) -> Iterator[Simulator]:
    opened = Simulator(policy)
    try:
        yield opened
    finally:
        opened.close()
    assert not worker_processes(os.getpid())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"success": True, "picked": ["lemon"]}, "Picked: the arm brought the lemon to the goal."),
        ({"picked": ["lemon"]}, "Not placed: the arm lifted the lemon, but did not bring it to the goal."),
        ({"picked": ["pear", "fork"], "wrong_objects": 2}, "Wrong object: the arm lifted the pear and the fork, not"),
        (
            {"picked": ["pear", "lemon"], "wrong_objects": 1},
            "Not placed: the arm lifted the pear beside the lemon",
        ),
        ({}, "Not picked: the arm lifted nothing."),
        ({"grasp_found": False}, "Not picked: no grasp was found."),
        ({"declared_absent": True}, "Predicted absent: the policy declares that there is no lemon, and it is in the"),
        ({"declared_absent": True, "success": True, "present": False, "expected": []}, "lemon, and it is not in the"),
        ({**UNKNOWN, "declared_absent": True, "success": True}, "the policy declares that there is no teapot."),
        ({**UNKNOWN, "picked": ["pear"], "wrong_objects": 1}, "Lifted: the pear. The simulator has no object of the"),
        (UNKNOWN, "Not picked: the arm lifted nothing."),
    ],
)
def test_what_came_of_a_pick_is_said_in_plain_words(changes: dict[str, Any], expected: str) -> None:
    assert expected in outcome_in_words(EPISODE | changes)


@pytest.mark.sim
def test_the_arm_picks_in_the_pile_that_was_shown(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "few_shot", tmp_path / "bold")
    every = dict.fromkeys(StudentRuntime.load(exported / "few_shot").config.names, 0.0)  # nothing is absent
    (tmp_path / "bold" / "policy.json").write_bytes(changed(exported, "thresholds", default=0.0, names=every))
    with started(config(tmp_path / "bold")) as running:
        pile: SimulatedPile = running.submit(1).future.result()
        assert set(pile.objects) == {"spoon", "knife", "mustard bottle", "hammer"} >= set(pile.visible)
        job = running.submit(1, "Hammer")
        again: SimulatedPile = running.submit(1).future.result()
        attempt: Attempt = job.future.result()
    np.testing.assert_array_equal(pile.rgb, again.rgb)
    episode = attempt.episode
    assert episode["instruction"] == "pick up the Hammer" and episode["reference"] == "hammer"
    assert episode["target"] == "hammer" and episode["present"]
    assert not episode["declared_absent"] and episode["grasp_found"]
    assert job.steps >= episode["steps"] > 10
    assert attempt.video.mime == "video/mp4"
    (tmp_path / "a.mp4").write_bytes(attempt.video.data)
    frames, seconds = count_frames_and_secs(str(tmp_path / "a.mp4"))
    assert frames > episode["steps"] / 4 and seconds > 4
    assert np.abs(first_view(tmp_path / "a.mp4") - pile.rgb).mean() < 30  # the map is drawn over it


def first_view(path: Path) -> NDArray[np.float64]:
    """The hand camera's view in the first frame of a video, as small as the camera's image."""
    reader = read_frames(str(path))
    width, height = next(reader)["size"]
    frame = Image.frombytes("RGB", (width, height), next(reader))
    return np.asarray(frame.crop((width // 2, height - width // 2, width, height)).resize((SIDE, SIDE)), float)


@pytest.mark.sim
def test_what_is_wrong_comes_back_and_the_next_job_is_done(exported: Path, tmp_path: Path) -> None:
    missing = replace(config(exported / "few_shot"), objects="ycb", objects_root=str(tmp_path))
    with started(missing) as running, pytest.raises(MissingAssetsError, match=str(tmp_path)):
        running.submit(0).future.result()
    with started(config(exported / "few_shot")) as running:
        assert running.submit(0).future.result().objects
        processes = worker_processes(os.getpid())
        with pytest.raises(InvalidArgumentError, match="expected an instruction of at most 256 bytes"):
            running.submit(0, "ä" * 200).future.result()
        assert running.submit(0).future.result().objects
        assert worker_processes(os.getpid()) == processes != []


@pytest.mark.sim
def test_a_name_without_its_teacher_leaves_the_process_running(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "few_shot", tmp_path / "policy")
    path = tmp_path / "policy" / "policy.json"
    path.write_text(path.read_text().replace(str(exported), str(tmp_path / "nowhere")))
    with started(config(tmp_path / "policy")) as running:
        assert running.submit(0).future.result().objects
        processes = worker_processes(os.getpid())
        with pytest.raises(TeacherError, match="nowhere"):
            running.submit(0, "a red teapot").future.result()
        assert running.submit(0).future.result().objects
        assert worker_processes(os.getpid()) == processes != []


def test_jobs_that_wait_are_bounded_and_can_be_taken_back(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "MAX_JOBS", 3)
    with started(config(exported / "few_shot")) as running:
        first = running.submit(0)
        wait_until(first.future.running)
        jobs = [running.submit(seed) for seed in range(3)]
        with pytest.raises(WorkerError, match="has 3 jobs to do; try again"):
            running.submit(3)
        assert all(job.future.cancel() for job in jobs)
    with pytest.raises(WorkerError, match="was given up"):
        first.future.result()
