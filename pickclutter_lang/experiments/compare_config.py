"""Configuration of `pickclutter compare-runs`, and of which kind the runs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import check_path

_OF_RUNS = "result.json", "settings.json"
_OF_SWEEPS = "table*.md"


@dataclass
class CompareRunsConfig:
    """Finished runs of one kind, compared with the first of them."""

    runs: list[str]
    """Folders of 2 to 8 runs: each `out` of `pickclutter train-affordance`, of `train-image-student` or of
    `evaluate-policy`. The others are compared with the first."""
    out: str = "runs/comparison"
    """Folder of the page."""
    tables: str | None = None
    """For runs on scenes with one seed, the same data and teacher: a folder for their numbers, which are values.csv,
    scores.json.gz and about.json, as of `pickclutter reproduce-table12`. null: none are written."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if not 2 <= len(self.runs) <= 8:
            raise InvalidArgumentError(f"expected runs to be 2 to 8 folders of runs, but got {len(self.runs)}")
        for run in self.runs:
            check_path("runs", run)
        if len({Path(run).resolve() for run in self.runs}) < len(self.runs):
            raise InvalidArgumentError(f"expected runs to be different folders, but got {', '.join(self.runs)}")
        for key, folder in (("out", self.out), ("tables", self.tables)):
            if folder is not None:
                check_path(key, folder)
                self._check_new(key, folder)

    def _check_new(self, key: str, folder: str) -> None:
        """Refuse a folder whose files would be replaced: that of a run, or of a sweep."""
        given = any(Path(run).resolve() == Path(folder).resolve() for run in self.runs)
        what = "run" if given or any((Path(folder) / name).is_file() for name in _OF_RUNS) else None
        what = what or ("sweep" if any(Path(folder).glob(_OF_SWEEPS)) else None)
        if what is not None:
            raise InvalidArgumentError(f"expected {key} to be a folder of its own, but {folder} is that of a {what}")


def kind_of_runs(folders: Sequence[str]) -> str:
    """Return of which kind finished runs are: `scenes`, `images` or `policy`.

    :raises CheckpointError: for a folder that is no finished run
    :raises InvalidArgumentError: when they are of several kinds
    """
    from pickclutter_lang.experiments.result import kind_of_result  # it loads torch

    kinds = {folder: kind_of_result(Path(folder)) for folder in folders}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f"{folder} is of {kind}" for folder, kind in kinds.items())
        raise InvalidArgumentError(f"expected runs of one kind, but {found}; compare each kind alone")
    return kinds[folders[0]]


def labels_of(folders: Sequence[str]) -> list[str]:
    """Return as many of the last parts of each path as tell them apart."""
    parts = [Path(folder).resolve().parts for folder in folders]
    found = (["/".join(one[-n:]) for one in parts] for n in count(1))
    return next(labels for labels in found if len(set(labels)) == len(labels))
