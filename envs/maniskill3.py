"""ManiSkill 3 on SAPIEN 3."""

from __future__ import annotations

from typing import Any

from pickclutter_lang.envs.simulator import Simulator
from pickclutter_lang.errors import InvalidArgumentError


class ManiSkill3(Simulator):
    """ManiSkill 3, with sub-scenes; `envs.sapien3` gives its SAPIEN the names of SAPIEN 2."""

    def start_engine(self, shaders: str, **options: Any) -> tuple[Any, Any]:
        """Return what makes scenes, which is the renderer too; a window is ManiSkill 3's, so options do nothing."""
        from pickclutter_lang.envs.sapien3 import Engine

        engine = Engine(shaders)
        return engine, engine

    def arguments(self, obs_mode: str, enable_segmentation: bool, **kwargs: Any) -> dict[str, Any]:
        """Return them by ManiSkill 3's names.

        :raises InvalidArgumentError: for segmentation in another mode than `rgbd`
        """
        if enable_segmentation and obs_mode != "rgbd":
            raise InvalidArgumentError(
                f"expected obs_mode='rgbd' with segmentation on ManiSkill 3, but got {obs_mode!r}"
            )
        kwargs["sensor_configs"] = {**(kwargs.get("sensor_configs") or {}), **(kwargs.pop("camera_cfgs", None) or {})}
        return {"obs_mode": "rgb+depth+segmentation" if enable_segmentation else obs_mode, **kwargs}


SIMULATOR = ManiSkill3(
    name="maniskill3",
    title="ManiSkill 3",
    identity="maniskill3",
    ids="v3",
    package="mani_skill",
    extra="sim3",
    sapien_version="3",
    newest_python=(3, 12),
    sapien="pickclutter_lang.envs.sapien3",
    utilities="pickclutter_lang.envs.sapien3",
    shaders="default",
    panda="assets/robots/panda/panda_v2.urdf",
    environment="pickclutter_lang.envs.pick_clutter_v3:PickClutterLangEnvV3",
    limit="mani_skill.utils.registration:TimeLimitWrapper",  # for many sub-scenes, as `register_env` has it
    unbatched="mani_skill.utils.wrappers.gymnasium:CPUGymWrapper",
    recorder="pickclutter_lang.envs.recording_v3:EpisodeFiles",
    depth_unit="millimeters",
    replay_id="pickclutter_lang.envs:{env_id}",
)
make_env = SIMULATOR.make_env
"""What Gymnasium makes its ids with."""
