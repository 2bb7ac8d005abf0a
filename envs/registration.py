"""The Gymnasium ids `PickClutterLang/YCB-v0` and `PickClutterLang/Proxy-v0`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError

if TYPE_CHECKING:
    from pickclutter_lang.envs.pick_clutter import PickClutterLangEnv

MAX_EPISODE_STEPS = 200
ENVIRONMENTS = {"PickClutterLang/YCB-v0": "ycb", "PickClutterLang/Proxy-v0": "proxy"}


def register() -> None:
    """Register both ids in Gymnasium; doing it again changes nothing. The simulator is not imported.

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


def environment_id(objects: str) -> str:
    """Return the id of the environment with an object set.

    :raises InvalidArgumentError: for a set that has none
    """
    ids = {name: env_id for env_id, name in ENVIRONMENTS.items()}
    if objects not in ids:
        raise InvalidArgumentError(f"expected objects to be one of {', '.join(ids)}, but got {objects!r}")
    return ids[objects]


def make_env(**kwargs: Any) -> PickClutterLangEnv:
    """Make the environment; the arguments are those of `PickClutterLangEnv`.

    :raises MissingExtraError: where the simulator is not installed
    :raises RendererError: where there is no Vulkan loader or driver
    """
    prepare_simulator()
    from pickclutter_lang.envs.pick_clutter import PickClutterLangEnv

    return PickClutterLangEnv(**kwargs)


def prepare_simulator() -> None:
    """Check that the simulator is installed and set the renderer up, before anything imports sapien.

    :raises MissingExtraError: where sapien or mani_skill2 is not installed
    """
    for package in ("sapien", "mani_skill2"):
        if find_spec(package) is None:
            raise MissingExtraError(f"{package} (Python 3.10 or 3.11 only)", "sim")
    from pickclutter_lang.envs.renderer import prepare_renderer

    prepare_renderer()
    import sapien.core  # noqa: F401
