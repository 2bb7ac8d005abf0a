"""Comparability of runs: the settings that their results depend on, and their provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import MismatchError
from pickclutter_lang.results.record import Record, short_hash
from pickclutter_lang.training.config import comparable_config
from pickclutter_lang.utils.reading import describe_differences, flatten


def comparable_settings(record: Record) -> dict[str, Any]:
    """Return the settings of a record as `comparable_config`, without the precision: a record has the one it used."""
    return {key: value for key, value in comparable_config(record["config"]).items() if key != "precision"}


def provenance(record: Record) -> dict[str, Any]:
    """Return the hashes of a record's data, and its teacher's fingerprint."""
    return {"data": record["data"], "teacher": {"fingerprint": record["teacher"]["fingerprint"]}}


def flat_settings(record: Record) -> dict[str, Any]:
    """Return the settings that a result depends on, and its provenance, by dotted keys."""
    found = flatten(comparable_settings(record))
    found |= {f"content of {key}": _shown(value) for key, value in flatten(record["data"]).items()}
    for key in ("precision", "object_split", "few_shot_draw"):
        found |= {key: record[key]} if key in record else {}
    found |= {f"teacher's {key}": _shown(value) for key, value in flatten(record.get("teacher", {})).items()}
    found |= {f"descriptions {key}": short_hash(one["content"]) for key, one in record.get("descriptions", {}).items()}
    return found | {"revision": short_hash(record["git_revision"])}


def _shown(value: Any) -> Any:
    return short_hash(value) if isinstance(value, str) and len(value) == 64 else value


def differing_values(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the keys in which runs differ, sorted: key -> run -> its value as text.

    :param values: run -> key -> value
    """
    keys = sorted({key for of_run in values.values() for key in of_run})
    table = {key: {run: str(of_run.get(key, "(none)")) for run, of_run in values.items()} for key in keys}
    return {key: texts for key, texts in table.items() if len(set(texts.values())) > 1}


Comparison = Callable[[Record], Mapping[str, dict[str, Any]]]
"""From a record to what it must share with others: group -> the values in which records of that group agree."""


def same_descriptions(record: Record) -> dict[str, dict[str, Any]]:
    """Return the texts of a record, each source a group: a `Comparison`."""
    origins = record.get("descriptions", {})
    return {source: {"descriptions": {source: origin["content"]}} for source, origin in origins.items()}


def same_precision(record: Record) -> dict[str, dict[str, Any]]:
    """Return the precision of a record: a `Comparison` that all sweeps make."""
    return {"": {"precision": record["precision"]}} if "precision" in record else {}


def check_comparable(records: Mapping[str, Record], comparisons: Sequence[Comparison], folder: Path) -> None:
    """Check that records may be compared in one table: each is compared with the first of each of its groups.

    :param records: path below `folder` -> record
    :raises MismatchError: naming the paths of two records, and each value in which they differ
    """
    for comparison in (same_precision, *comparisons):
        first: dict[str, tuple[str, dict[str, Any]]] = {}
        groups = [(path, *item) for path, record in records.items() for item in comparison(record).items()]
        for path, group, view in groups:
            other, expected = first.setdefault(group, (path, view))
            differences = describe_differences(expected, view)
            if differences:
                raise MismatchError(
                    f"expected runs that can be compared in one table, but {other} and {path} under {folder} differ: "
                    f"{'; '.join(differences)}; train one of them again, or move it elsewhere"
                )
