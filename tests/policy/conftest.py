"""Fixtures that several files of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.policies import SIDE
from helpers.scene_runs import make_finished_run
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy
from pickclutter_lang.policy.runtime import StudentRuntime


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, exported after both phases."""
    root = tmp_path_factory.mktemp("policy")
    make_finished_run(root, SIDE)
    for phase in ("distill", "few_shot"):
        export_policy(PolicyExportConfig(str(root / "run"), phase, None, 1, str(root / phase)))
    return root


@pytest.fixture
def student(exported: Path) -> StudentRuntime:
    return StudentRuntime.load(exported / "few_shot")
