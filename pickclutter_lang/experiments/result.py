"""Reading and writing of `result.json`, the metrics and provenance of a finished run."""

from __future__ import annotations

import logging
import math
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError, TrackerError
from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.experiments.image_result_schema import ImageResult
from pickclutter_lang.experiments.result_schema import ResultHead, SceneResult
from pickclutter_lang.students.student import resolve_bf16
from pickclutter_lang.training.experiment import MultiPhaseExperiment
from pickclutter_lang.training.logger import open_trackers, peak_memory_mb, write_json
from pickclutter_lang.utils.json_files import check_json, flatten, read_json

log = logging.getLogger(__name__)
RESULT_FILE = "result.json"
SCHEMA = 4
_ADVICE = "delete it and run the same command again: a finished run is only evaluated"
_NOT_LOSSES = ("phase", "validation")
_SHORT = 10  # characters of a commit that are shown


def write_result(
    run: MultiPhaseExperiment,
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    evaluation_seconds: float,
    values: Mapping[str, Any],
) -> Result:
    """Write `result.json` into a run's folder and return its content.

    :param histories: phase -> a row for each epoch
    :param values: what is evaluated, `metrics` among them
    """
    config = run.config.as_dict()
    result: Result = {
        "schema": SCHEMA,
        "kind": run.kind,
        "name": run.name,
        "config": config,
        "seed": config["seed"],
        "data": run.data_provenance,
        "teacher": run.teacher_provenance,
        "precision": precision_here(config),
        "git_revision": git_revision(),
        "versions": package_versions(),
        "history": dict(histories),
        "seconds": {
            **{phase: sum(row["seconds"] for row in rows) for phase, rows in histories.items()},
            "evaluation": evaluation_seconds,
        },
        "peak_memory_mb": peak_memory_mb(),
    }
    result = without_nan(result | dict(values))
    write_json(run.folder / RESULT_FILE, result)
    _report(run, result)
    return result


def precision_here(config: Mapping[str, Any]) -> str:
    """Return in which precision this machine computes a run of some settings: `float32` or `bfloat16`."""
    return "bfloat16" if resolve_bf16(config["precision"], config["device"]) else "float32"


def _report(run: MultiPhaseExperiment, result: Result) -> None:
    """Give the metrics to the trackers; the result is there in any case."""
    try:
        with open_trackers(run.config.report_to, run.folder, result["config"]) as trackers:
            trackers.summarize(figures(result["metrics"]))
    except TrackerError as error:
        log.warning("%s", error)


def figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in nested metrics by their keys, without those of single classes."""
    return {
        key: float(value)
        for key, value in flatten(metrics).items()
        if ".classes." not in key and isinstance(value, int | float)
    }


def kind_of_result(folder: Path) -> str:
    """Return of which kind the result in a folder is: `scenes`, `images`, or `policy` of `evaluate-policy`.

    :raises CheckpointError: when there is none, or it is damaged
    """
    if not folder.is_dir():
        raise CheckpointError(f"expected a run at {folder}, but there is no such folder; give the out= of a command")
    path = folder / RESULT_FILE
    missing = f"expected the result of a run at {path}, but there is no such file; finish the run first"
    head = read_json(path, ResultHead, CheckpointError, _ADVICE, missing)
    return str(head.get("kind", "policy" if "revisions" in head else "scenes"))


def read_result(folder: Path, kind: str) -> Result:
    """Read the `result.json` of a run.

    :param kind: `scenes` or `images`
    :raises CheckpointError: when it is missing, damaged, of another schema or of the other kind
    """
    path = folder / RESULT_FILE
    missing = f"expected the result of a run at {path}, but there is no such file; finish the run first"
    head = read_json(path, ResultHead, CheckpointError, _ADVICE, missing)
    if head["schema"] != SCHEMA:
        raise CheckpointError(
            f"expected a result of schema {SCHEMA} in {path}, but got {head['schema']}; convert a run of version 0.1.0 "
            f"with pickclutter migrate {folder}, or {_ADVICE}"
        )
    if head.get("kind") != kind:
        raise CheckpointError(f"expected a result on {kind} in {path}, but it is on {head.get('kind')}")
    try:
        check_result(head, kind)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); {_ADVICE}") from error
    return dict(head)


def check_result(result: Mapping[str, Any], kind: str) -> None:
    """Check what is read of a result of the current schema.

    :param kind: `scenes` or `images`
    :raises ValueError: saying which key is wrong
    """
    if kind == "scenes":
        _check_classes(check_json(result, SceneResult)["metrics"])
    else:
        check_json(result, ImageResult)
    for phase, rows in result["history"].items():
        _check_losses(f"$.history.{phase}", rows)


def _check_classes(metrics: Mapping[str, Any]) -> None:
    """Raise ValueError unless the cells of all stages are of the same classes."""
    cells = ("id_on_id", "id_on_ood", "ood_on_ood", "all_on_ood")
    first, *others = [[list(stage[cell]["classes"]) for cell in cells] for stage in metrics.values()]
    if any(other != first for other in others):
        raise ValueError("$.metrics: expected the same classes in all stages")


def _check_losses(place: str, rows: list[Any]) -> None:
    """Raise ValueError unless all epochs of a phase have the same numbers."""
    for number, row in enumerate(rows):
        if set(row) != set(rows[0]):
            raise ValueError(f"{place}[{number}]: expected the keys of the first epoch, {', '.join(rows[0])}")
        wrong = [key for key, value in row.items() if key not in _NOT_LOSSES and not _is_number(value)]
        if wrong:
            raise ValueError(f"{place}[{number}].{wrong[0]}: expected a number or null, but got {row[wrong[0]]!r:.50}")


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def package_versions() -> dict[str, str]:
    """Return the versions of this package and of those that numbers depend on."""
    return {name: version(name) for name in ("pickclutter-lang", "torch", "numpy", "open_clip_torch")}


def git_revision() -> str | None:
    """Return the commit of the source tree (with `-dirty` after it where files were changed).

    None without git, and for an installed package, though its environment may lie in a repository.
    """
    tracked = ["git", "ls-files", "--error-unmatch", Path(__file__).name]
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        for command in (tracked, describe):
            found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def short_revision(revision: str | None) -> str:
    """Return the first characters of a commit, with its `-dirty`; nothing for None."""
    commit, dirty, _ = (revision or "").partition("-dirty")
    return commit[:_SHORT] + dirty


def without_nan(value: Any) -> Any:
    """Return nested JSON values with None for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
