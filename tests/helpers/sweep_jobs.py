"""Jobs of a sweep that runs a script instead of trainings; imported in processes that load no teacher."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.sweep import Job


def compose_run(overrides: list[str]) -> TrainConfig:
    return compose_config(TrainConfig, "train_affordance", overrides)


def make_jobs(out: Path, methods: list[str]) -> list[Job]:
    config = compose_run([])
    return [
        Job(f"{name}/seed0", out / name, [f"method={name.rstrip('2')}", f'out="{out / name}"'], config)
        for name in methods
    ]
