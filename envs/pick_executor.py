"""Picks executed by the simulated arm, to validate the label `graspable`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pickclutter_lang.envs.generation.physics import Pile
from pickclutter_lang.envs.generation.scene_renderer import PandaKinematics
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.maniskill_env import ObjectSetEnv
from pickclutter_lang.envs.renderer import count_meshes, drop_unused_meshes, renderer_options
from pickclutter_lang.manipulation.gripper import pregrasp_pose
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.typing import FloatArray

LIFT_M = 0.15
_LIFTED_M = 0.08
_REACH_STEPS, _APPROACH_STEPS, _CLOSE_STEPS, _LIFT_STEPS, _HOLD_STEPS = 30, 20, 12, 25, 6
_OPEN, _CLOSED = 1.0, -1.0


class PickExecutor:
    """Moves the Panda of ManiSkill2's PickClutter through pre-grasp, approach, close and lift."""

    def __init__(self, objects: ObjectSet) -> None:
        self.objects = objects
        with TemporaryDirectory() as folder:
            first = objects.draw_models(np.array([0]), "train", np.random.default_rng(0))[0]
            path, models = Path(folder) / "episodes.json", Path(folder) / "models.json"
            actor = {"model_id": first.model_id, "scale": first.scale, "pose": [0, 0, 0.1, 1, 0, 0, 0]}
            path.write_text(json.dumps([{"actors": [{**actor, "rep_pts": [[0, 0, 0.1]]}]}]))
            models.write_text(json.dumps(objects.model_db([first.model_id])))
            self._env = ObjectSetEnv(
                objects,
                episode_json=str(path),
                asset_root=str(objects.root),
                model_json=str(models),
                obs_mode="none",
                control_mode="pd_joint_pos",
                robot_init_qpos_noise=0.0,
                **renderer_options(),
            )

    def load(self, pile: Pile) -> None:
        """Put a pile on the table, with the arm at rest."""
        actors = [
            {
                "model_id": model.model_id,
                "scale": model.scale,
                "pose": [float(v) for v in pose],
                "rep_pts": [[float(v) for v in pose[:3]]],
            }
            for model, pose in zip(pile.models, pile.poses, strict=True)
        ]
        self._env.episodes = [{"actors": actors}]
        self._env.model_db = self.objects.model_db([model.model_id for model in pile.models])
        if self.objects.instances:
            count_meshes(len(actors))
            drop_unused_meshes()
        self._env.reset(seed=0, options={"episode_idx": 0, "reconfigure": True})
        self._start = self._env.get_state()
        self._kinematics = PandaKinematics(self._env.agent.robot)

    def checker(self) -> GraspChecker:
        """Return a checker that uses the arm of this environment."""
        return GraspChecker(self.objects, self._kinematics)

    def pick(self, instance_id: int, tcp_pose: FloatArray) -> bool:
        """Execute one pick from the loaded state and return whether the object was lifted and did not slip."""
        self._env.set_state(self._start)
        robot = self._env.agent.robot
        rest = np.asarray(robot.get_qpos(), float)
        ready = self._kinematics.solve(pregrasp_pose(tcp_pose), rest)
        grasp = None if ready is None else self._kinematics.solve(tcp_pose, ready)
        lifted = tcp_pose + np.array([0, 0, LIFT_M, 0, 0, 0, 0])
        raised = None if grasp is None else self._kinematics.solve(lifted, grasp)
        if ready is None or grasp is None or raised is None:
            return False
        actor = self._env.objs[instance_id]
        height = float(actor.pose.p[2])
        self._move(rest, ready, _REACH_STEPS, _OPEN)
        self._move(ready, grasp, _APPROACH_STEPS, _OPEN)
        self._move(grasp, grasp, _CLOSE_STEPS, _CLOSED)
        self._move(grasp, raised, _LIFT_STEPS, _CLOSED)
        self._move(raised, raised, _HOLD_STEPS, _CLOSED)
        return bool(actor.pose.p[2] - height > _LIFTED_M and self._env.agent.check_grasp(actor))

    def _move(self, start: FloatArray, goal: FloatArray, steps: int, gripper: float) -> None:
        for fraction in np.linspace(0, 1, steps + 1)[1:]:
            arm = start[:7] + fraction * (goal[:7] - start[:7])
            self._env.step_action(np.concatenate([arm, [gripper]]))
