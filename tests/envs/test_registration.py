"""Registration of the environments, without the simulator and by each way to make one."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.environments import PROXY, in_new_process
from pickclutter_lang.envs.registration import ENVIRONMENTS

pytestmark = pytest.mark.sim


def test_importing_envs_registers_the_ids_without_the_simulator() -> None:
    child = in_new_process(
        "import warnings; warnings.simplefilter('error')\nimport sys, gymnasium\n"
        f"assert not set({list(ENVIRONMENTS)}) & set(gymnasium.registry)\n"
        "import pickclutter_lang.envs\n"
        f"assert set({list(ENVIRONMENTS)}) <= set(gymnasium.registry)\n"
        "assert not {'sapien', 'mani_skill2', 'torch'} & set(sys.modules)\n"
        "assert gymnasium.spec('PickClutterLang/YCB-v0').max_episode_steps == 200"
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


@pytest.mark.parametrize("missing", ["sapien", "mani_skill2"])
def test_making_it_without_the_simulator_names_the_extra(missing: Any) -> None:
    child = in_new_process(
        f"import sys, gymnasium; sys.modules[{missing!r}] = None; gymnasium.make('pickclutter_lang.envs:{PROXY}')",
    )
    last = child.stderr.strip().splitlines()[-1]
    assert "MissingExtraError" in last and missing in last and "-e '.[sim]'" in last


def test_making_it_by_the_module_prefix() -> None:
    child = in_new_process(
        f"import gymnasium; env = gymnasium.make('pickclutter_lang.envs:{PROXY}', obs_mode='state')\n"
        "print(env.reset(seed=0)[1]['instruction'])"
    )
    assert child.returncode == 0 and child.stdout.strip(), child.stderr


def test_without_gymnasium_the_import_works_and_registering_names_the_extra() -> None:
    child = in_new_process(
        "import sys; sys.modules['gymnasium'] = None; import pickclutter_lang.envs\nprint('imported', flush=True)\n"
        "pickclutter_lang.envs.register()"
    )
    last = child.stderr.strip().splitlines()[-1]
    assert child.stdout == "imported\n"
    assert "MissingExtraError: gymnasium is not installed" in last and "-e '.[sim]'" in last
