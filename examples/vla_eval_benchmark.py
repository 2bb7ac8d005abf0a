"""PickClutter by name as a benchmark of vla-evaluation-harness 0.8: its models act by an instruction, in 7 numbers.

Install the harness beside the extra `sim`. It asks for a newer NumPy than mani_skill2 allows, and runs without it:

    pip install docstring_parser jsonargparse lazyregistry msgpack typeshed_client websockets
    pip install --no-deps vla-eval==0.8.0

Name `examples.vla_eval_benchmark:PickClutterLangBenchmark` as `benchmark` in the harness's configuration, start a model
server, and run in the folder of this repository:

    PYTHONPATH=. vla-eval run --config pickclutter.yaml --no-docker
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from vla_eval.benchmarks.base import StepBenchmark, StepResult
from vla_eval.specs import GRIPPER_CLOSE_NEG, IMAGE_RGB, LANGUAGE, POSITION_DELTA, RAW, ROTATION_AA, STATE_JOINT

from pickclutter_lang.envs.maniskill2 import make_env
from pickclutter_lang.errors import InvalidArgumentError

SPLITS = {"pick_seen": "id", "pick_unseen": "ood"}
MAX_PILES = 200
METRICS = ("success", "lifted", "wrong_object", "graspable")


class PickClutterLangBenchmark(StepBenchmark):  # type: ignore[misc]
    """Episodes whose instruction names a visible object of the pile; success is the object at the goal.

    An action is `pd_ee_delta_pose` in [-1, 1]: motion in the hand's frame (1 is 0.1 m), rotation vector (1 is 0.1 rad),
    gripper (1 open, -1 closed). An observation has `images` (camera -> uint8 [S, S, 3]), `task_description`, `state`,
    the positions of the nine joints (radians; of the two fingers meters), and `goal_position` (x y z, meters). No image
    shows the goal: compare models that do not read it by `lifted`. Metrics besides `success`: `lifted`, the target was
    lifted or at the goal; `wrong_object`, another object was; `graspable`, the target was so at the start.
    """

    render_backends: ClassVar = frozenset({"gpu", "cpu"})

    def __init__(self, image_size: int = 256, max_episode_steps: int = 200, seed: int = 0, **env: Any) -> None:
        """Keep the settings; the first episode makes the environment.

        :param image_size: side of the images in pixels
        :param seed: episode k of a task is a pile of this seed and k only
        :param env: arguments of `PickClutterLangEnv`, such as `objects`
        """
        super().__init__()
        self._max_steps, self._seed = max_episode_steps, seed
        self._arguments = {
            "obs_mode": "rgbd",
            "control_mode": "pd_ee_delta_pose",
            "absent_probability": 0.0,
            "camera_cfgs": {"width": image_size, "height": image_size},
            **env,
        }
        self._env: Any = None
        self._found: dict[str, bool] = {}

    @classmethod
    def configure_render(cls, mode: str) -> dict[str, str]:
        """Return no variables: the package finds a GPU, or Mesa's CPU driver."""
        return {}

    def get_tasks(self) -> list[dict[str, Any]]:
        """Return a task for seen and one for unseen targets."""
        return [{"name": name, "suite": name} for name in SPLITS]

    def reset(self, task: dict[str, Any]) -> Any:
        """Start the episode `episode_idx` of a task.

        :raises InvalidArgumentError: when no pile has a visible target of the task
        """
        self._env = self._env or make_env(**self._arguments)
        env = self._env.unwrapped
        for number in range(MAX_PILES):
            draw = np.random.SeedSequence([self._seed, int(task.get("episode_idx", 0)), number])
            pile = int(draw.generate_state(1)[0])
            observation, info = self._env.reset(seed=pile, options={"episode": pile % len(env.episodes)})
            if env.catalog.find(info["target_name"]).split == SPLITS[task["suite"]] and info["target_visible"]:
                break
        else:
            raise InvalidArgumentError(f"expected piles with a visible target of {task['name']}; choose split=ood")
        self._steps = 0
        self._found = dict.fromkeys(METRICS, False) | {"graspable": bool(info["target_graspable"])}
        self._recorder.record_video(observation["image"]["hand_camera"]["rgb"])
        return observation

    def step(self, action: dict[str, Any]) -> StepResult:
        """Take a step.

        :raises InvalidArgumentError: for an action of another size, or one that is not finite
        """
        given = np.asarray(action.get("actions", action.get("action")), np.float32).ravel()
        if given.shape != (7,) or not np.isfinite(given).all():
            raise InvalidArgumentError(f"expected an action of 7 finite numbers, but got {given.tolist()}")
        observation, reward, terminated, truncated, info = self._env.step(np.clip(given, -1, 1))
        picked = self._env.unwrapped.picked_objects()
        self._found["lifted"] |= info["target_name"] in picked
        self._found["wrong_object"] |= any(name != info["target_name"] for name in picked)
        self._found["success"] = bool(info["is_success"])
        self._steps += 1
        done = bool(terminated or truncated or self._steps >= self._max_steps)
        self._recorder.record_video(observation["image"]["hand_camera"]["rgb"])
        self._recorder.record_step(reward=float(reward), done=done, success=info["is_success"])
        return StepResult(observation, float(reward), done, info)

    def make_obs(self, raw_obs: Any, task: dict[str, Any]) -> dict[str, Any]:
        """Return images, instruction and state as a model server gets them."""
        return {
            "images": {name: images["rgb"] for name, images in raw_obs["image"].items()},
            "task_description": self._env.unwrapped.task_description,
            "state": np.asarray(raw_obs["agent"]["qpos"], np.float32),
            "goal_position": np.asarray(raw_obs["extra"]["goal_pos"], np.float32),
        }

    def get_step_result(self, step_result: StepResult) -> dict[str, bool]:
        """Return the metrics of the episode."""
        return dict(self._found)

    def get_metric_keys(self) -> dict[str, str]:
        """Return how the metrics of episodes are put together."""
        return dict.fromkeys(METRICS, "mean")

    def get_metadata(self) -> dict[str, Any]:
        """Return the steps of an episode."""
        return {"max_steps": self._max_steps}

    def get_action_spec(self) -> dict[str, Any]:
        """Return the parts of an action."""
        return {"position": POSITION_DELTA, "rotation": ROTATION_AA, "gripper": GRIPPER_CLOSE_NEG}

    def get_observation_spec(self) -> dict[str, Any]:
        """Return the parts of an observation."""
        cameras = dict.fromkeys(("hand_camera", "base_camera"), IMAGE_RGB)
        return {**cameras, "language": LANGUAGE, "state": STATE_JOINT, "goal_position": RAW}

    def cleanup(self) -> None:
        """Close the environment."""
        if self._env is not None:
            self._env.close()
            self._env = None
