"""Records what ManiSkill2's trajectories have of an episode, and the grasps that its picker proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.demonstrations.grasps import GraspLog
from pickclutter_lang.demonstrations.trajectories import Trajectory
from pickclutter_lang.manipulation.scripted_picker import DEFAULT_PICKER_CONFIG
from pickclutter_lang.policy.policy import EpisodeState

DEPTH_UNITS = 1024
"""Stored depth is in units of 1 / 1024 m, as ManiSkill2 stores it."""
_SEGMENTATION = "Segmentation"


class TrajectoryRecorder(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps observations, actions and states of the last episode of an environment, of mode `rgbd` with segmentation.

    Its `callback` takes what a rollout shows, for the grasps.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wrap what `gymnasium.make` returns."""
        super().__init__(env)
        self._observations: list[dict[str, NDArray[Any]]] = []
        self._states: list[NDArray[np.float64]] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and forget the last one."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._observations, self._states = [], []
        self._actions: list[NDArray[np.float32]] = []
        self._successes: list[bool] = []
        self._grasps = GraspLog(self.env.unwrapped, DEFAULT_PICKER_CONFIG)
        self._seed, self._info = seed, info
        self._keep(observation)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._actions.append(np.asarray(action, np.float32))
        self._successes.append(bool(info["success"]))
        self._info = info
        self._grasps.after_step(bool(info["success"]))
        self._keep(observation)
        return observation, reward, terminated, truncated, info

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take the grasps of a decision; a `RolloutCallback`."""
        if state is not None:
            self._grasps.at_decision(self._last, state)

    def trajectory(self) -> Trajectory:
        """Return the episode so far."""
        env: Any = self.env.unwrapped
        arrays = {f"obs/{path}": np.stack([one[path] for one in self._observations]) for path in self._observations[0]}
        shape = self.env.action_space.shape or ()
        arrays["actions"] = np.reshape(np.array(self._actions, np.float32), (-1, *shape))
        arrays["success"] = np.array(self._successes, bool)
        arrays["env_states"] = np.stack(self._states).astype(np.float32)
        arrays |= {f"grasp_annotations/{key}": values for key, values in self._grasps.arrays().items()}
        record = {
            "episode_seed": self._seed,
            "reset_kwargs": {"seed": self._seed},
            "control_mode": env.control_mode,
            "elapsed_steps": len(self._actions),
            "info": _plain(self._info),
            "instruction": env.instruction,
            "target": env.target_name,
            "objects": [env.object_set.model(actor["model_id"]).name for actor in env.episode["actors"]],
            "model_ids": [actor["model_id"] for actor in env.episode["actors"]],
        }
        return Trajectory(arrays, record)

    def _keep(self, observation: Mapping[str, Any]) -> None:
        self._last = observation
        self._observations.append(_stored(observation))
        self._states.append(self.env.unwrapped.get_state())  # type: ignore[attr-defined]


def _stored(tree: Mapping[str, Any], prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays of an observation by path; depth as uint16, and no segmentation."""
    found: dict[str, NDArray[Any]] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _stored(value, f"{prefix}{key}/")
        elif key == "depth":
            found[prefix + key] = np.clip(value * DEPTH_UNITS, 0, np.iinfo(np.uint16).max).astype(np.uint16)
        elif key != _SEGMENTATION:
            found[prefix + key] = np.asarray(value)
    return found


def _plain(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the last information of an episode as JSON values."""
    return {key: value.tolist() if isinstance(value, np.ndarray | np.generic) else value for key, value in info.items()}
