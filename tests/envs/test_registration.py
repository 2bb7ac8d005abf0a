"""Registration of the environments, without the simulator and by each way to make one."""

from __future__ import annotations

import pytest

from helpers.environments import in_new_process
from pickclutter_lang.envs.maniskill3 import make_env
from pickclutter_lang.envs.registration import OBJECTS
from pickclutter_lang.errors import InvalidArgumentError

pytestmark = pytest.mark.sim


IDS = [f"PickClutterLang/{name}-v0" for name in OBJECTS]


def test_importing_envs_registers_the_ids_without_the_simulator() -> None:
    child = in_new_process(
        "import warnings; warnings.simplefilter('error')\nimport sys, gymnasium\n"
        f"assert not set({IDS}) & set(gymnasium.registry)\n"
        "import pickclutter_lang.envs\n"
        f"assert set({IDS}) <= set(gymnasium.registry)\n"
        "assert not {'sapien', 'mani_skill2', 'torch'} & set(sys.modules)\n"
        "assert gymnasium.spec('PickClutterLang/YCB-v0').max_episode_steps == 200"
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("missing", "version", "extra"),
    [("sapien", "v0", "[sim]"), ("mani_skill2", "v0", "[sim]"), ("mani_skill2", "v3", "[sim3]")],
)
def test_making_it_without_the_simulator_names_the_extra(missing: str, version: str, extra: str) -> None:
    child = in_new_process(
        f"import sys, gymnasium; sys.modules[{missing!r}] = None\n"
        f"gymnasium.make('pickclutter_lang.envs:PickClutterLang/Proxy-{version}')",
    )
    last = child.stderr.strip().splitlines()[-1]
    assert "MissingExtraError" in last and extra in last


def test_making_that_of_the_other_simulator_names_both() -> None:
    with pytest.raises(InvalidArgumentError, match="-v3"):
        make_env()
