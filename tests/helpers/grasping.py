"""For tests of picking: box point clouds, a tabletop episode, and a scripted pick in the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.generation.simulation import PandaKinematics
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.manipulation.gripper import pregrasp_pose
from pickclutter_lang.manipulation.point_cloud import TABLE_HEIGHT_M
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.objects.object_sets import ObjectSet

OPEN = 1.0
CLOSED = -1.0
BASE = np.array([-0.615, 0, 0, 1, 0, 0, 0], float)
REST = np.array([0, np.pi / 8, 0, -np.pi * 5 / 8, 0, np.pi * 3 / 4, np.pi / 4])
ABOVE = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]], float)  # looks down from 0.5 m
INTRINSIC = np.array([[80, 0, 80], [0, 80, 80], [0, 0, 1]], float)


def box(size: Sequence[float], at: Sequence[float] = (0.0, 0.0), spacing: float = 0.004) -> NDArray[np.float64]:
    """Return points [N, 3] on the top and the sides of a box on the table."""
    x, y, z = (np.arange(-s / 2, s / 2 + 1e-9, spacing) for s in size)
    z = z + size[2] / 2
    top = np.stack(np.meshgrid(x, y, [size[2]]), axis=-1).reshape(-1, 3)
    sides = [np.stack(np.meshgrid([sx], y, z), axis=-1).reshape(-1, 3) for sx in (x[0], x[-1])]
    sides += [np.stack(np.meshgrid(x, [sy], z), axis=-1).reshape(-1, 3) for sy in (y[0], y[-1])]
    points = np.concatenate([top, *sides])
    points = points[points[:, 2] > TABLE_HEIGHT_M]
    return np.add(points, [*at, 0.0], dtype=np.float64)


def tabletop(objects: ObjectSet, names: Sequence[str], spacing: float = 0.14) -> dict[str, Any]:
    """Return an episode in which these objects stand separately on the table, each visible from above."""
    actors = []
    for n, name in enumerate(names):
        item = objects.draw_models(np.array([objects.catalog.index(name)]), "ood", np.random.default_rng(0))[0]
        x = -0.07 + spacing * (n % 2)
        y = spacing * (n // 2 - 0.5)
        height = item.scale * item.size[2]
        pose = [x, y, 0.5 * height + 0.002, 1.0, 0.0, 0.0, 0.0]
        points = [[x, y, height - 0.001 * k] for k in range(4)]
        actors.append({"model_id": item.model_id, "scale": item.scale, "pose": pose, "rep_pts": points})
    return {"actors": actors}


def pick(env: gymnasium.Env, name: str, to_goal: bool, extra: Sequence[float] = ()) -> list[tuple[Any, ...]]:
    """Pick an object of an environment in control mode `pd_joint_pos` and lift it, or bring it to the goal.

    :param extra: further values of each action
    :return: the results of all steps
    """
    base: Any = env.unwrapped
    item = base.catalog.find(name)
    ids = [actor["model_id"] for actor in base.episode["actors"]]
    instance_id = ids.index(item.model_id)
    kinematics = PandaKinematics(base.agent.robot)
    grasp = GraspChecker(base.object_set, kinematics).find(base.pile(), instance_id)
    assert grasp is not None, f"no free grasp of {name}"
    actor = base.objs[instance_id]
    offset = actor.pose.transform(actor.cmass_local_pose).p - grasp[:3]
    end = grasp.copy()
    end[:3] = base.goal_pos - offset if to_goal else grasp[:3] + np.array([0, 0, 0.12])
    legs = [
        (pregrasp_pose(grasp), 20, OPEN),
        (grasp, 12, OPEN),
        (grasp, 8, CLOSED),
        (end, 30, CLOSED),
        (end, 8, CLOSED),
    ]
    results = []
    current = np.asarray(base.agent.robot.get_qpos(), np.float64)
    for pose, steps, gripper in legs:
        goal = kinematics.solve(pose, current)
        assert goal is not None, f"{pose} is out of reach"
        for fraction in np.linspace(0, 1, steps + 1)[1:]:
            arm = current[:7] + fraction * (goal[:7] - current[:7])
            results.append(env.step(np.array([*arm, gripper, *extra], np.float32)))
            if results[-1][2] or results[-1][3]:
                return results
        current = goal
    return results


def chosen_grasp(picker: ScriptedPicker) -> NDArray[np.float64]:
    """Return the pose [7] of the grasp that a picker has chosen."""
    assert picker.target is not None
    return picker.target
