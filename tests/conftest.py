"""Fixtures: object sets, and a scene maker that a whole test process shares."""

import faulthandler
import os
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.paths import scanned_objects
from pickclutter_lang.objects.object_sets import ObjectSet, load_object_set

if TYPE_CHECKING:
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # started in the background: tests interrupt processes
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.fsync = lambda fd: None  # no test cuts the power, and thousands of files would wait for the disk


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of many slow tests first, so that no worker is at one of them when the others have ended."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_sessionfinish() -> None:
    """Let a process that lives on long after its tests say where it is, and end."""
    faulthandler.dump_traceback_later(600, exit=True)


@pytest.fixture(scope="session")
def ycb_root() -> Path:
    """The real YCB objects in ManiSkill2's layout, which are not part of the project."""
    return scanned_objects() or pytest.skip("no real YCB objects: set PICKCLUTTER_YCB or MS2_ASSET_DIR")


@pytest.fixture(scope="session")
def procedural() -> ObjectSet:
    return load_object_set("proxy")


@pytest.fixture(scope="session")
def scene_generator(procedural: ObjectSet) -> "SceneGenerator":
    from pickclutter_lang.envs.generation.pile_sampling import PileConfig
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    return SceneGenerator(procedural, PileConfig(cameras=("hand", "base"), image_size=96))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, its policies after both phases, its scenes and its teacher."""
    from helpers.policies import SIDE
    from helpers.scene_runs import LEARNER, make_finished_run
    from pickclutter_lang.policy_making.config import PolicyExportConfig
    from pickclutter_lang.policy_making.export_policy import export_policy

    root = tmp_path_factory.mktemp("policy")
    make_finished_run(root, SIDE, LEARNER)
    for phase in ("distill", "few_shot"):
        export_policy(PolicyExportConfig(str(root / "run"), phase, None, 1, str(root / phase)))
    return root
