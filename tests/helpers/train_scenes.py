"""Trains a run on scenes without the evaluation and the report of its command; as a program, of its arguments."""

from __future__ import annotations

import sys

from helpers.scene_runs import config
from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.experiments.scenes.scene_run import SceneRun

if __name__ == "__main__":
    with exit_status():
        SceneRun.open(config(*sys.argv[1:])).train()
