"""The scripted picker: kinematics, point clouds, controllers, and picks in the simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from helpers.grasping import ABOVE, BASE, INTRINSIC, REST, chosen_grasp, tabletop
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.grasp_proposals import GraspLimits
from pickclutter_lang.manipulation.gripper import GraspCandidates, rotation_matrix
from pickclutter_lang.manipulation.kinematics import CONTROLLERS, JOINT_LIMITS, PandaArm, make_controller, pose_distance
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.utils.typing import FloatArray


def test_inverse_kinematics_undo_forward_kinematics() -> None:
    arm = PandaArm(BASE)
    rng = np.random.default_rng(0)
    for _ in range(50):
        pose = arm.forward(REST + rng.uniform(-0.4, 0.4, 7))
        result = arm.inverse(pose, REST)
        assert result is not None and (result >= JOINT_LIMITS[0]).all() and (result <= JOINT_LIMITS[1]).all()
        meters, radians = pose_distance(arm.forward(result), pose)
        assert meters < 1e-3 and radians < 0.01
    assert arm.inverse(np.array([3.0, 0, 0, 0, 1, 0, 0]), REST) is None


def observe_bar(angles: FloatArray) -> tuple[FloatArray, dict[str, Any]]:
    """Return a depth image with a bar in its center, and its observation by an arm with these joint angles."""
    depth = np.full((160, 160), 0.5)
    depth[76:84, 70:90] = 0.45
    return depth, {
        "hand_depth": depth,
        "hand_intrinsic": INTRINSIC,
        "hand_cam2world": ABOVE,
        "qpos": np.append(angles, [0.04, 0.04]),
        "base_pose": BASE,
        "goal_pos": np.array([0, 0, 0.3]),
    }


def test_a_grasp_is_flipped_when_it_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    rotated = [0, 0, 0, 0, 0, 0, -0.1]  # so that half a turn of the hand begins away from the last joint's limit
    depth, observation = observe_bar(REST + rotated)
    pickers = [ScriptedPicker(lambda observation: depth < 0.48) for _ in range(3)]
    pickers[0].act(observation)
    first = chosen_grasp(pickers[0])
    solve = PandaArm.inverse
    resting = PandaArm(BASE).forward(REST)

    def angle(pose: FloatArray, other: FloatArray) -> float:
        return pose_distance(pose * [0, 0, 0, 1, 1, 1, 1], other * [0, 0, 0, 1, 1, 1, 1])[1]

    def refuse(wrong: Callable[[FloatArray], bool]) -> None:
        monkeypatch.setattr(
            PandaArm, "inverse", lambda self, pose, start: None if wrong(pose) else solve(self, pose, start)
        )

    refuse(lambda pose: angle(pose, first) < 0.1)
    pickers[1].act(observation)  # another grasp, rather than the same one after a long turn
    assert angle(chosen_grasp(pickers[1]), first) > 0.1 and angle(chosen_grasp(pickers[1]), resting) < np.pi / 2 + 0.1
    refuse(lambda pose: angle(pose, resting) < np.pi / 2)
    pickers[2].act(observation)
    assert chosen_grasp(pickers[2])[:3] == pytest.approx(first[:3])
    half = rotation_matrix(chosen_grasp(pickers[2])[3:]).T @ rotation_matrix(first[3:])
    assert half == pytest.approx(np.diag([-1, -1, 1]), abs=1e-6)


def test_a_proposer_of_ones_own_chooses_the_grasp() -> None:
    depth, observation = observe_bar(REST)
    asked: list[GraspLimits] = []

    def propose(target: FloatArray, others: FloatArray, limits: GraspLimits, rest: FloatArray) -> GraspCandidates:
        asked.append(limits)
        found = GraspCandidates(target.mean(axis=0)[None], np.diag([1.0, -1.0, -1.0])[None])
        return found if len(asked) == 2 else found[:0]

    picker = ScriptedPicker(lambda seen: depth < 0.48, proposer=propose)
    picker.act(observation)
    assert picker.phase == "reach" and asked[0].max_width_m < asked[1].max_width_m
    assert chosen_grasp(picker)[:2] == pytest.approx([0, 0], abs=0.01)


@pytest.mark.parametrize("mode", sorted(CONTROLLERS))
def test_controllers_move_to_a_pose(mode: str) -> None:
    arm = PandaArm(BASE)
    angles = np.append(REST, [0.04, 0.04])
    goal = arm.forward(REST) + np.array([0.03, -0.04, -0.05, 0, 0, 0, 0])
    action = make_controller(mode)(arm, angles, goal, -1.0, 0.5)
    assert action.dtype == np.float32 and action[-1] == -1 and np.abs(action[:-1]).max() <= 0.5 + 1e-6
    assert make_controller(mode)(arm, angles, arm.forward(REST), 1.0, 1.0)[:-1] == pytest.approx(0, abs=0.01)
    rotated = arm.forward(REST + np.array([0, 0, 0, 0, 0, 0, 0.6]))
    action = make_controller(mode)(arm, angles, rotated, -1.0, 0.2)
    fastest = 0.5 if mode == "pd_ee_delta_pose" else 0.2  # rotations have at least half speed
    assert np.linalg.norm(action[3:-1]) == pytest.approx(fastest, abs=1e-3)
    for scale in (0.5, 0.1):
        slow = make_controller(mode, scale)(arm, angles, rotated, -1.0, 0.2)
        np.testing.assert_allclose(slow[:-1], scale * action[:-1], atol=1e-6)
        assert slow[-1] == -1  # the fingers close as fast
    for wrong in (0, -1, 1.1, float("nan"), None, "slow"):
        with pytest.raises(InvalidArgumentError, match="speed"):
            make_controller(mode, wrong)  # type: ignore[arg-type]


def run_picker(
    env: Any,
    options: dict[str, Any],
    mode: str,
    callback: Callable[[ScriptedPicker], None] = lambda picker: None,
    speed: float = 1.0,
) -> tuple[bool, ScriptedPicker]:
    observation, info = env.reset(seed=0, options=options)
    picker = ScriptedPicker(lambda observation: observation["mask"] > 0, mode, speed=speed)
    for _ in range(round(200 / speed)):
        action = picker.act(observation)
        assert np.abs(action[:-1]).max() <= speed + 1e-6
        if picker.done:
            break
        callback(picker)
        observation, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
    return info["success"], picker


def lemon_to_pick(mode: str, steps: int = 200) -> tuple[Any, dict[str, Any]]:
    """Return an environment, and the options of an episode whose target is a lemon."""
    from pickclutter_lang.envs.wrappers import FlatObservation

    inner: Any = gymnasium.make(
        "pickclutter_lang.envs:PickClutterLang/Proxy-v0",
        obs_mode="rgbd",
        control_mode=mode,
        enable_segmentation=True,
        absent_probability=0.0,
        base_camera=False,
        max_episode_steps=steps,
    )
    pile = tabletop(inner.unwrapped.object_set, ["lemon", "tennis ball", "banana"])
    return FlatObservation(inner, mask=True), {"episode": pile, "target": "lemon"}


@pytest.mark.slow
@pytest.mark.parametrize("speed", [1.0, 0.5])
@pytest.mark.parametrize("mode", sorted(CONTROLLERS))
def test_the_arm_brings_the_object_to_the_goal(mode: str, speed: float) -> None:
    env, options = lemon_to_pick(mode, round(200 / speed))
    success, picker = run_picker(env, options, mode, speed=speed)
    assert success and picker.phase == "transport"


@pytest.mark.slow
def test_a_failed_grasp_is_followed_by_another_observation() -> None:
    env, options = lemon_to_pick("pd_ee_delta_pose")
    targets: list[FloatArray] = []

    def move_target(picker: ScriptedPicker) -> None:
        """Move the lemon away from between the fingers, once."""
        if picker.phase == "close" and not targets:
            assert picker.target is not None
            targets.append(picker.target)
            lemon = env.unwrapped.obj
            pose = env.unwrapped.obj.pose
            lemon.set_pose(type(pose)([0.07, 0.07, pose.p[2]], pose.q))

    _, picker = run_picker(env, options, "pd_ee_delta_pose", move_target)
    assert np.linalg.norm(targets[0][:3] - chosen_grasp(picker)[:3]) > 0.1  # it observed again
    assert picker.phase == "transport" and env.unwrapped.obj.pose.p[2] > 0.1  # the second attempt succeeds


def test_what_cannot_be_picked_is_named() -> None:
    depth, observation = observe_bar(REST)
    with pytest.raises(InvalidArgumentError, match="160"):
        ScriptedPicker(lambda observation: np.zeros((5, 5), bool)).act(observation)
    picker = ScriptedPicker(lambda observation: np.zeros(depth.shape, bool))  # the object is not visible
    picker.act(observation)
    assert picker.done and picker.target is None
    del observation["hand_depth"]
    with pytest.raises(InvalidArgumentError, match="hand_depth"):
        picker.act(observation)
