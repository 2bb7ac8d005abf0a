"""Which simulator is installed: ManiSkill2 on SAPIEN 2, or ManiSkill 3 on SAPIEN 3.

Both SAPIENs are called `sapien`, so that one environment of Python has one of them.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.utils.plugins import installed_version


class Simulator(NamedTuple):
    """A simulator: its package, the major version of its sapien, the extra that installs it, the version of its ids.

    `panda` is where the package has the robot, `newest_python` the last that it has wheels for.
    """

    package: str
    sapien: str
    extra: str
    ids: str
    panda: str
    newest_python: tuple[int, int]


SIMULATORS = {
    "maniskill2": Simulator("mani_skill2", "2", "sim", "v0", "assets/descriptions/panda_v2.urdf", (3, 11)),
    "maniskill3": Simulator("mani_skill", "3", "sim3", "v3", "assets/robots/panda/panda_v2.urdf", (3, 12)),
}
_ONE_EACH = "make an environment of Python for each: pip install -e '.[sim]' (ManiSkill2) or '.[sim3]' (ManiSkill 3)"


@lru_cache(maxsize=1)
def installed_simulator() -> str:
    """Return the name of the simulator that is installed, one of `SIMULATORS`; nothing of it is imported.

    :raises MissingExtraError: where there is none, or its sapien is missing
    :raises InvalidArgumentError: where both are, or the sapien of the other
    """
    found = [name for name, one in SIMULATORS.items() if find_spec(one.package) is not None]
    if len(found) > 1:
        raise InvalidArgumentError(f"expected one simulator, but mani_skill2 and mani_skill are installed; {_ONE_EACH}")
    newer = sys.version_info >= (3, 12)
    simulator = SIMULATORS[found[0] if found else "maniskill3" if newer else "maniskill2"]
    for package in ("sapien", simulator.package):
        if find_spec(package) is None:
            newest = ".".join(map(str, simulator.newest_python))
            raise MissingExtraError(f"{package}, for Python 3.10 to {newest} alone,", simulator.extra)
    version = installed_version("sapien") or simulator.sapien
    if version.partition(".")[0] != simulator.sapien:
        raise InvalidArgumentError(
            f"expected sapien {simulator.sapien} beside {simulator.package}, but got {version}; {_ONE_EACH}"
        )
    return found[0]


def require_maniskill2(what: str) -> None:
    """Check that the simulator is ManiSkill2, which `what` needs.

    :raises InvalidArgumentError: where it is ManiSkill 3; errors of `installed_simulator`
    """
    if installed_simulator() != "maniskill2":
        raise InvalidArgumentError(f"expected ManiSkill2, which {what} needs, but got ManiSkill 3; {_ONE_EACH}")


def panda_file() -> Path:
    """Return the robot's URDF file."""
    simulator = SIMULATORS[installed_simulator()]
    found = find_spec(simulator.package)
    assert found is not None and found.origin is not None  # it is installed
    return Path(found.origin).parent / simulator.panda
