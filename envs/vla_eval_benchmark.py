"""PickClutter by name as a benchmark of vla-evaluation-harness: its models act by an instruction, in 7 numbers.

Named `pickclutter_lang.envs.vla_eval_benchmark:PickClutterLangBenchmark` in a configuration of `vla-eval run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from vla_eval.benchmarks.base import StepBenchmark, StepResult
from vla_eval.specs import GRIPPER_CLOSE_NEG, IMAGE_RGB, LANGUAGE, POSITION_DELTA, RAW, ROTATION_AA, STATE_JOINT

from pickclutter_lang.envs.registration import environment_id, make_env
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import at_least, check_image_size, check_seed, one_of

if TYPE_CHECKING:
    from gymnasium import Env
    from numpy.typing import NDArray
    from vla_eval.specs import DimSpec
    from vla_eval.types import Action, EpisodeResult, Observation, Task

ACTION_SIZE = 7
TASKS = ("seen", "unseen")
_SPLITS = {"seen": "id", "unseen": "ood"}
_MOST_TRIES = 200
"""Piles of an episode until one has a visible target of the task; about half of them have one."""


class PickClutterLangBenchmark(StepBenchmark):  # type: ignore[misc]
    """Episodes whose instruction names a visible object of the pile; success is the object at the goal.

    An action is `pd_ee_delta_pose` in [-1, 1]: motion in the hand's frame (1 is 0.1 m), rotation vector (1 is 0.1 rad),
    gripper (1 open, -1 closed). An observation has `images` (camera -> uint8 [S, S, 3]), `task_description`, `state`,
    the positions of the nine joints (radians; of the two fingers meters), and `goal_position` (x y z, meters). Metrics
    besides `success`: `lifted`, whether the target was lifted or brought to the goal at some step, `wrong_object`,
    whether another object was, and `graspable`, whether the target was so at the start.
    """

    render_backends: ClassVar = frozenset({"gpu", "cpu"})

    def __init__(
        self,
        objects: str = "proxy",
        tasks: list[str] | None = None,
        image_size: int = 256,
        cameras: list[str] | None = None,
        max_episode_steps: int = 200,
        seed: int = 0,
        **env: Any,
    ) -> None:
        """Check the settings; the environment is made by the first episode.

        :param objects: of `PickClutterLangEnv`, as is everything in `env`
        :param tasks: of `seen` and `unseen` targets, by default both
        :param image_size: side of the images in pixels
        :param cameras: of `hand_camera` and `base_camera`, by default both
        :param seed: episode k of a task is a pile of this seed and k alone
        :raises InvalidArgumentError: for a value outside what is allowed
        """
        super().__init__()
        environment_id(objects)
        for name, instead in (("base_camera", "cameras"), ("camera_cfgs", "image_size")):
            if name in env:
                raise InvalidArgumentError(f"expected {instead} instead of {name}, but got {name}={env[name]!r}")
        self._tasks, self._cameras = tasks or [*TASKS], cameras or ["hand_camera", "base_camera"]
        for name in self._tasks:
            one_of("tasks", name, TASKS)
        for name in self._cameras:
            one_of("cameras", name, ("hand_camera", "base_camera"))
        check_image_size("image_size", image_size)
        at_least("max_episode_steps", max_episode_steps, 1)
        check_seed(seed)
        self._max_steps, self._seed = max_episode_steps, seed
        self._arguments: dict[str, Any] = {
            "objects": objects,
            "obs_mode": "rgbd",
            "control_mode": "pd_ee_delta_pose",
            "absent_probability": 0.0,
            "camera_cfgs": {"width": image_size, "height": image_size},
            "base_camera": "base_camera" in self._cameras,
            **env,
        }
        self._env: Env[Any, Any] | None = None
        self._steps, self._lifted, self._wrong, self._graspable = 0, False, False, False

    @classmethod
    def configure_render(cls, mode: str) -> dict[str, str]:
        """Return no variables: the package finds a GPU, or Mesa's CPU driver, itself."""
        return {}

    def get_tasks(self) -> list[Task]:
        """Return a task for seen and one for unseen targets."""
        return [{"name": f"pick_{name}", "suite": name} for name in self._tasks]

    def reset(self, task: Task) -> Any:
        """Start the episode `episode_idx` of a task.

        :raises InvalidArgumentError: when no pile has a visible target of the task
        """
        env = self._environment()
        episode = int(task.get("episode_idx", 0))
        for number in range(_MOST_TRIES):
            pile = np.random.SeedSequence([self._seed, episode, number]).generate_state(1)[0]
            number_of_piles = len(env.unwrapped.episodes)  # type: ignore[attr-defined]
            observation, info = env.reset(seed=int(pile), options={"episode": int(pile) % number_of_piles})
            split = env.unwrapped.catalog.find(info["target_name"]).split  # type: ignore[attr-defined]
            if split == _SPLITS[task["suite"]] and info["target_visible"]:
                break
        else:
            raise InvalidArgumentError(
                f"expected piles with a visible target of task {task['name']}, but {_MOST_TRIES} had none; choose "
                "another object set, or split=ood"
            )
        self._steps, self._lifted, self._wrong = 0, False, False
        self._graspable = bool(info["target_graspable"])
        self._recorder.record_video(observation["image"][self._cameras[0]]["rgb"])
        return observation

    def step(self, action: Action) -> StepResult:
        """Take a step.

        :raises InvalidArgumentError: for an action of another size, or one that is not finite
        """
        env = self._environment()
        given = np.asarray(action.get("actions", action.get("action")), np.float32).ravel()
        if given.shape != (ACTION_SIZE,) or not np.isfinite(given).all():
            raise InvalidArgumentError(f"expected an action of {ACTION_SIZE} finite numbers, but got {given.tolist()}")
        observation, reward, terminated, truncated, info = env.step(np.clip(given, -1, 1))
        picked = env.unwrapped.picked_objects()  # type: ignore[attr-defined]
        self._lifted |= info["target_name"] in picked
        self._wrong |= any(name != info["target_name"] for name in picked)
        self._steps += 1
        done = bool(terminated or truncated or self._steps >= self._max_steps)
        self._recorder.record_video(observation["image"][self._cameras[0]]["rgb"])
        self._recorder.record_step(reward=float(reward), done=done, success=info["is_success"])
        return StepResult(observation, float(reward), done, info)

    def make_obs(self, raw_obs: Any, task: Task) -> Observation:
        """Return images, instruction and state as a model server gets them."""
        images: dict[str, NDArray[np.uint8]] = {name: raw_obs["image"][name]["rgb"] for name in self._cameras}
        return {
            "images": images,
            "task_description": self._environment().unwrapped.task_description,  # type: ignore[attr-defined]
            "state": np.asarray(raw_obs["agent"]["qpos"], np.float32),
            "goal_position": np.asarray(raw_obs["extra"]["goal_pos"], np.float32),
        }

    def get_step_result(self, step_result: StepResult) -> EpisodeResult:
        """Return the metrics of the episode."""
        success = bool(step_result.info.get("is_success", False))
        return {
            "success": success,
            "lifted": self._lifted,
            "wrong_object": self._wrong,
            "graspable": self._graspable,
        }

    def get_metric_keys(self) -> dict[str, str]:
        """Return how the metrics of episodes are put together."""
        return dict.fromkeys(("success", "lifted", "wrong_object", "graspable"), "mean")

    def get_metadata(self) -> dict[str, Any]:
        """Return the steps of an episode."""
        return {"max_steps": self._max_steps}

    def get_action_spec(self) -> dict[str, DimSpec]:
        """Return the parts of an action."""
        return {"position": POSITION_DELTA, "rotation": ROTATION_AA, "gripper": GRIPPER_CLOSE_NEG}

    def get_observation_spec(self) -> dict[str, DimSpec]:
        """Return the parts of an observation."""
        parts = {"language": LANGUAGE, "state": STATE_JOINT, "goal_position": RAW}
        return {**dict.fromkeys(self._cameras, IMAGE_RGB), **parts}

    def cleanup(self) -> None:
        """Close the environment."""
        if self._env is not None:
            self._env.close()
            self._env = None

    def _environment(self) -> Env[Any, Any]:
        if self._env is None:
            self._env = make_env(**self._arguments)
        return self._env
