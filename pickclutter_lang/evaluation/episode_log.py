"""The log of finished episodes, from which an interrupted evaluation resumes, and the same rows as a CSV file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.csv import write_csv
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import Line, Text, read_json_lines

EpisodeKey = tuple[str, int, str]
"""Variant, seed and kind of instruction."""
COLUMNS = (
    "variant", "seed", "kind", "instruction", "target", "reference", "expected", "seen", "present", "visible",
    "graspable", "located", "success", "declared_absent", "refused", "picked", "followed", "wrong_objects",
    "grasp_found", "steps", "score", "threshold",
)  # fmt: skip
"""Columns of the CSV file: all that does not depend on the machine."""
_FLAGS = (
    "seen", "present", "visible", "graspable", "located", "success", "declared_absent", "refused", "followed",
    "grasp_found",
)  # fmt: skip
_SEPARATOR = "; "


def write_episodes(path: Path, episodes: Iterable[Mapping[str, Any]]) -> None:
    """Write episodes as a CSV file: flags as 0 and 1, names of several objects with semicolons, None as nothing."""
    write_csv(path, [COLUMNS, *([_cell(key, episode[key]) for key in COLUMNS] for episode in episodes)])


def read_episodes(path: Path) -> list[dict[str, Any]]:
    """Read what `write_episodes` wrote.

    :raises DatasetError: when it is not there
    """
    try:
        with path.open(newline="") as stream:
            return [{key: _value(key, text) for key, text in row.items()} for row in csv.DictReader(stream)]
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error


def _cell(key: str, value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, list):
        return _SEPARATOR.join(value)
    if isinstance(value, float):
        return f"{value:.4f}"
    return int(value) if key in _FLAGS else value


def _value(key: str, text: str) -> Any:
    if key in ("expected", "picked"):
        return text.split(_SEPARATOR) if text else []
    if key in _FLAGS:
        return None if text == "" else text == "1"
    if key in ("score", "threshold"):
        return float(text) if text else None
    return int(text) if key in ("seed", "wrong_objects", "steps") else text


class EpisodeRow(TypedDict):
    """What tables, figures and pages read of an episode; names of objects and instructions may hold any line."""

    variant: Text
    seed: Annotated[int, Meta(ge=0)]
    kind: Text
    instruction: Line
    target: Text
    reference: Line
    expected: list[Text]
    seen: bool
    present: bool
    visible: bool
    graspable: bool
    located: bool | None
    success: bool
    declared_absent: bool
    refused: bool
    picked: list[Text]
    followed: bool
    wrong_objects: Annotated[int, Meta(ge=0)]
    grasp_found: bool
    steps: Annotated[int, Meta(ge=0)]
    score: float | None
    threshold: float | None
    seconds: float
    revision: str | None


class EpisodeLog:
    """JSON lines, one for each episode; `episodes` has them by variant, seed and kind of instruction."""

    def __init__(self, path: Path) -> None:
        """Read the episodes that are there, without a last line that was cut off by the end of a process."""
        self._path = path
        self.episodes: dict[EpisodeKey, dict[str, Any]] = {}
        if not path.exists():
            return
        remedy = "delete that line, whose episode then runs again"
        for episode in read_json_lines(path, EpisodeRow, DatasetError, remedy, may_be_cut=True):
            self.episodes[episode["variant"], episode["seed"], episode["kind"]] = dict(episode)
        atomic_write(path, "".join(f"{json.dumps(episode)}\n" for episode in self.episodes.values()).encode())

    def append(self, episode: dict[str, Any]) -> None:
        """Add an episode.

        :raises DatasetError: when it cannot be written
        """
        try:
            with self._path.open("a") as stream:
                stream.write(json.dumps(episode) + "\n")
        except OSError as error:
            raise DatasetError(
                f"cannot write {self._path}: {error.strerror}; fix that and run the same command again"
            ) from error
        self.episodes[episode["variant"], episode["seed"], episode["kind"]] = episode
