"""The Gymnasium ids `PickClutterLang/{YCB,Proxy,Kinds,Own}-v0` on ManiSkill2, and `-v3` on ManiSkill 3."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from pickclutter_lang.envs.simulator import SIMULATORS, installed_simulator, require_simulator
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.objects.object_sets import ObjectSource, check_source, is_own, sources_of

if TYPE_CHECKING:
    from gymnasium import Env

    from pickclutter_lang.envs.pick_clutter import PickClutterLangEnv
    from pickclutter_lang.envs.pick_clutter_v3 import PickClutterLangEnvV3

MAX_EPISODE_STEPS = 200
OBJECTS = {"YCB": "ycb", "Proxy": "proxy", "Kinds": "kinds", "Own": None}
"""Name in the id -> object set; None: the one that `objects=` names, folders of one's own among it."""


def register() -> None:
    """Register the ids of the installed simulator in Gymnasium, or all where there is none, so that making one says so.

    Doing it again changes nothing. The simulator is not imported.

    :raises MissingExtraError: where Gymnasium is not installed
    """
    try:
        from gymnasium.envs.registration import WrapperSpec, registry
        from gymnasium.envs.registration import register as add
    except ModuleNotFoundError as error:
        raise MissingExtraError("gymnasium", "sim") from error

    limit = WrapperSpec(  # for tensors of many sub-scenes, in place of Gymnasium's, as `register_env` has it
        "MSTimeLimit", "mani_skill.utils.registration:TimeLimitWrapper", {"max_episode_steps": MAX_EPISODE_STEPS}
    )
    for version, (name, objects) in product(_versions(), OBJECTS.items()):
        of_three = version == SIMULATORS["maniskill3"].ids
        if (env_id := f"PickClutterLang/{name}-{version}") not in registry:
            add(
                id=env_id,
                entry_point=f"pickclutter_lang.envs.registration:make_env{'_v3' if of_three else ''}",
                max_episode_steps=MAX_EPISODE_STEPS,
                # Gymnasium's passive checker refuses the empty observations of obs_mode="none".
                disable_env_checker=True,
                additional_wrappers=(limit,) if of_three else (),
                kwargs={"objects": objects},
            )


def _versions() -> list[str]:
    """Return the version of the ids of the installed simulator, or those of both where there is not one."""
    try:
        return [SIMULATORS[installed_simulator()].ids]
    except (MissingExtraError, InvalidArgumentError):  # who makes an environment is told
        return [simulator.ids for simulator in SIMULATORS.values()]


def environment_id(objects: ObjectSource) -> str:
    """Return the id of the environment with an object set, on the simulator that is installed.

    :raises InvalidArgumentError: for no object set
    """
    check_source(objects)
    wanted = None if is_own(objects) else sources_of(objects)[0]
    return f"PickClutterLang/{next(name for name, found in OBJECTS.items() if found == wanted)}-{_versions()[0]}"


def make_env(**kwargs: Any) -> PickClutterLangEnv:
    """Make the environment; the arguments are those of `PickClutterLangEnv`.

    :raises InvalidArgumentError: for objects=None, or where ManiSkill 3 is installed
    :raises MissingExtraError: where no simulator is
    :raises RendererError: where there is no Vulkan loader or driver
    """
    _prepare(kwargs, "maniskill2")
    from pickclutter_lang.envs.pick_clutter import PickClutterLangEnv

    return PickClutterLangEnv(**kwargs)


def make_env_v3(**kwargs: Any) -> PickClutterLangEnvV3:
    """Make the environment on ManiSkill 3; arguments are those of `PickClutterLangEnvV3`, errors as of `make_env`."""
    _prepare(kwargs, "maniskill3")
    from pickclutter_lang.envs.pick_clutter_v3 import PickClutterLangEnvV3

    return PickClutterLangEnvV3(**kwargs)


def make_single(env_id: str, obs_mode: str = "rgbd", enable_segmentation: bool = False, **kwargs: Any) -> Env[Any, Any]:
    """Make an environment of one pile; observations, rewards and info are NumPy's on either simulator.

    :param kwargs: arguments of `PickClutterLangEnv`; `camera_cfgs` are called `sensor_configs` on ManiSkill 3
    :raises InvalidArgumentError: as of `native_arguments`
    """
    import gymnasium

    made = gymnasium.make(env_id, **native_arguments(obs_mode, enable_segmentation, **kwargs))
    if installed_simulator() == "maniskill2":
        return made
    from mani_skill.utils.wrappers.gymnasium import CPUGymWrapper

    return CPUGymWrapper(made)  # type: ignore[no-any-return]


def native_arguments(obs_mode: str, enable_segmentation: bool, **kwargs: Any) -> dict[str, Any]:
    """Return arguments of `make_single` as the environment of the installed simulator has them.

    :raises InvalidArgumentError: for segmentation in another mode than `rgbd` on ManiSkill 3
    """
    if installed_simulator() == "maniskill2":
        return {"obs_mode": obs_mode, "enable_segmentation": enable_segmentation, **kwargs}
    if enable_segmentation and obs_mode != "rgbd":
        raise InvalidArgumentError(f"expected obs_mode='rgbd' with segmentation on ManiSkill 3, but got {obs_mode!r}")
    kwargs["sensor_configs"] = {**(kwargs.get("sensor_configs") or {}), **(kwargs.pop("camera_cfgs", None) or {})}
    return {"obs_mode": "rgb+depth+segmentation" if enable_segmentation else obs_mode, **kwargs}


def _prepare(kwargs: dict[str, Any], simulator: str) -> None:
    require_simulator(simulator, f"an environment of -{SIMULATORS[simulator].ids}")
    if kwargs.get("objects", "proxy") is None:
        raise InvalidArgumentError("expected objects of PickClutterLang/Own, but got none; give objects='FOLDER'")
    prepare_simulator()


def prepare_simulator() -> None:
    """Set the renderer up before anything imports sapien, and import it; errors are those of `prepare_renderer`."""
    from pickclutter_lang.envs.renderer import prepare_renderer

    prepare_renderer()
    import sapien.core  # noqa: F401
