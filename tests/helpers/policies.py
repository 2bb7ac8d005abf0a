"""A run and its exported policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers.scene_runs import SMALL, config
from pickclutter_lang.experiments.scenes.scene_run import SceneRun

SIDE = 48  # of the images; the student sees them at 32 pixels


def opened(exported: Path, phase: str) -> SceneRun:
    """The run again, with the weights of a phase."""
    overrides = [f"scenes={exported / 'scenes'}", f"teacher.checkpoint={exported / 'teacher'}", *SMALL]
    run = SceneRun.open(config(*overrides, f"out={exported / 'run'}", "distill.epochs=1", "few_shot.epochs=1"))
    run.load_weights(phase)
    return run


def changed(exported: Path, part: str, **values: Any) -> bytes:
    """The configuration of a policy with other values in one part; None: without the key."""
    content = json.loads((exported / "few_shot" / "policy.json").read_text())
    left_out = [key for key, value in values.items() if value is None]
    content[part] = {key: value for key, value in (content[part] | values).items() if key not in left_out}
    return json.dumps(content).encode()
