"""The configuration of manipulation: fields change what they name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.grasping import ABOVE, BASE, INTRINSIC, REST, box, chosen_grasp
from pickclutter_lang.manipulation.grasp_proposals import (
    DEFAULT_GRASP_CONFIG,
    GraspConfig,
    GraspLimits,
    propose_grasps,
)
from pickclutter_lang.manipulation.gripper import GraspCandidates
from pickclutter_lang.manipulation.in_hand_pose import (
    about_closing_axis,
)
from pickclutter_lang.manipulation.kinematics import KinematicsConfig
from pickclutter_lang.manipulation.point_cloud import (
    PlaneConfig,
    PointCloudConfig,
)
from pickclutter_lang.manipulation.scripted_picker import (
    DEFAULT_PICKER_CONFIG,
    MotionConfig,
    PickPhase,
    ScriptedPicker,
)
from pickclutter_lang.utils.typing import FloatArray

NO_POINTS = np.zeros((0, 3))
BAR = box((0.12, 0.04, 0.05))


def proposals(points: FloatArray = BAR, **changes: Any) -> GraspCandidates:
    return propose_grasps(points, NO_POINTS, config=replace(DEFAULT_GRASP_CONFIG, **changes))


def leaning_wall(degrees: float) -> FloatArray:
    """Both sides of a wall, 4 mm thick, that leans out of the vertical."""
    along, up = np.meshgrid(np.arange(-0.06, 0.061, 0.003), np.arange(0, 0.08, 0.003), indexing="ij")
    sides = [np.stack([0 * up + x, along, up], axis=-1).reshape(-1, 3) for x in (0, 0.004)]
    wall: FloatArray = np.concatenate(sides) @ about_closing_axis(np.deg2rad(degrees)).T
    wall[:, 2] -= wall[:, 2].min()
    return wall


def test_leaning_walls_are_held_with_a_rolled_hand_up_to_a_thickness() -> None:
    def first_roll(degrees: float, **changes: Any) -> float:
        found = proposals(leaning_wall(degrees), planes=PlaneConfig(max_planes=0), **changes)
        return float(abs(found.rotations[0, 2, 1]))

    assert first_roll(25) == pytest.approx(np.sin(np.deg2rad(25)))
    assert first_roll(15, wall_roll_deg=15.0) == pytest.approx(np.sin(np.deg2rad(15)))
    assert first_roll(25, max_wall_thickness_m=0.001) < 0.02


def test_the_picker_uses_its_configuration() -> None:
    depth = np.full((160, 160), 0.5)
    depth[76:84, 70:90] = 0.45
    observation = {
        "hand_depth": depth,
        "hand_intrinsic": INTRINSIC,
        "hand_cam2world": ABOVE,
        "qpos": np.append(REST, [0.04, 0.04]),
        "base_pose": BASE,
        "goal_pos": np.array([0, 0, 0.3]),
    }

    def pick(**changes: Any) -> tuple[ScriptedPicker, NDArray[np.float32]]:
        picker = ScriptedPicker(lambda seen: depth < 0.48, config=replace(DEFAULT_PICKER_CONFIG, **changes))
        return picker, picker.act(observation)

    default, action = pick()
    assert default.phase == PickPhase.REACH
    shallow, _ = pick(grasp=GraspConfig(fingertip_depths_m=(0.01,)))
    assert chosen_grasp(shallow)[2] > chosen_grasp(default)[2] + 0.003
    assert not np.array_equal(action, pick(motion=MotionConfig(travel_height_m=0.4))[1])
    for change in (
        {"grasp_limits": (GraspLimits(max_width_m=0.001),)},
        {"kinematics": KinematicsConfig(max_iterations=1)},
        {"point_cloud": PointCloudConfig(table_height_m=0.06)},
    ):
        assert pick(**change)[0].phase == PickPhase.DONE
