"""Tables of numbers as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.statistics import Estimate


def numbers(found: Estimate | None) -> list[object]:
    """Return mean, half of the interval and seeds for a line of a CSV file."""
    if found is None:
        return ["", "", 0]
    return [f"{found.mean:.6f}", "" if found.half_width is None else f"{found.half_width:.6f}", found.seeds]


def write_csv(path: Path, lines: Iterable[Sequence[object]]) -> None:
    """Write a CSV file atomically; missing folders are created."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    write_text(path, stream.getvalue())
