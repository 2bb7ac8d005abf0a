"""Environments of the procedural objects; who imports this is skipped without the simulator."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

gym = pytest.importorskip("gymnasium", reason="needs the sim extra")
pytest.importorskip("sapien", reason="needs the sim extra")

from pickclutter_lang.envs.renderer import sapien_names  # noqa: E402

sapien_names()  # before anything else imports it
PROXY = "PickClutterLang/Proxy-v0"
KINDS = "PickClutterLang/Kinds-v0"
OWN = "PickClutterLang/Own-v0"
FEW_KINDS: dict[str, Any] = {"kinds": ["apple", "banana", "mug", "soda can", "toy car", "fork"], "instances": 3}
"""So that few models are made."""
SETTINGS: dict[str, dict[str, Any]] = {PROXY: {}, KINDS: FEW_KINDS}
NAMES = ["rubik's cube", "orange", "banana", "mustard bottle"]


def make(env_id: str = PROXY, **kwargs: Any) -> Any:
    """Return an unwrapped environment."""
    return gym.make(env_id, **{**SETTINGS[env_id], **kwargs}).unwrapped


def make_stock(asset_root: object, episode_json: object, obs_mode: str) -> Any:
    """Return ManiSkill2's own environment on the same objects and episodes."""
    import mani_skill2.envs  # noqa: F401  # registers it
    from mani_skill2.utils.registration import make as make_env

    from pickclutter_lang.envs.pick_clutter import renderer_options

    files = {"asset_root": str(asset_root), "episode_json": str(episode_json)}
    return make_env("PickClutterYCB-v0", as_gym=False, obs_mode=obs_mode, **files, **renderer_options())


def in_new_process(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
