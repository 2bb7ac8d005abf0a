"""Recording of an episode by the installed simulator's own recorder, in the form that its tools read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import gymnasium as gym
import h5py

from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS
from pickclutter_lang.envs.simulator import simulator


class EpisodeRecorder(gym.Wrapper[Any, Any, Any, Any]):
    """Records the last episode of an environment of `make_single`.

    A simulator's `recorder` is its own `RecordEpisode` with `note_reset`, `images` and `before_first`.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wrap what `make_single` returns, with no wrapper of one's own around it."""
        self._unused = tempfile.TemporaryDirectory(prefix="recorder")  # every recorder opens a file at once
        given = {"trajectory_name": "unused", "save_video": False, "save_on_reset": False, "clean_on_close": False}
        self._recorder = resolve_name(simulator().recorder)(env, self._unused.name, **given)
        super().__init__(simulator().single(self._recorder))

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and forget the last one."""
        observation, info = super().reset(**given)
        self._recorder.note_reset({"seed": given["seed"]})
        return observation, info

    def flush(self, file: h5py.File) -> dict[str, Any]:
        """Write the episode so far as a group of an open file, without segmentation.

        :param file: writable
        :return: what the JSON of the simulator's trajectories has of it; `success` too
        :raises ValueError: for an episode without a step
        """
        recorder = self._recorder
        recorder._json_data["episodes"].clear()
        for images, key in recorder.images():
            images.pop(key, None)
        recorder._h5_file = file
        recorder._episode_id = recorder.before_first
        recorder.flush_trajectory()
        (episode,) = recorder._json_data["episodes"]
        if "success" not in episode:
            episode["success"] = episode["info"]["success"]
        return {key: value for key, value in episode.items() if key != "episode_id"}


def replay_of(env_id: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return `env_info` of a trajectory's JSON: how the simulator's tools make the environment again.

    With a module before its id, Gymnasium imports what registers it.

    :param env_id: the id in Gymnasium
    :param arguments: those of `make_single`
    """
    native = simulator().arguments(**{**arguments, "enable_segmentation": False})
    return {
        "env_id": simulator().replay_id.format(env_id=env_id),
        "max_episode_steps": MAX_EPISODE_STEPS,
        "env_kwargs": {**gym.spec(env_id).kwargs, **native},
    }
