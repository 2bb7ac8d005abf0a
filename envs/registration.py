"""The Gymnasium ids `PickClutterLang/{YCB,Proxy,Kinds,Own}-v0` on ManiSkill2, and `-v3` on ManiSkill 3."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from pickclutter_lang.envs.simulator import Simulator, known_simulators, simulator
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.objects.object_sets import ObjectSource, check_source, is_own, sources_of

if TYPE_CHECKING:
    from gymnasium import Env

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

    limit = {"max_episode_steps": MAX_EPISODE_STEPS}
    for one, (name, objects) in product(_registered(), OBJECTS.items()):
        if (env_id := f"PickClutterLang/{name}-{one.ids}") not in registry:
            add(
                id=env_id,
                entry_point=f"{type(one).__module__}:make_env",
                max_episode_steps=MAX_EPISODE_STEPS,
                # Gymnasium's passive checker refuses the empty observations of obs_mode="none".
                disable_env_checker=True,
                additional_wrappers=(WrapperSpec("MSTimeLimit", one.limit, limit),) if one.limit else (),
                kwargs={"objects": objects},
            )


def _registered() -> list[Simulator]:
    """Return the installed simulator, or all where there is not one."""
    try:
        return [simulator()]
    except (MissingExtraError, InvalidArgumentError):  # who makes an environment is told
        return list(known_simulators().values())


def environment_id(objects: ObjectSource) -> str:
    """Return the id of the environment with an object set, on the simulator that is installed.

    :raises InvalidArgumentError: for no object set
    """
    check_source(objects)
    wanted = None if is_own(objects) else sources_of(objects)[0]
    name = next(name for name, found in OBJECTS.items() if found == wanted)
    return f"PickClutterLang/{name}-{_registered()[0].ids}"


def make_single(env_id: str, obs_mode: str = "rgbd", enable_segmentation: bool = False, **kwargs: Any) -> Env[Any, Any]:
    """Make an environment of one pile; observations, rewards and info are NumPy's on either simulator.

    :param kwargs: arguments of `PickClutterLangEnv`; `camera_cfgs` are called `sensor_configs` on ManiSkill 3
    :raises InvalidArgumentError: for segmentation in another mode than `rgbd` on ManiSkill 3
    """
    import gymnasium

    native = simulator().arguments(obs_mode, enable_segmentation, **kwargs)
    return simulator().single(gymnasium.make(env_id, **native))  # type: ignore[no-any-return]
