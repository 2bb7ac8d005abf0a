"""The simulator: what one gives to the rest of the package, and which of them is installed.

There are ManiSkill2 on SAPIEN 2 and ManiSkill 3 on SAPIEN 3. Both SAPIENs are called `sapien`, so that one environment
of Python has one of them. No other file asks which one it is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.utils.plugins import installed_version
from pickclutter_lang.utils.validation import one_of

SIMULATORS = ("maniskill2", "maniskill3")
"""Modules of `envs`; each has its simulator as `SIMULATOR`, and imports nothing of it before a method is called."""
_ONE_EACH = (
    "both never share an environment of Python, so make one for each: pip install -e '.[sim]' (ManiSkill2) or "
    "'.[sim3]' (ManiSkill 3)"
)


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """What differs between simulators. What is imported late is named `module:attribute`.

    `name` is one of `SIMULATORS`, `title` its name in texts. `identity` names it in results; it is empty for the one of
    which results were before they had this key. `ids` is the version in the ids of its environments.

    `package` is imported, replays demonstrations, and its version is noted in scene stores. `extra` installs it,
    `sapien_version` is the major version of its sapien, `newest_python` the last that it has wheels for. `beside` are
    further packages, by their names on PyPI.

    `sapien` is a module that has SAPIEN 2's `Pose` and `SceneConfig`; what makes scenes is of `start_engine`.
    `utilities` is one with `look_at` and `set_articulation_render_material`, as ManiSkill2's `sapien_utils`. `shaders`
    is a folder among those of sapien, `panda` the robot's URDF file in the folder of `package`.

    `environment` is a class of a `TaskEnv`. `limit` is a wrapper that ends its episodes in place of Gymnasium's, and
    `unbatched` one that makes an environment of one pile return NumPy. `recorder` is as `recording.EpisodeRecorder`
    needs it, and `depth_unit` that of its files. Its own tool makes an environment again by `replay_id`.
    """

    name: str
    title: str
    identity: str
    ids: str
    package: str
    extra: str
    sapien_version: str
    newest_python: tuple[int, int]
    beside: tuple[str, ...] = ()
    sapien: str
    utilities: str
    shaders: str
    panda: str
    environment: str
    limit: str | None = None
    unbatched: str | None = None
    recorder: str
    depth_unit: str
    replay_id: str

    def start_engine(self, shaders: str, **options: Any) -> tuple[Any, Any]:
        """Return the process's engine, which makes scenes, and its renderer, both as SAPIEN 2 has them.

        :param shaders: the folder of the cameras' shaders
        :param options: arguments of `sapien.SapienRenderer`
        """
        raise NotImplementedError

    def vulkan_variables(self) -> dict[str, str]:
        """Return environment variables by which it takes the software driver of Vulkan."""
        return {}

    def arguments(self, obs_mode: str, enable_segmentation: bool, **kwargs: Any) -> dict[str, Any]:
        """Return arguments of `make_single` as its environment has them.

        :raises InvalidArgumentError: for what it cannot observe
        """
        return {"obs_mode": obs_mode, "enable_segmentation": enable_segmentation, **kwargs}

    def single(self, made: Any) -> Any:
        """Return an environment of one pile, as `gymnasium.make` made it, with NumPy's observations and rewards."""
        return resolve_name(self.unbatched)(made) if self.unbatched else made

    def make_env(self, **kwargs: Any) -> Any:
        """Make the environment; the arguments are those of its class.

        :raises InvalidArgumentError: where another simulator is installed
        :raises MissingExtraError: where none is
        :raises RendererError: where there is no Vulkan loader or driver
        """
        require_simulator(self.name, f"an environment of -{self.ids}")
        resolve_name("pickclutter_lang.envs.renderer:prepare_renderer")()  # before the class imports sapien
        return resolve_name(self.environment)(**kwargs)

    def panda_file(self) -> Path:
        """Return the robot's URDF file."""
        found = find_spec(self.package)
        assert found is not None and found.origin is not None  # it is installed
        return Path(found.origin).parent / self.panda

    def check(self) -> None:
        """Check that its packages are there.

        :raises MissingExtraError: where one is missing
        :raises InvalidArgumentError: where sapien is another one's
        """
        for package in ("sapien", self.package):
            if find_spec(package) is None:
                newest = ".".join(map(str, self.newest_python))
                raise MissingExtraError(f"{package}, only for Python 3.10 to {newest},", self.extra)
        version = installed_version("sapien") or self.sapien_version
        if version.partition(".")[0] != self.sapien_version:
            raise InvalidArgumentError(
                f"expected sapien {self.sapien_version} beside {self.package}, but got {version}; {_ONE_EACH}"
            )


def known_simulators() -> dict[str, Simulator]:
    """Return every simulator of `SIMULATORS` by its name, installed or not."""
    return {name: resolve_name(f"pickclutter_lang.envs.{name}:SIMULATOR") for name in SIMULATORS}


@lru_cache(maxsize=1)
def simulator() -> Simulator:
    """Return the simulator that is installed; nothing of it is imported.

    :raises MissingExtraError: where there is none, or its sapien is missing
    :raises InvalidArgumentError: where several are, or the sapien of another
    """
    found = _found()
    if len(found) > 1:
        packages = " and ".join(one.package for one in found)
        raise InvalidArgumentError(f"expected one simulator, but {packages} are installed; {_ONE_EACH}")
    usual = "maniskill3" if sys.version_info >= (3, 12) else "maniskill2"
    one = found[0] if found else known_simulators()[usual]
    one.check()
    return one


def _found() -> list[Simulator]:
    return [one for one in known_simulators().values() if find_spec(one.package) is not None]


def require_simulator(wanted: str, what: str) -> None:
    """Check that a simulator, one of `SIMULATORS`, is installed, which `what` needs.

    :raises InvalidArgumentError: where it is another one; errors of `simulator`
    """
    needed = known_simulators()[wanted]
    if not _found():
        needed.check()
    found = simulator()
    if found is not needed:
        raise InvalidArgumentError(f"expected {needed.title}, which {what} needs, but got {found.title}; {_ONE_EACH}")


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """The simulator of a command."""

    simulator: str | None = None
    """`maniskill2` or `maniskill3`, where another one shall be an error. null: the one that is installed."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for no simulator or one that is not installed, as `require_simulator` does."""
        if self.simulator is not None:
            one_of("simulator", self.simulator, SIMULATORS)
            require_simulator(self.simulator, f"simulator={self.simulator}")
