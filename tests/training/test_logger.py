"""What a training records: scalars for TensorBoard, also after an interruption."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.metrics import multilabel_row
from pickclutter_lang.training.batches import Batch
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.trainer import Phase, Trainer


class LinePhase(Phase):
    """Fits a line, three batches an epoch; in the epoch `stops_in` it is interrupted after the first."""

    name, selection_metric = "line", "map"

    def __init__(self, stops_in: int = 0) -> None:
        self.config = PhaseConfig(epochs=3)
        self._stops_in = stops_in

    @cached_property
    def model(self) -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Linear(1, 1)

    def batches(self, epoch: int) -> Sequence[Batch]:
        return [[(0, row)] for row in range(3)]

    def load(self, batch: Batch, epoch: int, number: int) -> Any:
        if number and epoch == self._stops_in:
            raise KeyboardInterrupt
        return torch.full((2, 1), float(number))

    def loss(self, prepared: Any, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        return (self.model(prepared) - 3 * prepared).square().mean(), {}

    def validate(self) -> dict[str, float] | None:
        return {"map": 0.5}


def interrupted(folder: Path, ahead: float) -> Trainer:
    """Interrupt a training, whose file of TensorBoard is so many seconds ahead; return the one that goes on."""
    trainers = [Trainer(phase, folder / "line") for phase in (LinePhase(2), LinePhase())]
    with pytest.raises(KeyboardInterrupt):
        trainers[0].run(folder / "tensorboard")
    [path] = (folder / "tensorboard").iterdir()
    path.rename(path.with_name(f"events.out.tfevents.{time.time() + ahead:010.0f}.zzz"))  # of a host of that name
    assert trainers[1].resume()
    return trainers[1]


@pytest.mark.parametrize("ahead", [0, 1])
def test_tensorboard_has_every_step_and_every_validation_once_after_an_interruption(tmp_path: Path, ahead: int) -> None:
    interrupted(tmp_path, ahead).run(tmp_path / "tensorboard")
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in found.Scalars("train/loss")] == [*range(9)]
    assert [event.step for event in found.Scalars("validation/map")] == [2, 5, 8]


def test_a_clock_that_was_set_back_is_named_and_not_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(tmp_path, 3600).run(tmp_path / "tensorboard")
    assert "the clock is 36" in caplog.text and str(tmp_path / "tensorboard") in caplog.text


@pytest.mark.parametrize(("rate", "key"), [(1e30, ""), (0.1, ""), (1e30, "few_shot.lr")])
def test_a_training_that_diverges_says_which_key_to_lower(tmp_path: Path, rate: float, key: str) -> None:
    phase = LinePhase()
    phase.rate_key = key
    phase.config.lr = rate
    if rate < 1:  # its weights are finite, its scores are not
        nothing = torch.full((2, 1), float("nan"))
        phase.validate = lambda: multilabel_row(nothing, nothing.bool())  # type: ignore[method-assign]
    with pytest.raises(InvalidArgumentError, match=f"lower {key or 'line.lr'}, now"):
        Trainer(phase, tmp_path / "line").run(tmp_path / "tensorboard")
