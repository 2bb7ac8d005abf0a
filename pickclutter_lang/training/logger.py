"""Logging of a training run: progress bar, TensorBoard, further trackers, JSON lines."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from pickclutter_lang.training.trackers import NO_TRACKERS, TrackerGroup
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.ranks import is_main


class TrainingLogger:
    """Shows the progress of one phase with its ETA and writes scalars for TensorBoard and further trackers.

    On ranks above 0 it writes nothing.
    """

    def __init__(
        self,
        title: str,
        folder: Path,
        total_steps: int,
        done_steps: int,
        phase: str = "training",
        trackers: TrackerGroup = NO_TRACKERS,
    ) -> None:
        """Start at a step, which is above 0 after a resume; TensorBoard then forgets what came after it.

        :param folder: for TensorBoard
        :param phase: its name for the trackers
        """
        self._phase, self._trackers = phase, trackers
        from torch.utils.tensorboard import SummaryWriter  # takes half a second, and only trainings write

        self._writer = SummaryWriter(str(folder), purge_step=done_steps) if is_main() else None
        self._bar = ProgressBar(title, total_steps, done_steps)

    def __enter__(self) -> TrainingLogger:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)
        if self._writer is not None:
            self._writer.close()

    def step(self, number: int, scalars: Mapping[str, float]) -> None:
        """Count a step and write its scalars."""
        self._bar.advance()
        self._write("train", number, scalars)

    def epoch(self, step: int, row: Mapping[str, Any]) -> None:
        """Show an epoch's metrics next to the bar and write those of the validation.

        :param step: the epoch's last one; a later one would be forgotten when the next epoch is resumed
        """
        validation = row.get("validation", {})
        figures = " ".join(f"{key} {validation[key]:.3f}" for key in ("map", "f1") if key in validation)
        self._bar.note(f"loss {row['loss']:.3f} {figures}")
        self._write("validation", step, validation)
        if self._writer is not None:
            self._writer.flush()

    def _write(self, group: str, step: int, scalars: Mapping[str, float]) -> None:
        if self._writer is None:
            return
        for name, value in scalars.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
        if scalars:
            self._trackers.log(self._phase, step, {f"{group}/{name}": value for name, value in scalars.items()})


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON lines atomically."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def peak_memory_mb() -> float:
    """Return the largest resident size of this process so far, in MB.

    Linux carries `ru_maxrss` over from the process that started this one, however large that is; `VmHWM` does not.
    """
    try:
        rows = Path("/proc/self/status").read_text().splitlines()
        return next(int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM"))
    except (OSError, StopIteration):
        usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return usage / (1024**2 if sys.platform == "darwin" else 1024)
