"""Recording of an episode by the installed simulator's own recorder, in the form that its tools read."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import h5py
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS, native_arguments
from pickclutter_lang.envs.simulator import installed_simulator


class EpisodeRecorder(gym.Wrapper[Any, Any, Any, Any]):
    """Records the last episode of an environment of `make_single`."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wrap what `make_single` returns, with no wrapper of one's own around it."""
        self._unused = tempfile.TemporaryDirectory(prefix="recorder")  # both simulators open a file at once
        given = {"trajectory_name": "unused", "save_video": False, "save_on_reset": False, "clean_on_close": False}
        self._of_three = installed_simulator() == "maniskill3"
        self._recorder: Any
        if self._of_three:
            from mani_skill.utils.logging_utils import logger
            from mani_skill.utils.wrappers import CPUGymWrapper, RecordEpisode

            logger.setLevel(logging.ERROR)  # it warns that it has no commit to note
            # It records the batches of ManiSkill 3, inside of the wrapper that unbatches them.
            self._recorder = RecordEpisode(env.env, self._unused.name, record_reward=False, **given)  # type: ignore[attr-defined]
            super().__init__(CPUGymWrapper(self._recorder))
        else:
            from pickclutter_lang.envs.replay import RecordEpisode

            self._recorder = RecordEpisode(_WithState(env), self._unused.name, **given)
            super().__init__(self._recorder)

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and forget the last one."""
        observation, info = super().reset(**given)
        again = {"seed": given["seed"]}
        if self._of_three:
            self._recorder.last_reset_kwargs = again
        else:
            self._recorder._episode_info["reset_kwargs"] = again
        return observation, info

    def flush(self, file: h5py.File) -> dict[str, Any]:
        """Write the episode so far as a group of an open file, without segmentation.

        :param file: writable
        :return: what the JSON of the simulator's trajectories has of it; `success` too
        :raises ValueError: for an episode without a step
        """
        recorder = self._recorder
        recorder._json_data["episodes"].clear()
        for images, key in self._images():
            images.pop(key, None)
        recorder._h5_file, recorder._episode_id = file, -1 if self._of_three else 0
        recorder.flush_trajectory()
        (episode,) = recorder._json_data["episodes"]
        if not self._of_three:
            episode = {**episode, "success": episode["info"]["success"]}
        return {key: value for key, value in episode.items() if key != "episode_id"}

    def _images(self) -> list[tuple[dict[str, Any], str]]:
        """Return what was recorded of each camera, with the key of its segmentation."""
        if self._of_three:
            recorded = self._recorder._trajectory_buffer.observation["sensor_data"]
            return [(images, "segmentation") for images in recorded.values()]
        steps = self._recorder._episode_data
        return [(images, "Segmentation") for step in steps for images in step["o"]["image"].values()]


class _WithState(gym.Wrapper[Any, Any, Any, Any]):
    """Passes the simulator's state on, as wrappers of Gymnasium below 1 did."""

    def get_state(self) -> NDArray[np.float64]:
        state: NDArray[np.float64] = self.env.unwrapped.get_state()  # type: ignore[attr-defined]
        return state


def replay_of(env_id: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return `env_info` of a trajectory's JSON: how the simulator's tools make the environment again.

    With a module before its id, Gymnasium imports what registers it.

    :param env_id: the id in Gymnasium
    :param arguments: those of `make_single`
    """
    kept = {**gym.spec(env_id).kwargs, **native_arguments(**{**arguments, "enable_segmentation": False})}
    if installed_simulator() == "maniskill2":
        from pickclutter_lang.envs.replay import REPLAY_ID

        env_id = f"pickclutter_lang.envs.replay:{REPLAY_ID}"
    else:
        env_id = f"pickclutter_lang.envs:{env_id}"
    return {"env_id": env_id, "max_episode_steps": MAX_EPISODE_STEPS, "env_kwargs": kept}
