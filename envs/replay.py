"""The environment of `PickClutterLang/Replay-v0`, for ManiSkill2's own tool that replays trajectories.

`python -m mani_skill2.trajectory.replay_trajectory` was written for Gymnasium below 1, whose wrappers pass attributes
on to what they wrap. So this environment comes without wrappers, and ManiSkill2's recorder passes them on again. The
tool imports this module, as the id in a trajectory's JSON begins with its name, and so does `envs.recording`.
"""

from __future__ import annotations

import logging
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import register, registry
from numpy.typing import NDArray

from pickclutter_lang.envs.renderer import sapien_names
from pickclutter_lang.envs.simulator import require_simulator

REPLAY_ID = "PickClutterLang/Replay-v0"
"""The id; its environment takes the arguments of `PickClutterLangEnv`, and has no time limit."""

require_simulator("maniskill2", "the replay of its trajectories")
sapien_names()
from mani_skill2.utils.logging_utils import logger  # noqa: E402 - it imports sapien
from mani_skill2.utils.wrappers import RecordEpisode  # noqa: E402

logger.setLevel(logging.ERROR)  # the recorder warns that it has no commit to note


def _of_inner(recorder: Any, name: str) -> Any:
    """Return an attribute of what a recorder wraps."""
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(recorder.env, name)


RecordEpisode.__getattr__ = _of_inner


class EpisodeFiles(RecordEpisode):  # type: ignore[misc]
    """Writes episodes as ManiSkill2's tools read them."""

    before_first = 0
    """Number of the episode that is written next; the recorder counts them when they start."""

    def __init__(self, env: Any, folder: str, **given: Any) -> None:
        super().__init__(_WithState(env), folder, **given)

    def note_reset(self, arguments: dict[str, Any]) -> None:
        """Set the arguments of the last reset that the JSON has."""
        self._episode_info["reset_kwargs"] = arguments

    def images(self) -> list[tuple[dict[str, Any], str]]:
        """Return what was recorded of each camera, with the key of its segmentation."""
        return [(images, "Segmentation") for step in self._episode_data for images in step["o"]["image"].values()]


class _WithState(gym.Wrapper[Any, Any, Any, Any]):
    """Passes the simulator's state on, as wrappers of Gymnasium below 1 did."""

    def get_state(self) -> NDArray[np.float64]:
        state: NDArray[np.float64] = self.env.unwrapped.get_state()  # type: ignore[attr-defined]
        return state


if REPLAY_ID not in registry:
    register(
        id=REPLAY_ID,
        entry_point="pickclutter_lang.envs.maniskill2:make_env",
        disable_env_checker=True,
        order_enforce=False,
    )
