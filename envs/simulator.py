"""Which simulator is installed: ManiSkill2 on SAPIEN 2, or ManiSkill 3 on SAPIEN 3.

Both SAPIENs are called `sapien`, so that one environment of Python has one of them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.utils.plugins import installed_version
from pickclutter_lang.utils.validation import one_of


class Simulator(NamedTuple):
    """A simulator: name, package, major version of its sapien, extra that installs it, version of its ids.

    `panda` is where the package has the robot, `newest_python` the last that it has wheels for.
    """

    title: str
    package: str
    sapien: str
    extra: str
    ids: str
    panda: str
    newest_python: tuple[int, int]


SIMULATORS = {
    "maniskill2": Simulator(
        "ManiSkill2", "mani_skill2", "2", "sim", "v0", "assets/descriptions/panda_v2.urdf", (3, 11)
    ),
    "maniskill3": Simulator(
        "ManiSkill 3", "mani_skill", "3", "sim3", "v3", "assets/robots/panda/panda_v2.urdf", (3, 12)
    ),
}
_ONE_EACH = (
    "both never share an environment of Python, so make one for each: pip install -e '.[sim]' (ManiSkill2) or "
    "'.[sim3]' (ManiSkill 3)"
)


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """The simulator of a command."""

    simulator: str | None = None
    """`maniskill2` or `maniskill3`, where another one shall be an error. null: the one that is installed."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for no simulator or one that is not installed, as `require_simulator` does."""
        if self.simulator is not None:
            one_of("simulator", self.simulator, tuple(SIMULATORS))
            require_simulator(self.simulator, f"simulator={self.simulator}")


@lru_cache(maxsize=1)
def installed_simulator() -> str:
    """Return the name of the simulator that is installed, one of `SIMULATORS`; nothing of it is imported.

    :raises MissingExtraError: where there is none, or its sapien is missing
    :raises InvalidArgumentError: where both are, or the sapien of the other
    """
    found = _found()
    if len(found) > 1:
        raise InvalidArgumentError(f"expected one simulator, but mani_skill2 and mani_skill are installed; {_ONE_EACH}")
    _check(found[0] if found else "maniskill3" if sys.version_info >= (3, 12) else "maniskill2")
    return found[0]


def _found() -> list[str]:
    return [name for name, one in SIMULATORS.items() if find_spec(one.package) is not None]


def _check(name: str) -> None:
    """Check that the packages of a simulator are there."""
    simulator = SIMULATORS[name]
    for package in ("sapien", simulator.package):
        if find_spec(package) is None:
            newest = ".".join(map(str, simulator.newest_python))
            raise MissingExtraError(f"{package}, only for Python 3.10 to {newest},", simulator.extra)
    version = installed_version("sapien") or simulator.sapien
    if version.partition(".")[0] != simulator.sapien:
        raise InvalidArgumentError(
            f"expected sapien {simulator.sapien} beside {simulator.package}, but got {version}; {_ONE_EACH}"
        )


def require_simulator(wanted: str, what: str) -> None:
    """Check that a simulator, one of `SIMULATORS`, is installed, which `what` needs.

    :raises InvalidArgumentError: where it is the other one; errors of `installed_simulator`
    """
    if not _found():
        _check(wanted)
    if (found := installed_simulator()) != wanted:
        titles = SIMULATORS[wanted].title, SIMULATORS[found].title
        raise InvalidArgumentError(f"expected {titles[0]}, which {what} needs, but got {titles[1]}; {_ONE_EACH}")


def panda_file() -> Path:
    """Return the robot's URDF file."""
    simulator = SIMULATORS[installed_simulator()]
    found = find_spec(simulator.package)
    assert found is not None and found.origin is not None  # it is installed
    return Path(found.origin).parent / simulator.panda
