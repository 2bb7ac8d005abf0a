"""`result.json`: the record of a finished run, of scenes, of single images, or of an evaluation of a policy."""

from __future__ import annotations

import json
import logging
import math
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict
from urllib.parse import unquote

from pickclutter_lang.errors import CheckpointError, TrackerError
from pickclutter_lang.students.student import resolve_bf16
from pickclutter_lang.training.experiment import MultiPhaseExperiment
from pickclutter_lang.training.logger import open_tracker, peak_memory_mb
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.reading import Text, flatten, read_json

log = logging.getLogger(__name__)
Record = dict[str, Any]
"""Content of a `result.json`."""
RESULT_FILE = "result.json"
SCHEMA: Literal[4] = 4
_ADVICE = "delete it and run the same command again: a finished run is only evaluated"
_SHORT = 10  # characters of a commit or a hash that are shown


class RecordHead(TypedDict):
    """What every record has; whatever else it has is read by `number_at`.

    - `kind`: `scenes`, `images`, `policy` (in closed loop), or `store` (a policy's scores on stored scenes)
    - `name`: the row of a table: method, name of the run, or suite
    - `config`: the settings
    - `data`: part -> what tells its content, such as `{"scenes": 500, "content": "<hash>"}`
    - `metrics`: stage -> numbers, nested, without NaN: None
    """

    schema: Literal[4]
    kind: Literal["scenes", "images", "policy", "store"]
    name: Text
    config: dict[str, Any]
    data: dict[str, Any]
    metrics: dict[str, Any]
    git_revision: str | None


class Replicate(NamedTuple):
    """What distinguishes runs of one name, in the order in which they are sorted.

    `object_split` says which objects are unseen (`paper_catalog`), `seed` is that of the training, and `draw` is the
    number of the few-shot scenes. On single images it is `data.seed` that draws which classes are unseen, and there is
    one draw of the few-shot images.
    """

    object_split: int = 0
    seed: int = 0
    draw: int = 0

    @classmethod
    def of_record(cls, record: Record) -> Replicate:
        """Return the replicate of a record."""
        split = record["config"]["data"].get("seed", 0) if record["kind"] == "images" else 0
        return cls(int(record.get("object_split", split)), int(record["seed"]), int(record.get("few_shot_draw", 0)))

    @property
    def keys_of_record(self) -> dict[str, int]:
        """The replicate as keys of a record; see `of_record`."""
        return {"object_split": self.object_split, "seed": self.seed, "few_shot_draw": self.draw}

    @property
    def folder_name(self) -> str:
        """Name of the folder of the run, such as `split1_seed0_draw2`; the first split and draw go without saying."""
        split = f"split{self.object_split}_" if self.object_split else ""
        draw = f"_draw{self.draw}" if self.draw else ""
        return f"{split}seed{self.seed}{draw}"


def write_trained(
    run: MultiPhaseExperiment,
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    evaluation_seconds: float,
    values: Mapping[str, Any],
) -> Record:
    """Write the record of a trained run into its folder, report its metrics to trackers, and return it.

    :param histories: phase -> a row for each epoch
    :param values: what is evaluated, `metrics` among them
    """
    config = run.config.as_dict()
    seconds = {phase: sum(row["seconds"] for row in rows) for phase, rows in histories.items()}
    record = write_record(
        run.folder,
        {
            "kind": run.kind,
            "name": run.name,
            "config": config,
            "seed": config["seed"],
            "data": run.data_provenance,
            "teacher": run.teacher_provenance,
            "precision": precision_here(config),
            "history": dict(histories),
            "seconds": seconds | {"evaluation": evaluation_seconds},
            "peak_memory_mb": peak_memory_mb(),
            **values,
        },
    )
    try:
        with open_tracker(run.config.report_to, run.folder, config) as tracker:
            found = {key: one for key, one in flatten(record["metrics"]).items() if ".classes." not in key}
            tracker.summarize({key: float(one) for key, one in found.items() if isinstance(one, int | float)})
    except TrackerError as error:  # the record is there in any case
        log.warning("%s", error)
    return record


def write_record(folder: Path, values: Mapping[str, Any]) -> Record:
    """Write a record with its schema, revision and versions; return it.

    :param values: the other keys of `RecordHead`, and more
    """
    head = {"schema": SCHEMA, "git_revision": git_revision(), "versions": package_versions()}
    record: Record = without_nan(head | dict(values))
    write_json(folder / RESULT_FILE, record)
    return record


def read_record(folder: Path, kind: str | None = None) -> Record:
    """Read the record of a run.

    :param kind: the kind that is expected; None: any
    :raises CheckpointError: when it is missing, damaged, of another schema or of another kind
    """
    path = folder / RESULT_FILE
    missing = f"expected the result of a run at {path}, but there is no such file; finish the run first"
    record = dict(read_json(path, RecordHead, CheckpointError, _ADVICE, missing))
    if kind is not None and record["kind"] != kind:
        raise CheckpointError(f"expected a result on {kind} in {path}, but it is on {record['kind']}")
    return record


def number_at(record: Mapping[str, Any], measure: str) -> float | None:
    """Return the number at a dotted path into the metrics, or else into the record itself; None where there is none.

    :param measure: such as `zero_shot.ood_on_ood.model.map`, names in it as of `as_key`
    :raises CheckpointError: when something else than a number is there
    """
    for start in (record["metrics"], record):
        value: Any = start
        for key in measure.split("."):
            value = value.get(unquote(key)) if isinstance(value, dict) else None
        if isinstance(value, int | float):
            return float(value)
        if value is not None:
            raise CheckpointError(f"expected a number at {measure} of a result, but got {value!r:.50}; {_ADVICE}")
    return None


def as_key(name: str) -> str:
    """Return a name as a part of a dotted path: the dot of "dr. pepper" does not divide it."""
    return name.replace("%", "%25").replace(".", "%2E")


def precision_here(config: Mapping[str, Any]) -> str:
    """Return in which precision this machine computes a run of some settings: `float32` or `bfloat16`."""
    return "bfloat16" if resolve_bf16(config["precision"], config["device"]) else "float32"


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
            shown = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return shown.stdout.strip()


def short_hash(text: str | None) -> str:
    """Return the first characters of a hash or a commit, with its `-dirty`; nothing for None."""
    commit, dirty, _ = (text or "").partition("-dirty")
    return commit[:_SHORT] + dirty


def without_nan(value: Any) -> Any:
    """Return nested JSON values with None for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_json(value: Any) -> Any:
    """Return nested values as they come back from a JSON file: tuples are lists."""
    return json.loads(json.dumps(value))
