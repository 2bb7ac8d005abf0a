"""Trackers of experiments beside TensorBoard: Weights & Biases and MLflow, behind one small protocol.

Each takes its own environment variables, such as `WANDB_MODE=offline`, `WANDB_PROJECT` and `MLFLOW_TRACKING_URI`.
A folder of a run stays one run of a tracker, also when it is resumed or evaluated again.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Protocol, TypedDict
from uuid import uuid4

from msgspec import Meta

from pickclutter_lang.errors import CheckpointError, MissingExtraError, TrackerError
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.nested import flatten
from pickclutter_lang.utils.plugins import is_plugin, resolve
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.validation import one_of

log = logging.getLogger(__name__)
RUNS_FILE = "trackers.json"
PROJECT = "pickclutter-lang"
"""Project of W&B, or experiment of MLflow, where their environment variables name no other."""
_TAG = "pickclutter_run"
_BATCH, _MOST_PARAMS, _LONGEST = 200, 100, 500
"""Values and settings that MLflow gets in one request, and characters of a setting."""


class Tracker(Protocol):
    """Where scalars of a run go."""

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars of a step of a phase."""

    def summarize(self, scalars: Mapping[str, float]) -> None:
        """Write the results of the run."""

    def close(self, finished: bool) -> None:
        """Write what is left; `finished` is false where the run was interrupted."""


class WandbTracker:
    """A run of Weights & Biases; the steps of each phase are an axis of its own."""

    def __init__(self, run_id: str, name: str, settings: Mapping[str, Any]) -> None:
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run_id,
            name=name,
            resume="allow",
            config=dict(settings),
            settings=wandb.Settings(console="off", silent=True),
        )
        self._phases: set[str] = set()

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars of a step of a phase."""
        if phase not in self._phases:
            self._run.define_metric(f"{phase}/*", step_metric=f"{phase}/step")
            self._phases.add(phase)
        self._run.log({f"{phase}/step": step, **{f"{phase}/{name}": value for name, value in scalars.items()}})

    def summarize(self, scalars: Mapping[str, float]) -> None:
        """Write the results of the run."""
        self._run.summary.update(dict(scalars))

    def close(self, finished: bool) -> None:
        """End the run on this side."""
        self._run.finish(exit_code=0 if finished else 1)


class MlflowTracker:
    """A run of MLflow, in the experiment of `MLFLOW_EXPERIMENT_NAME`."""

    def __init__(self, run_id: str, name: str, settings: Mapping[str, Any]) -> None:
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        self._client, self._metric = MlflowClient(), Metric
        self._rows: list[Any] = []
        experiment = self._experiment()
        found = self._client.search_runs([experiment], f"tags.{_TAG} = '{run_id}'", max_results=1)
        run = found[0] if found else self._client.create_run(experiment, tags={_TAG: run_id}, run_name=name)
        self._id = run.info.run_id
        if found:
            self._client.update_run(self._id, "RUNNING")
        params = [Param(key, str(value)[:_LONGEST]) for key, value in flatten(settings).items()]
        params = [param for param in params if param.key not in run.data.params]  # a start may have stopped here
        for first in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._id, params=params[first : first + _MOST_PARAMS])

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Keep the scalars of a step of a phase, and write them in batches."""
        now = int(1000 * time.time())
        self._rows += [self._metric(f"{phase}/{name}", value, now, step) for name, value in scalars.items()]
        if len(self._rows) >= _BATCH:
            self._flush()

    def summarize(self, scalars: Mapping[str, float]) -> None:
        """Write the results of the run."""
        now = int(1000 * time.time())
        self._rows += [self._metric(name, value, now, 0) for name, value in scalars.items()]
        self._flush()

    def close(self, finished: bool) -> None:
        """Write what is left, and end the run."""
        self._flush()
        self._client.set_terminated(self._id, "FINISHED" if finished else "KILLED")

    def _flush(self) -> None:
        while self._rows:
            batch, self._rows = self._rows[:_BATCH], self._rows[_BATCH:]
            self._client.log_batch(self._id, metrics=batch)


_PACKAGES: Mapping[str, tuple[str, Callable[[str, str, Mapping[str, Any]], Tracker]]] = {
    "mlflow": ("mlflow", MlflowTracker),
    "wandb": ("wandb", WandbTracker),
}
"""Name -> package and class."""


class TrackerGroup:
    """The trackers of a run by name. One that fails on the way is named and left out, and the run goes on."""

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self._trackers = dict(trackers)

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Write the scalars of a step of a phase."""
        self._call_each(lambda tracker: tracker.log(phase, step, scalars))

    def summarize(self, scalars: Mapping[str, float]) -> None:
        """Write the results of the run."""
        self._call_each(lambda tracker: tracker.summarize(scalars))

    def close(self, finished: bool) -> None:
        """Write what is left."""
        self._call_each(lambda tracker: tracker.close(finished))

    def _call_each(self, call: Callable[[Tracker], object]) -> None:
        for name, tracker in [*self._trackers.items()]:
            try:
                call(tracker)
            except Exception as error:  # of any library: a lost network shall not end a training
                log.warning("%s takes no more of this run (%s: %s)", name, type(error).__name__, error)
                del self._trackers[name]


NO_TRACKERS = TrackerGroup({})


def check_report_to(names: Sequence[str]) -> None:
    """Check the names of trackers: `mlflow`, `wandb`, or `module:attribute`.

    :raises InvalidArgumentError: for another one
    :raises MissingExtraError: for one that is not installed
    """
    for name in names:
        if not is_plugin(name):
            one_of("report_to", name, sorted(_PACKAGES))
            package = _PACKAGES[name][0]
            if find_spec(package) is None:
                raise MissingExtraError(package, package)


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
    run_id, trackers = _run_id(folder), {}
    for name in names:
        make = resolve(name, "report_to") if is_plugin(name) else _PACKAGES[name][1]
        try:
            trackers[name] = make(run_id, folder.resolve().name, settings)
        except Exception as error:  # its client raises errors of several libraries
            TrackerGroup(trackers).close(finished=False)
            raise TrackerError(
                f"cannot open this run in {name} ({' '.join(str(error).split())[:200]}); log in or set its address, "
                "work offline, such as by WANDB_MODE=offline, or choose report_to=[]"
            ) from error
    group = TrackerGroup(trackers)
    try:
        yield group
    except BaseException:
        group.close(finished=False)
        raise
    group.close(finished=True)


class _Runs(TypedDict):
    """Content of `trackers.json`."""

    run_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]


def _run_id(folder: Path) -> str:
    """Return the id of the run in a folder, which is drawn at its first use."""
    path = folder / RUNS_FILE
    if path.exists():
        return read_json(path, _Runs, CheckpointError, "delete it: the trackers begin a new run")["run_id"]
    run_id = uuid4().hex[:16]
    write_text(path, json.dumps({"run_id": run_id}) + "\n")
    return run_id
