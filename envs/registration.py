"""The Gymnasium ids `PickClutterLang/{YCB,Proxy,Kinds,Own}-v0`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.objects.object_sets import ObjectSource, check_source, is_own, sources_of

if TYPE_CHECKING:
    from pickclutter_lang.envs.pick_clutter import PickClutterLangEnv

MAX_EPISODE_STEPS = 200
ENVIRONMENTS = {
    "PickClutterLang/YCB-v0": "ycb",
    "PickClutterLang/Proxy-v0": "proxy",
    "PickClutterLang/Kinds-v0": "kinds",
    "PickClutterLang/Own-v0": None,
}
"""Id -> its object set; None: the one that `objects=` names, folders of one's own among it."""


def register() -> None:
    """Register the ids in Gymnasium; doing it again changes nothing. The simulator is not imported.

    :raises MissingExtraError: where Gymnasium is not installed
    """
    try:
        from gymnasium.envs.registration import register as add
        from gymnasium.envs.registration import registry
    except ModuleNotFoundError as error:
        raise MissingExtraError("gymnasium", "sim") from error

    for env_id, objects in ENVIRONMENTS.items():
        if env_id not in registry:
            add(
                id=env_id,
                entry_point="pickclutter_lang.envs.registration:make_env",
                max_episode_steps=MAX_EPISODE_STEPS,
                # Gymnasium's passive checker refuses the empty observations of obs_mode="none".
                disable_env_checker=True,
                kwargs={"objects": objects},
            )


def environment_id(objects: ObjectSource) -> str:
    """Return the id of the environment with an object set.

    :raises InvalidArgumentError: for no object set
    """
    check_source(objects)
    wanted = None if is_own(objects) else sources_of(objects)[0]
    return next(env_id for env_id, name in ENVIRONMENTS.items() if name == wanted)


def make_env(**kwargs: Any) -> PickClutterLangEnv:
    """Make the environment; the arguments are those of `PickClutterLangEnv`.

    :raises InvalidArgumentError: for objects=None
    :raises MissingExtraError: where the simulator is not installed
    :raises RendererError: where there is no Vulkan loader or driver
    """
    if kwargs.get("objects", "proxy") is None:
        raise InvalidArgumentError("expected objects of PickClutterLang/Own-v0, but got none; give objects='FOLDER'")
    prepare_simulator()
    from pickclutter_lang.envs.pick_clutter import PickClutterLangEnv

    return PickClutterLangEnv(**kwargs)


def prepare_simulator() -> None:
    """Set the renderer up before anything imports sapien, and import it; errors are those of `prepare_renderer`."""
    from pickclutter_lang.envs.renderer import prepare_renderer

    prepare_renderer()
    import sapien.core  # noqa: F401
