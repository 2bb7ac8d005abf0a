"""What a training writes as it goes: a progress bar, TensorBoard, JSON lines, and trackers such as Weights & Biases.

W&B takes its own environment variables, such as `WANDB_MODE=offline` and `WANDB_PROJECT`. The folder of a run stays one
run of a tracker, also when it is resumed or evaluated again.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Protocol, TypedDict
from uuid import uuid4

from msgspec import Meta

from pickclutter_lang.errors import CheckpointError, TrackerError
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.plugins import is_plugin, resolve
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.reading import read_json
from pickclutter_lang.utils.validation import one_of

log = logging.getLogger(__name__)
RUNS_FILE = "trackers.json"
PROJECT = "pickclutter-lang"
"""Project of W&B, where `WANDB_PROJECT` names no other."""


class Tracker(Protocol):
    """Where scalars of a run go."""

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars of a step of a phase."""

    def summarize(self, scalars: Mapping[str, float]) -> None:
        """Write the results of the run."""

    def close(self, finished: bool) -> None:
        """Write what is left; `finished` is false where the run was interrupted."""


class _Wandb:
    """A run of Weights & Biases; the steps of each phase are an axis of its own."""

    def __init__(self, run_id: str, name: str, settings: Mapping[str, Any]) -> None:
        import wandb

        project, quiet = os.environ.get("WANDB_PROJECT", PROJECT), wandb.Settings(console="off", silent=True)
        self._run = wandb.init(
            project=project, id=run_id, name=name, resume="allow", config=dict(settings), settings=quiet
        )
        self._phases: set[str] = set()

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        if phase not in self._phases:
            self._run.define_metric(f"{phase}/*", step_metric=f"{phase}/step")
            self._phases.add(phase)
        self._run.log({f"{phase}/step": step, **{f"{phase}/{name}": value for name, value in scalars.items()}})

    def summarize(self, scalars: Mapping[str, float]) -> None:
        self._run.summary.update(dict(scalars))

    def close(self, finished: bool) -> None:
        self._run.finish(exit_code=0 if finished else 1)


class TrackerGroup:
    """The trackers of a run by name. One that fails on the way is named and left out, and the run goes on."""

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self._trackers = dict(trackers)

    def tell(self, call: Callable[[Tracker], object]) -> None:
        """Call a method of each."""
        for name, tracker in [*self._trackers.items()]:
            try:
                call(tracker)
            except Exception as error:  # of any library: a lost network shall not end a training
                log.warning("%s takes no more of this run (%s: %s)", name, type(error).__name__, error)
                del self._trackers[name]


NO_TRACKERS = TrackerGroup({})


def check_report_to(names: Sequence[str]) -> None:
    """Check the names of trackers: `wandb`, or `module:attribute`.

    :raises InvalidArgumentError: for another one
    :raises TrackerError: for one that is not installed
    """
    for name in names:
        if not is_plugin(name):
            one_of("report_to", name, ["wandb"])
            if find_spec("wandb") is None:
                raise TrackerError("wandb is not installed; run: pip install wandb, or choose report_to=[]")


@contextmanager
def open_trackers(names: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> Iterator[TrackerGroup]:
    """Open the trackers of the run in a folder, and close them at the end; ranks above 0 have none.

    :param names: see `check_report_to`
    :param folder: of the run; its name is that of the run, and its `trackers.json` names the run for good
    :param settings: nested values, written when the run is new
    :raises TrackerError: when one cannot be opened
    """
    if not names or not is_main():
        yield NO_TRACKERS
        return
    check_report_to(names)
    path, trackers = folder / RUNS_FILE, {}
    if not path.exists():
        write_json(path, {"run_id": uuid4().hex[:16]})
    run_id = read_json(path, _Runs, CheckpointError, "delete it: the trackers begin a new run")["run_id"]
    for name in names:
        make = resolve(name, "report_to") if is_plugin(name) else _Wandb
        try:
            trackers[name] = make(run_id, folder.resolve().name, settings)
        except Exception as error:  # its client raises errors of several libraries
            TrackerGroup(trackers).tell(lambda tracker: tracker.close(finished=False))
            raise TrackerError(
                f"cannot open this run in {name} ({' '.join(str(error).split())[:200]}); log in or set its address, "
                "work offline, such as by WANDB_MODE=offline, or choose report_to=[]"
            ) from error
    group, finished = TrackerGroup(trackers), False
    try:
        yield group
        finished = True
    finally:
        group.tell(lambda tracker: tracker.close(finished))


class _Runs(TypedDict):
    """Content of `trackers.json`."""

    run_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]


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
        from torch.utils.tensorboard import SummaryWriter  # what settings import need not wait for these

        from pickclutter_lang.utils.progress import ProgressBar

        self._writer = SummaryWriter(str(folder), purge_step=done_steps) if is_main() else None
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
            named = {f"{group}/{name}": value for name, value in scalars.items()}
            self._trackers.tell(lambda tracker: tracker.log(self._phase, step, named))


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
