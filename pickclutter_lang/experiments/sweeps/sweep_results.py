"""The finished runs of a sweep, read back: means, intervals and differences over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.comparison import Comparison, Result, check_comparable
from pickclutter_lang.experiments.result import RESULT_FILE, read_result
from pickclutter_lang.utils.statistics import Estimate, estimate


class SweepKind(NamedTuple):
    """How sweeps over scenes and over single images differ.

    `kind` is that of the results, `comparisons` check what runs must share, `order` sorts the runs by name, and
    `command` trains them.
    """

    kind: str
    comparisons: Sequence[Comparison]
    order: Callable[[str], Any]
    command: str


@dataclass(frozen=True)
class SweepResults:
    """Name of a run -> seed -> its result, and the folder of each name and seed, all of them below `folder`."""

    folder: Path
    runs: Mapping[str, Mapping[int, Result]]
    folders: Mapping[tuple[str, int], Path]

    @property
    def first(self) -> Result:
        """Any result, for what all of them share."""
        return next(iter(next(iter(self.runs.values())).values()))

    def seeds(self, run: str | None) -> tuple[int, ...]:
        """Return the finished seeds of a run."""
        return tuple(self._results(run))

    def values(self, run: str | None, measure: str) -> list[float | None]:
        """Return a number of each seed, None where it is missing; see `number_at`."""
        return [number_at(result, measure) for result in self._results(run).values()]

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return mean and 95% interval over seeds of a number; None where a seed lacks it or none is finished.

        :param run: None for the numbers that every run has
        :param measure: see `number_at`
        """
        values = self.values(run, measure)
        known = [value for value in values if value is not None]
        return estimate(known) if known and len(known) == len(values) else None

    def difference(self, left: tuple[str | None, str], right: tuple[str | None, str]) -> Estimate | None:
        """Return the mean of `left - right`, each a run and a measure, over the seeds that both have, and its interval.

        :return: None without any seed in common, or where a number is missing
        """
        (one, this), (other, that) = ((self._results(run), measure) for run, measure in (left, right))
        pairs = [(number_at(one[seed], this), number_at(other[seed], that)) for seed in sorted(set(one) & set(other))]
        known = [first - second for first, second in pairs if first is not None and second is not None]
        return estimate(known) if known and len(known) == len(pairs) else None

    def _results(self, run: str | None) -> Mapping[int, Result]:
        return {} if run is None else self.runs.get(run, {})


def number_at(result: Result, measure: str) -> float | None:
    """Return the number at a dotted path into the metrics, or else into the result itself; None where there is none."""
    for start in (result["metrics"], result):
        value: Any = start
        for key in measure.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return float(value)
    return None


def load_sweep(folder: str | Path, kind: SweepKind) -> SweepResults:
    """Read every `result.json` under a folder.

    :raises CheckpointError: when there is none, one is damaged, or two are of the same run and seed
    :raises MismatchError: when runs differ in what they must share
    """
    folder = Path(folder)
    found: dict[str, dict[int, Result]] = {}
    folders: dict[tuple[str, int], Path] = {}
    for path in sorted(folder.rglob(RESULT_FILE)):
        result = read_result(path.parent, kind.kind)
        name, seed = result["name"], int(result["seed"])
        if (name, seed) in folders:
            raise CheckpointError(
                f"expected one run of {name} with seed {seed} under {folder}, but {folders[name, seed]} and "
                f"{path.parent} both are; move one of them elsewhere"
            )
        folders[name, seed] = path.parent
        found.setdefault(name, {})[seed] = result
    if not found:
        raise CheckpointError(
            f"expected finished runs under {folder}, but there are none; make them: {kind.command} out={folder}"
        )
    runs = {name: dict(sorted(found[name].items())) for name in sorted(found, key=kind.order)}
    results = SweepResults(folder, runs, folders)
    check_comparable(by_place(results), kind.comparisons, folder)
    return results


def by_place(results: SweepResults) -> dict[str, Result]:
    """Return results by their folder, relative to that of the sweep."""
    return {
        str(results.folders[name, seed].relative_to(results.folder)): result
        for name, seeds in results.runs.items()
        for seed, result in seeds.items()
    }
