"""Recordings for Rerun's viewer: what a real episode leaves in one, read back by Rerun itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.paths import ROOT
from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.evaluate import evaluate_policy
from pickclutter_lang.evaluation.rollout import OWN, RolloutConfig, RolloutRunner
from pickclutter_lang.manipulation.gripper import GraspCandidates

rerun = pytest.importorskip("rerun")
pytestmark = [pytest.mark.sim, pytest.mark.slow]
SIDE, BASE = 96, 64
SEED = 0
OWN_MODULE = """
import numpy as np

class Declares:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.append(np.zeros(7), 1.0).astype(np.float32), state
"""
EVERY_STEP = [
    "gripper/opening:Scalar",
    "world/arm/links:LineStrip3D",
    "world/arm/path:LineStrip3D",
    "world/arm/tcp:Translation3D",
    *(f"world/{name}_camera:{part}" for name in ("hand", "base") for part in ("PinholeProjection", "TransformMat3x3")),
    *(f"world/{name}_camera/rgb:Blob" for name in ("hand", "base")),
    *(f"world/{name}_camera/depth:ImageBuffer" for name in ("hand", "base")),
    "world/hand_camera/target:ImageBuffer",
]
EVERY_DECISION = [
    "decision/mask:ImageBuffer",
    "decision/rgb:Blob",
    "decision/score_map:TensorData",
    "decision/segments:ImageBuffer",
    "scores/score:Scalar",
    "scores/threshold:Scalar",
    "world/points:Position3D",
    "world/grasps:Vector3D",
    "world/grasp/approach:Vector3D",
    "world/target_points:Position3D",
]


class Rows:
    """The rows of a recording by step: entity and component -> the values of the steps that have one."""

    def __init__(self, path: Path) -> None:
        recording = rerun.dataframe.load_recording(path)
        self._table = recording.view(index="control_step", contents="/**").select().read_all()

    def __getitem__(self, name: str) -> list[Any]:
        return [value for value in self._table.column(f"/{name}").to_pylist() if value is not None]

    @property
    def names(self) -> set[str]:
        return {name.strip("/") for name in self._table.column_names}

    @property
    def steps(self) -> list[int]:
        return [int(step) for step in self._table.column("control_step").to_pylist()]


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RolloutRunner:
    (tmp_path / "declaring.py").write_text(OWN_MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = RolloutConfig(
        environment_id("proxy"), None, "ood", 0.0, "pd_ee_delta_pose", {}, SIDE, own_policy="declaring:Declares"
    )
    return RolloutRunner(config, BASE)


def record(runner: RolloutRunner, variant: str, path: Path) -> tuple[Mapping[str, Any], Rows, list[Any]]:
    """Record an episode; return its outcome, what is in the file, and the states that the policy returned."""
    from pickclutter_lang.evaluation.rerun_recorder import RerunRecorder

    recorder, states = RerunRecorder(), []

    def callback(observation: Mapping[str, NDArray[Any]], state: Any) -> None:
        states.append(state)
        recorder.callback(observation, state)

    episode = runner.rollout(variant, SEED, callback=callback)
    recorder.save({".rrd": path}, episode)
    return episode, Rows(path), states


def test_a_recording_has_every_step_and_every_decision(runner: RolloutRunner, tmp_path: Path) -> None:
    episode, rows, states = record(runner, "random", tmp_path / "episode.rrd")
    decisions = len(states[-1].detections)
    assert rows.steps == list(range(len(states))) and len(states) >= episode["steps"] and decisions >= 1
    assert {name: len(rows[name]) for name in EVERY_STEP} == dict.fromkeys(EVERY_STEP, len(states))
    assert {name: len(rows[name]) for name in EVERY_DECISION} == dict.fromkeys(EVERY_DECISION, decisions)
    assert [value[0] for value in rows["scores/score:Scalar"]] == [d.score for d in states[-1].detections]
    first = states[0]
    pixels = np.frombuffer(bytes(rows["decision/segments:ImageBuffer"][0][0]), np.uint16).reshape(SIDE, SIDE)
    assert np.array_equal(pixels, first.detections[0].segments) and pixels.max() > 1
    costs = first.candidates.costs.tolist()
    assert costs and rows["world/grasps:cost"][0] == pytest.approx(costs) and costs == sorted(costs)
    ends = np.array(rows["world/grasps:Position3D"][0]) + np.array(rows["world/grasps:Vector3D"][0])
    assert ends == pytest.approx(first.candidates.positions, abs=1e-5)
    assert (first.target is not None) == bool(rows["world/grasp/approach:Vector3D"][0])
    assert "outcome: " in rows["log:Text"][-1][0] and episode["target"] in rows["log:Text"][-1][0]
    texts = " ".join(text for [text] in rows["log:Text"])
    assert "phase: reach" in texts


def test_depth_is_in_meters_and_the_arm_where_it_is(runner: RolloutRunner, tmp_path: Path) -> None:
    seen: list[Mapping[str, NDArray[Any]]] = []
    from pickclutter_lang.evaluation.rerun_recorder import RerunRecorder

    recorder = RerunRecorder()

    def callback(observation: Mapping[str, NDArray[Any]], state: Any) -> None:
        seen.append(observation)
        recorder.callback(observation, state)

    episode = runner.rollout(OWN, SEED, callback=callback)
    recorder.save({".rrd": tmp_path / "a.rrd"}, episode)
    rows = Rows(tmp_path / "a.rrd")
    units = np.frombuffer(bytes(rows["world/hand_camera/depth:ImageBuffer"][0][0]), np.uint16)
    meters = units / rows["world/hand_camera/depth:DepthMeter"][0][0]
    assert meters == pytest.approx(seen[0]["hand_depth"], abs=6e-5) and 0.1 < np.median(meters) < 1
    tcp = rows["world/arm/tcp:Translation3D"][0][0]
    env: Any = runner._env.unwrapped
    assert tcp == pytest.approx(env.tcp.pose.p, abs=0.02)
    assert rows["gripper/opening:Scalar"][0][0] == pytest.approx(seen[0]["qpos"][7:].sum())


def test_a_policy_of_ones_own_has_neither_decisions_nor_grasps(runner: RolloutRunner, tmp_path: Path) -> None:
    episode, rows, states = record(runner, OWN, tmp_path / "own.rrd")
    assert states == [None] and episode["declared_absent"]
    assert {name: len(rows[name]) for name in EVERY_STEP} == dict.fromkeys(EVERY_STEP, 1)
    assert not {name for name in EVERY_DECISION if name in rows.names}
    assert "present, predicted absent" in rows["log:Text"][-1][0]


def test_the_command_records_when_asked_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "declaring.py").write_text(OWN_MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    values: dict[str, Any] = {"policy": "declaring:Declares", "variants": ["own"], "episodes": 2, "workers": 1}
    values |= {"camera_size": 64, "n_videos": 1, "n_filmstrips": 0}
    plain = evaluate_policy(PolicyEvalConfig(**values, out=str(tmp_path / "plain")))
    assert not list(plain.rglob("*.rrd")) and "rerun" not in (plain / "report.md").read_text()
    folder = evaluate_policy(PolicyEvalConfig(**values, n_recordings=1, out=str(tmp_path / "recorded")))
    found = sorted(path.name for path in (folder / "videos").iterdir())
    assert {Path(name).suffix for name in found} == {".gif", ".rrd"} and len(found) in (2, 4)
    name = next(name for name in found if name.endswith(".rrd"))
    assert f"rerun {folder}/videos/{name}" in (folder / "report.md").read_text()
    assert f"rerun {folder}/videos/{name}" in (folder / "report.html").read_text()
    assert Rows(folder / "videos" / name).steps == [0]


def test_without_the_extra_nothing_is_run(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['rerun'] = None\n"
        "from pickclutter_lang.commands import main\n"
        f"main(['evaluate-policy', 'variants=[oracle]', 'n_recordings=1', 'out={tmp_path / 'out'}'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600)
    expected = "MissingExtraError: rerun-sdk is not installed; run in a clone: pip install -e '.[rerun]'"
    assert done.returncode == 2 and done.stderr.strip() == expected
    assert not (tmp_path / "out").exists()


def test_grasps_without_costs_are_gray() -> None:
    from pickclutter_lang.evaluation.rerun_recorder import _colors

    assert len({*map(tuple, _colors(None, 3).tolist())}) == 1
    colors = _colors(np.array([0.1, 0.2, 0.4]), 3)
    assert len({*map(tuple, colors.tolist())}) == 3 and (np.diff(colors[:, 1].astype(int)) < 0).all()
    assert GraspCandidates(np.zeros((2, 3)), np.zeros((2, 3, 3)))[np.array([0])].costs is None
