"""The file of `pickclutter bench`, and its table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.benchmarking.measure import Measured
from pickclutter_lang.benchmarking.rows import QUICKSTART_POLICY, ROWS, Aim, Ratio
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.statistics import NOT_SHOWN, reached

SCHEMA = 1
_REMEDY = "measure again: pickclutter bench anew=true, with another out"
_HEAD = ("row", "measured", "ms", "against", "ms", "ratio (95% interval)", "quartiles", "aim", "reached?")


@dataclass(frozen=True)
class MeasuredRow:
    """A row with its numbers, or with the reason why it was skipped."""

    title: str
    reference: str
    ratio: Ratio
    measured: Measured | None
    skipped: str | None


@dataclass(frozen=True)
class BenchReport:
    """Rows by name, the machine and the settings that they were measured with."""

    schema: int
    settings: dict[str, Any]
    machine: dict[str, Any]
    versions: dict[str, str | None]
    revision: str | None
    rows: dict[str, MeasuredRow]


def read_report(path: Path) -> BenchReport:
    """Read a file of `pickclutter bench`.

    :raises DatasetError: when it is missing, damaged or of another schema
    """
    report = read_json(path, BenchReport, DatasetError, _REMEDY)
    if report.schema != SCHEMA:
        raise DatasetError(f"expected schema {SCHEMA} in {path}, but got {report.schema}; {_REMEDY}")
    return report


def report_table(report: BenchReport) -> str:
    """Return a Markdown table of the rows that were measured, in their order, and a list of those that were not."""
    names = [name for name in ROWS if name in report.rows]
    lines, skipped = [], []
    for name in names:
        row = report.rows[name]
        if row.measured is None:
            skipped.append(f"- `{name}` was skipped: {row.skipped}")
        else:
            lines.append(_cells(name, row, row.measured, report))
    return "\n\n".join(([markdown_table(_HEAD, lines)] if lines else []) + (["\n".join(skipped)] if skipped else []))


def report_note(report: BenchReport) -> str:
    """Return in a sentence each: the machine, its load, versions, settings, and the revision."""
    machine, packages = report.machine, report.versions
    loads = [row.measured.load for row in report.rows.values() if row.measured is not None]
    flags = f" with {', '.join(machine['flags'])}" if machine["flags"] else ""
    load = f" Load average over a minute: {_range(min(loads), max(loads))}." if loads else ""
    versions = ", ".join(f"{name} {number}" for name, number in packages.items() if number is not None)
    shown = report.settings | ({"policy": "own"} if report.settings.get("policy") else {})
    settings = ", ".join(f"{key}={value}" for key, value in shown.items() if value is not None)
    return (
        f"{machine['cpu']}{flags}, {machine['usable_cores']} cores.{load} {versions}. {settings}. Revision "
        f"{report.revision}."
    )


def _cells(name: str, row: MeasuredRow, found: Measured, report: BenchReport) -> list[str]:
    aim, ratio = ROWS[name].aim, found.ratio
    if aim is not None and any(report.settings.get(key) != value for key, value in aim.given):
        aim = None
    low, high = ratio.quartiles
    given = "the given policy" if report.settings.get("policy") else QUICKSTART_POLICY
    return [
        f"`{name}`",
        row.title.replace(QUICKSTART_POLICY, given),
        _digits(found.ours_ms.median),
        row.reference,
        _digits(found.reference_ms.median),
        f"{_digits(ratio.median)}{_between(ratio.interval)} {row.ratio}",
        f"{_digits(low)} to {_digits(high)}",
        "" if aim is None else str(aim),
        "" if aim is None else reached_by(aim, found, report.machine["usable_cores"]),
    ]


def reached_by(aim: Aim, found: Measured, cores: int) -> str:
    """Return whether an aim is met, by the interval of the median that it is about.

    Where more ran than there are cores, only a time within its aim shows something.
    """
    spread = found.ratio if aim.of == "ratio" else found.ours_ms
    if spread.interval is None:
        return NOT_SHOWN
    verdict = reached(*spread.interval, aim.bound, aim.at_most)
    shown = found.load <= cores or (aim.of == "milliseconds" and verdict == "met")
    return verdict if shown else NOT_SHOWN


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({_digits(interval[0])} to {_digits(interval[1])})"


def _range(low: float, high: float) -> str:
    ends = f"{low:.1f}", f"{high:.1f}"
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _digits(value: float) -> str:
    """Return three significant digits, or all of a whole number from 100 on."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}".removesuffix(".")
