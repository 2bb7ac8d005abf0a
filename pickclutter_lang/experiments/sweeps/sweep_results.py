"""The finished runs of a grid of methods and seeds, and whether they may stand in one table."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.scenes.result import RESULT_FILE
from pickclutter_lang.experiments.scenes.result_table import STAGE_TITLES
from pickclutter_lang.experiments.scenes.scene_report import load_result
from pickclutter_lang.training.checkpoint import describe_differences
from pickclutter_lang.utils.statistics import Estimate, estimate

METHODS = {
    "closed_set": "Closed-Set",
    "cls": "L_cls",
    "cls_imcst": "+ L_im-cst",
    "cls_imcst_semantic": "+ Semantic Enrich",
}
"""Method -> its row of Table 12, in the paper's order."""

_MACHINE_KEYS = ("out", "num_threads", "device", "num_workers", "scenes", "seed")
_STORES = ("train", "id", "ood", "fewshot", "scene_subsets", "max_cache_bytes")
_BUDGET = ("epochs", "batch_size", "repeats", "image_size_schedule", "optimizer", "schedule")

Result = dict[str, Any]


@dataclass(frozen=True)
class SweepResults:
    """Method -> seed -> `result.json`, methods in the order of the table."""

    runs: Mapping[str, Mapping[int, Result]]

    @property
    def first(self) -> Result:
        """Any result, for what all of them share."""
        return next(iter(next(iter(self.runs.values())).values()))

    @property
    def stages(self) -> list[str]:
        """The stages that every run has, in the order of tables."""
        results = [result for seeds in self.runs.values() for result in seeds.values()]
        return [stage for stage in STAGE_TITLES if all(stage in result["metrics"] for result in results)]

    def estimate(self, method: str, *path: str) -> Estimate | None:
        """Return mean and interval over seeds of the number at a path into `result.json`; None where one is lacking."""
        values = [_at(result, path) for result in self.runs[method].values()]
        return None if None in values else estimate(values)

    def difference(self, method: str, other: str, *path: str) -> Estimate | None:
        """Return the mean of `method - other` over the seeds that both have, and its interval; None without any."""
        shared = sorted(set(self.runs[method]) & set(self.runs[other]))
        pairs = [(_at(self.runs[method][seed], path), _at(self.runs[other][seed], path)) for seed in shared]
        if not pairs or any(None in pair for pair in pairs):
            return None
        return estimate([first - second for first, second in pairs])


def load_sweep(folder: str | Path) -> SweepResults:
    """Read every `result.json` under a folder.

    :raises CheckpointError: when there is none, one is damaged, or two are of the same method and seed
    :raises MismatchError: when settings, scenes or teacher of two runs differ in what they must share; the
        runs of one method may differ in the seed alone, those of two methods in what a method sets: objective,
        prompts, augmentation and the like, not in scenes, teacher, student and length of training
    """
    found: dict[str, dict[int, Result]] = {}
    places: dict[tuple[str, int], Path] = {}
    for path in sorted(Path(folder).rglob(RESULT_FILE)):
        result = load_result(path.parent)
        key = str(result["config"].get("method")), int(result["seed"])
        if key in places:
            raise CheckpointError(
                f"expected one run of {key[0]} with seed {key[1]} under {folder}, but {places[key]} and "
                f"{path.parent} both are; move one of them elsewhere"
            )
        places[key] = path.parent
        found.setdefault(key[0], {})[key[1]] = result
    if not found:
        raise CheckpointError(
            f"expected finished runs under {folder}, but there is no {RESULT_FILE}; "
            "make them: pickclutter reproduce-table12 out=..."
        )
    grid = SweepResults({method: dict(sorted(found[method].items())) for method in sorted(found, key=_order)})
    _check(grid, places)
    return grid


def comparable_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a run apart from its seed, from where things lie, and from on what it is computed."""
    own = copy.deepcopy(dict(config))
    for key in _MACHINE_KEYS:
        own.pop(key, None)
    for key in _STORES:
        own.get("data", {}).pop(key, None)
    own.get("teacher", {}).pop("cache", None)
    own.get("student", {}).pop("activation_checkpointing", None)
    own.setdefault("objective", {}).setdefault("extra", None)  # runs of before are without
    return own


def method_config(grid: SweepResults) -> dict[str, dict[str, str]]:
    """Return the settings in which the methods differ: dotted key -> method -> value."""
    flat = {
        method: _flat(comparable_config(next(iter(seeds.values()))["config"])) for method, seeds in grid.runs.items()
    }
    keys = sorted({key for values in flat.values() for key in values} - {"method"})
    table = {key: {method: str(values.get(key, "(none)")) for method, values in flat.items()} for key in keys}
    return {key: values for key, values in table.items() if len(set(values.values())) > 1}


def _check(grid: SweepResults, places: Mapping[tuple[str, int], Path]) -> None:
    """Compare each run with the first of its method, and the first of each method with the first of all."""
    base: tuple[str, int] | None = None
    for method, seeds in grid.runs.items():
        head = (method, next(iter(seeds)))
        for seed, result in seeds.items():
            _same(_whole(seeds[head[1]]), _whole(result), places[head], places[method, seed])
        if base is not None:
            first = grid.runs[base[0]][base[1]]
            _same(_shared(first), _shared(seeds[head[1]]), places[base], places[head])
        base = base or head


def _same(first: dict[str, Any], second: dict[str, Any], one: Path, other: Path) -> None:
    differences = describe_differences(first, second)
    if differences:
        raise MismatchError(
            f"expected runs that can stand in one table, but {one} and {other} differ: {'; '.join(differences)}; "
            "train one of them anew, or move it elsewhere"
        )


def _whole(result: Result) -> dict[str, Any]:
    return {"settings": comparable_config(result["config"]), **provenance(result)}


def _shared(result: Result) -> dict[str, Any]:
    """Return what the methods of a table share."""
    config = comparable_config(result["config"])
    shared = {key: config.get(key) for key in ("data", "student", "teacher", "selection_metric", "precision")}
    shared["data"] = {key: value for key, value in (shared["data"] or {}).items() if key != "augmentation"}
    for phase in ("distill", "few_shot"):
        shared[phase] = {key: config.get(phase, {}).get(key) for key in _BUDGET}
    return {"settings": shared, **provenance(result)}


def provenance(result: Result) -> dict[str, Any]:
    """Return number and content hash of the scenes of each store, and the teacher's fingerprint."""
    return {"data": result["data"], "teacher": {"fingerprint": result["teacher"]["fingerprint"]}}


def _order(method: str) -> tuple[int, str]:
    """Return the paper's methods first, in its order, then `best`, then its ablations."""
    known = [*METHODS, "best"]
    return (known.index(method), "") if method in known else (len(known), method)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _at(result: Result, path: tuple[str, ...]) -> Any:
    value: Any = result
    for key in path:
        value = value[key]
    return value
