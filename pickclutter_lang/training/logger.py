"""What a training writes as it goes: a progress bar, TensorBoard, and Weights & Biases.

W&B takes its own environment variables, such as `WANDB_MODE=offline` and `WANDB_PROJECT`. The folder of a run stays one
run of a tracker, also when it is resumed or evaluated again.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, TypedDict
from uuid import uuid4

from msgspec import Meta

from pickclutter_lang.errors import CheckpointError, TrackerError
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.reading import read_json
from pickclutter_lang.utils.validation import one_of

log = logging.getLogger(__name__)
RUNS_FILE = "trackers.json"
PROJECT = "pickclutter-lang"
"""Project of W&B, where `WANDB_PROJECT` names no other."""


class Tracker:
    """A run of Weights & Biases, or none. A client that fails on the way is named, and the training goes on."""

    def __init__(self, run: Any = None) -> None:
        """Take the client's run."""
        self._run, self._phases = run, set[str]()

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars of a step of a phase; the steps of each phase are an axis of its own."""
        if phase not in self._phases:
            self._phases.add(phase)
            self._tell(lambda run: run.define_metric(f"{phase}/*", step_metric=f"{phase}/step"))
        named = {f"{phase}/{name}": value for name, value in scalars.items()}
        self._tell(lambda run: run.log({f"{phase}/step": step, **named}))

    def summarize(self, scalars: Mapping[str, float]) -> None:
        """Write the results of the run."""
        self._tell(lambda run: run.summary.update(dict(scalars)))

    def close(self, finished: bool) -> None:
        """Write what is left; `finished` is false where the run was interrupted."""
        self._tell(lambda run: run.finish(exit_code=0 if finished else 1))

    def _tell(self, call: Callable[[Any], object]) -> None:
        if self._run is not None:
            try:
                call(self._run)
            except Exception as error:  # of any library: a lost network shall not end a training
                log.warning("wandb takes no more of this run (%s: %s)", type(error).__name__, error)
                self._run = None


def check_report_to(names: Sequence[str]) -> None:
    """Check the names of trackers: only `wandb`.

    :raises InvalidArgumentError: for another one
    :raises TrackerError: when it is not installed
    """
    for name in names:
        one_of("report_to", name, ["wandb"])
        if find_spec("wandb") is None:
            raise TrackerError("wandb is not installed; run: pip install wandb, or choose report_to=[]")


@contextmanager
def open_tracker(names: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> Iterator[Tracker]:
    """Open the tracker of the run in a folder, and close it at the end; ranks above 0 have none.

    :param names: see `check_report_to`
    :param folder: of the run; its name is that of the run, and its `trackers.json` names the run for good
    :param settings: nested values, written when the run is new
    :raises TrackerError: when it cannot be opened
    """
    if not names or not is_main():
        yield Tracker()
        return
    check_report_to(names)
    import wandb

    path = folder / RUNS_FILE
    if not path.exists():
        write_json(path, {"run_id": uuid4().hex[:16]})
    run_id = read_json(path, _Runs, CheckpointError, "delete it: the tracker begins a new run")["run_id"]
    try:
        tracker = Tracker(
            wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT), id=run_id, name=folder.resolve().name,
                resume="allow", config=dict(settings), settings=wandb.Settings(console="off", silent=True),
            )
        )  # fmt: skip
    except Exception as error:  # its client raises errors of several libraries
        raise TrackerError(
            f"cannot open this run in wandb ({' '.join(str(error).split())[:200]}); log in or set its address, "
            "work offline, such as by WANDB_MODE=offline, or choose report_to=[]"
        ) from error
    finished = False
    try:
        yield tracker
        finished = True
    finally:
        tracker.close(finished)


class _Runs(TypedDict):
    """Content of `trackers.json`."""

    run_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]


class TrainingLogger:
    """Shows the progress of one phase with its ETA and writes scalars for TensorBoard and a tracker.

    On ranks above 0 it writes nothing.
    """

    def __init__(
        self, title: str, folder: Path, total_steps: int, done_steps: int, phase: str, tracker: Tracker
    ) -> None:
        """Start at a step, which is above 0 after a resume; TensorBoard then forgets what came after it.

        :param folder: for TensorBoard
        :param phase: its name for the tracker
        """
        self._phase, self._tracker = phase, tracker
        from torch.utils.tensorboard import SummaryWriter  # what settings import need not wait for these

        from pickclutter_lang.utils.progress import ProgressBar

        self._writer = None
        if is_main():
            _wait_for_the_last_name(folder)
            self._writer = SummaryWriter(str(folder), purge_step=done_steps)
        self._bar = ProgressBar(title, total_steps, done_steps)

    def __enter__(self) -> TrainingLogger:
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__()
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
            self._tracker.log(self._phase, step, {f"{group}/{name}": value for name, value in scalars.items()})


def _wait_for_the_last_name(folder: Path) -> None:
    """Wait until a new file of TensorBoard is the last one of a folder by name, so for a second at most.

    TensorBoard reads the files of a folder in the order of their names. A name begins with the second at which its file
    was opened. A file that is read too late purges the steps of the others. A clock that was set back by more than a
    minute is not waited for.
    """
    names = folder.glob(f"events.out.tfevents.{'[0-9]' * 10}.*")
    ahead = max((int(path.name.split(".")[3]) + 1 - time.time() for path in names), default=0.0)
    if ahead > 60:
        log.warning(
            "TensorBoard may leave out steps: the clock is %.0f s behind the newest file in %s; expected a later time. "
            "Set the clock, or move that file away",
            ahead,
            folder,
        )
    else:
        time.sleep(max(0.0, ahead))


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
