"""Learning rates over the steps of a training."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.trainer import build_schedule

HALF_COSINE = [0.5 * (1 + math.cos(math.pi * step / 6)) for step in range(6)]


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        ({"schedule": "multistep", "milestones": [1, 2], "gamma": 0.5}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]),
        ({"schedule": "cosine", "warmup_fraction": 1 / 3}, [1 / 3, 2 / 3, 1, *HALF_COSINE]),
    ],
)
def test_rates_are_those_of_the_schedule(settings: dict[str, Any], factors: list[float]) -> None:
    config = PhaseConfig(lr=0.1, epochs=3, **settings)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=config.lr)
    schedule = build_schedule(optimizer, config, epoch_steps=3)
    for factor in factors:
        assert schedule.get_last_lr() == pytest.approx([config.lr * factor])
        optimizer.step()
        schedule.step()
