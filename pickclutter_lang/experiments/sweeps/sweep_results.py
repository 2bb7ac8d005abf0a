"""The finished runs of a sweep, read back: means, intervals and differences over runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.comparison import Comparison, Result, check_comparable
from pickclutter_lang.experiments.result import RESULT_FILE, read_result
from pickclutter_lang.utils.statistics import Estimate, estimate

TEACHER = "teacher"
"""Name of the row of a teacher's numbers."""


class SweepKind(NamedTuple):
    """How sweeps over scenes and over single images differ.

    `kind` is that of the results, `comparisons` check what runs must share, `order` sorts the runs by name, and
    `command` trains them.
    """

    kind: str
    comparisons: Sequence[Comparison]
    order: Callable[[str], Any]
    command: str


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
    def of_result(cls, result: Result) -> Replicate:
        """Return the replicate of a `result.json`; one from before splits and draws has the first of both."""
        split = result["config"]["data"].get("seed", 0) if result.get("kind") == "images" else 0
        return cls(int(result.get("object_split", split)), int(result["seed"]), int(result.get("few_shot_draw", 0)))

    @property
    def keys_of_result(self) -> dict[str, int]:
        """The replicate as keys of a `result.json`; see `of_result`."""
        return {"object_split": self.object_split, "seed": self.seed, "few_shot_draw": self.draw}

    @property
    def folder_name(self) -> str:
        """Name of the folder of the run, such as `split1_seed0_draw2`; the first split and draw go without saying."""
        split = f"split{self.object_split}_" if self.object_split else ""
        draw = f"_draw{self.draw}" if self.draw else ""
        return f"{split}seed{self.seed}{draw}"


class Selection(NamedTuple):
    """Runs of a sweep: those of some methods, object splits, seeds and draws. None: of all."""

    methods: Sequence[str] | None = None
    object_splits: Sequence[int] | None = None
    seeds: Sequence[int] | None = None
    draws: Sequence[int] | None = None

    def has(self, method: str, replicate: Replicate) -> bool:
        """Return whether a run is among them."""
        values = zip(self, (method, *replicate), strict=True)
        return all(chosen is None or value in chosen for chosen, value in values)

    def __str__(self) -> str:
        return " ".join(f"{key}={chosen}" for key, chosen in self._asdict().items() if chosen is not None)


EVERY_RUN = Selection()


@dataclass(frozen=True)
class SweepResults:
    """Name of a run -> replicate -> its result, and the folder of each name and replicate, all of them below `folder`.

    Both names and replicates are sorted. `untrained` are rows with one run of each object split, which a difference
    takes for that of any seed and draw.
    """

    folder: Path
    runs: Mapping[str, Mapping[Replicate, Result]]
    folders: Mapping[tuple[str, Replicate], Path]
    untrained: Collection[str] = ()

    @property
    def first(self) -> Result:
        """Any result, for what all of them share."""
        return next(iter(next(iter(self.runs.values())).values()))

    def seeds(self, run: str | None) -> tuple[int, ...]:
        """Return the seeds of the finished runs of a name."""
        return tuple(sorted({replicate.seed for replicate in self._results(run)}))

    def replicates(self, run: str | None) -> tuple[Replicate, ...]:
        """Return the finished replicates of a run."""
        return tuple(self._results(run))

    def values(self, run: str | None, measure: str) -> list[float | None]:
        """Return a number of each replicate, None where it is missing; see `number_at`."""
        return [number_at(result, measure) for result in self._results(run).values()]

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return mean and 95% interval over runs of a number; None where a run lacks it or none is finished.

        The interval (Student's t) takes the runs as independent: it is for runs that vary the seed alone.

        :param run: None for the numbers that every run has
        :param measure: see `number_at`
        """
        values = self.values(run, measure)
        known = [value for value in values if value is not None]
        return estimate(known) if known and len(known) == len(values) else None

    def difference(self, left: tuple[str | None, str], right: tuple[str | None, str]) -> Estimate | None:
        """Return the mean of `left - right`, each a run and a measure, over the replicates of both, and its interval.

        :return: None without any replicate in common, or where a number is missing
        """
        (one, this), (other, that) = ((self._results(run), measure) for run, measure in (left, right))
        pairs = [(number_at(one[key], this), number_at(other[key], that)) for key in sorted(set(one) & set(other))]
        known = [first - second for first, second in pairs if first is not None and second is not None]
        return estimate(known) if known and len(known) == len(pairs) else None

    def pairs(self, run: str | None, other: str | None) -> int:
        """Return the number of replicates that a difference is over."""
        return len(set(self.replicates(run)) & set(self.replicates(other)))

    def _results(self, run: str | None) -> Mapping[Replicate, Result]:
        return self.runs.get(TEACHER if run is None else run, {})


def as_key(name: str) -> str:
    """Return a name as a part of a dotted path: the dot of "dr. pepper" does not divide it."""
    return name.replace("%", "%25").replace(".", "%2E")


def keys_of(measure: str) -> list[str]:
    """Return the keys along a dotted path, whose names are as of `as_key`."""
    return [unquote(key) for key in measure.split(".")]


def number_at(result: Result, measure: str) -> float | None:
    """Return the number at a dotted path into the metrics, or else into the result itself; None where there is none."""
    for start in (result["metrics"], result):
        value: Any = start
        for key in keys_of(measure):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return float(value)
    return None


def load_sweep(folder: str | Path, kind: SweepKind, chosen: Selection = EVERY_RUN) -> SweepResults:
    """Read every `result.json` under a folder.

    :param chosen: the runs that are wanted; others are left out
    :raises CheckpointError: when there is none, one is damaged, or two are of the same run and replicate
    :raises InvalidArgumentError: when none is of those that are wanted
    :raises MismatchError: when runs differ in what they must share
    """
    folder = Path(folder)
    found: dict[str, dict[Replicate, Result]] = {}
    folders: dict[tuple[str, Replicate], Path] = {}
    left_out = []
    for path in sorted(folder.rglob(RESULT_FILE)):
        result = read_result(path.parent, kind.kind)
        name, replicate = result["name"], Replicate.of_result(result)
        if not chosen.has(name, replicate):
            left_out.append(f"{name}/{replicate.folder_name}")
            continue
        if (name, replicate) in folders:
            raise CheckpointError(
                f"expected one run {name}/{replicate.folder_name} under {folder}, but {folders[name, replicate]} and "
                f"{path.parent} both are; move one of them elsewhere"
            )
        folders[name, replicate] = path.parent
        found.setdefault(name, {})[replicate] = result
    if left_out and not found:
        raise InvalidArgumentError(
            f"expected finished runs of {chosen} under {folder}, but got {', '.join(left_out)}; choose some of these"
        )
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
        str(results.folders[name, replicate].relative_to(results.folder)): result
        for name, replicates in results.runs.items()
        for replicate, result in replicates.items()
    }
