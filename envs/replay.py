"""The environment of `PickClutterLang/Replay-v0`, for ManiSkill2's own tool that replays trajectories.

`python -m mani_skill2.trajectory.replay_trajectory` was written for Gymnasium below 1, whose wrappers pass attributes
on to what they wrap. So this environment comes without wrappers, and ManiSkill2's recorder passes them on again. The
tool imports this module, as the id in a trajectory's JSON begins with its name, and so does `envs.recording`.
"""

from __future__ import annotations

from typing import Any

from gymnasium.envs.registration import register, registry

from pickclutter_lang.envs.registration import prepare_simulator
from pickclutter_lang.envs.simulator import require_simulator

__all__ = ["REPLAY_ID", "RecordEpisode"]
REPLAY_ID = "PickClutterLang/Replay-v0"
"""The id; its environment takes the arguments of `PickClutterLangEnv`, and has no time limit."""

require_simulator("maniskill2", "the replay of its trajectories")
prepare_simulator()
from mani_skill2.utils.wrappers import RecordEpisode  # noqa: E402 - it imports sapien


def _of_inner(recorder: Any, name: str) -> Any:
    """Return an attribute of what a recorder wraps."""
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(recorder.env, name)


RecordEpisode.__getattr__ = _of_inner
if REPLAY_ID not in registry:
    register(
        id=REPLAY_ID,
        entry_point="pickclutter_lang.envs.registration:make_env",
        disable_env_checker=True,
        order_enforce=False,
    )
