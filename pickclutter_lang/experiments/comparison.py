"""Comparability of runs: their provenance, and the settings that their results depend on."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import MismatchError
from pickclutter_lang.training.checkpoint import describe_differences

Result = dict[str, Any]
"""Content of a `result.json`."""

_IGNORED: Mapping[str, Sequence[str]] = {
    "": ("out", "num_threads", "num_workers", "device", "scenes", "distilled_run", "report_to"),
    # The content of stores, data sets and texts is compared by its hash.
    "data": (
        "train", "id", "ood", "fewshot", "unlabeled", "few_shot_draw", "scene_subsets", "max_cache_bytes",
        "root", "half", "cache", "extra_views", "author_lists", "captions", "classes", "descriptions",
    ),
    "teacher": ("cache", "checkpoint", "name"),  # its weights are compared by their fingerprint
    "student": ("activation_checkpointing",),
    "text": ("style_dir", "truncate"),  # without `truncate` a text that is too long is an error
}  # fmt: skip
"""Group -> its settings that change no result: where files lie, and on what a run is computed."""

_ADDED: Mapping[str, Result] = {
    "objective": {
        "region_cls": 0.0, "region_crop_size": 96, "extra": None, "detach_focus": False,
        "similarity": "squared_distance",
    },
    "prompts": {"description_template": "{name}, {description}", "descriptions_of": "own"},
    "student": {"negative_attention": "positive"},
    "data": {"unlabeled_batch_size": 16},
    "few_shot": {"epoch_over": "few_shot"},
    "retrieval": {"keys": "student", "key_views": 1, "alpha": None, "beta": None, "temperature": None},
    "crop_classifier": {"epoch_over": "few_shot"},
}  # fmt: skip
"""Group -> settings that runs of earlier versions lack, and the values of the same effect."""


def comparable_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run that its result depends on, the seed among them.

    A setting that was added after the run gets the value that has the same effect.

    :param config: nested values of a run on scenes or on single images
    """
    comparable: dict[str, Any] = copy.deepcopy({key: value for key, value in config.items() if key not in _IGNORED[""]})
    for group, keys in _IGNORED.items():
        for key in keys if group in comparable else ():
            comparable[group].pop(key, None)
    if "retrieval" not in comparable and comparable.get("crops", {}).get("rand_augment"):
        comparable["crops"]["rand_augment"] = "after the crop"  # it has come before it since
    return _without_unused(with_earlier_settings(comparable))


def comparable_settings(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a result as `comparable_config`, without the precision: see `precision_of`."""
    return {key: value for key, value in comparable_config(result["config"]).items() if key != "precision"}


def precision_of(result: Mapping[str, Any]) -> str | None:
    """Return the precision that a run was computed in; None where an earlier version did not say what `auto` was."""
    found = result.get("precision", result["config"].get("precision", "auto"))
    return None if found == "auto" else str(found)


def with_earlier_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values of a run with those settings of the same effect that were added after it."""
    filled = {"crop_classifier": None, **config}
    for group, values in _ADDED.items():
        part = filled.get(group, {})
        filled[group] = {**values, **part} if isinstance(part, dict) else part
    return filled


def _without_unused(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out settings of descriptions and of the teacher's crops where there are none."""
    prompts, objective = config["prompts"], config["objective"]
    if not prompts.get("descriptions") and not prompts.get("extra_descriptions"):
        config["prompts"] = {key: value for key, value in prompts.items() if key not in _ADDED["prompts"]}
    if not any(objective.get(name) for name in ("region_contrastive", "region_proximity", "extra")):
        config["objective"] = {key: value for key, value in objective.items() if key != "region_crop_size"}
    return config


def differing_values(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the keys in which runs differ, sorted: key -> run -> its value as text.

    :param values: run -> key -> value
    """
    keys = sorted({key for of_run in values.values() for key in of_run})
    table = {key: {run: str(of_run.get(key, "(none)")) for run, of_run in values.items()} for key in keys}
    return {key: texts for key, texts in table.items() if len(set(texts.values())) > 1}


def provenance(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hashes of a result's data, and its teacher's fingerprint."""
    return {"data": result["data"], "teacher": {"fingerprint": result["teacher"]["fingerprint"]}}


Comparison = Callable[[Result], Mapping[str, dict[str, Any]]]
"""From a result to what it must share with others: group -> the values in which results of that group agree."""


def same_descriptions(result: Result) -> dict[str, dict[str, Any]]:
    """Return the texts of a result, each source a group: a `Comparison`."""
    origins = result.get("descriptions", {})
    return {source: {"descriptions": {source: origin["content"]}} for source, origin in origins.items()}


def check_comparable(results: Mapping[str, Result], comparisons: Sequence[Comparison], folder: Path) -> None:
    """Check that results may be compared in one table: each is compared with the first of each of its groups.

    :param results: path below `folder` -> result
    :raises MismatchError: naming the paths of two results, and each value in which they differ
    """
    _check_precision(results, folder)
    for comparison in comparisons:
        first: dict[str, tuple[str, dict[str, Any]]] = {}
        groups = [(path, *item) for path, result in results.items() for item in comparison(result).items()]
        for path, group, view in groups:
            other, expected = first.setdefault(group, (path, view))
            differences = describe_differences(expected, view)
            if differences:
                raise MismatchError(
                    f"expected runs that can be compared in one table, but {other} and {path} under {folder} differ: "
                    f"{'; '.join(differences)}; train one of them again, or move it elsewhere"
                )


def _check_precision(results: Mapping[str, Result], folder: Path) -> None:
    """Raise MismatchError for runs in several precisions; one whose precision is not known may be in any."""
    found: dict[str, list[str]] = {}
    for path, result in results.items():
        precision = precision_of(result)
        if precision is not None:
            found.setdefault(precision, []).append(path)
    if len(found) > 1:
        texts = [f"{', '.join(paths)} in {precision}" for precision, paths in found.items()]
        choices = " or ".join(f"precision={precision}" for precision in found)
        raise MismatchError(
            f"expected runs in one precision under {folder}, but got {'; '.join(texts)}; set {choices} for all, and "
            "train the others again, or move them elsewhere"
        )


def as_json(value: Any) -> Any:
    """Return nested values as they come back from a JSON file: tuples are lists."""
    return json.loads(json.dumps(value))
