"""ManiSkill2's own environment on the same objects and episodes, to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mani_skill2.envs.pick_and_place.pick_clutter  # noqa: F401  # registers it
from mani_skill2.utils.registration import make

from pickclutter_lang.envs.renderer import renderer_options


def make_stock(asset_root: str | Path, episode_json: str | Path, obs_mode: str) -> Any:
    """Return stock `PickClutterYCB-v0`, unwrapped but for its observation mode; call `prepare_simulator` before.

    :param asset_root: folder of the objects in ManiSkill2's layout
    :param episode_json: file of episodes, see `datasets.scenes.maniskill_episodes`
    """
    files = {"asset_root": str(asset_root), "episode_json": str(episode_json)}
    return make("PickClutterYCB-v0", as_gym=False, obs_mode=obs_mode, **files, **renderer_options())
