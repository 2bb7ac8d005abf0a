"""Read the results: rows of CSV files, and the revision and command that `sources.json` names for each."""

from __future__ import annotations

import csv
import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "results" / "data"
ASSETS = Path(__file__).resolve().parents[1] / "assets"
_CONTINUED = " \\"
_NOT_KEPT = "not kept"
_NAMES = {"4d17754f": " (the earlier `pocket`)"}


class ResultError(Exception):
    """A page asks for a table that does not exist, or a data file lacks its source."""


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of `data/<name>.csv`.

    :raises ResultError: when it is not there
    """
    path = DATA / f"{name}.csv"
    if not path.is_file():
        raise ResultError(f"expected the data file {path}, but it is not there; correct the name")
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def source_of(name: str) -> dict[str, Any]:
    """Return where numbers come from: the entry of `sources.json` for a file, or for its folder.

    :raises ResultError: when there is none
    """
    sources: dict[str, dict[str, Any]] = json.loads((DATA / "sources.json").read_text())
    for key in (name, *(str(parent) for parent in Path(name).parents)):
        if key in sources:
            return sources[key]
    raise ResultError(f"expected an entry of sources.json for {name!r}, but there is none; add revision and command")


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def source(name: str) -> str:
    """Return the sentence that says where numbers come from, and the command that makes them anew."""
    entry = source_of(name)
    revisions = ", ".join(f"`{revision[:8]}`" for revision in entry["revision"])
    verb = "Recorded in" if entry.get("recorded") else "Measured with"
    then = entry.get("names_then", {})
    parts = [f"{entry['note']}", f"{verb} revision {revisions}."]
    teachers = [entry["teacher"]] if isinstance(entry["teacher"], str) else entry["teacher"] or []
    if teachers == [_NOT_KEPT]:
        parts.append("The hash of the teacher's weights was not kept.")
    elif teachers:
        shown = ", ".join(f"`{one}`{_NAMES.get(one, '')}" for one in teachers)
        parts.append(f"Hash of the teacher's weights: {shown}.")
    if then:
        parts.append("Names at that revision: " + ", ".join(f"`{new}` was `{old}`" for new, old in then.items()) + ".")
    return f"{wrapped(' '.join(parts))}\n\n```sh\n{wrapped(entry['command'], _CONTINUED)}\n```"


def wrapped(text: str, end: str = "") -> str:
    """Break a text into lines of at most 119 characters; `end` marks a line that continues."""
    lines = textwrap.wrap(text, 119 - (len(end) + 4 if end else 0), break_long_words=False, break_on_hyphens=False)
    return (f"{end}\n    " if end else "\n").join(lines)


def wrapped_point(text: str) -> str:
    """Return a text as a point of a list, in lines of at most 119 characters."""
    return textwrap.fill(f"- {text}", 119, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def table(name: str, *columns: str) -> str:
    """Return a CSV file as it is, or some of its columns."""
    rows = read(name)
    source_of(name)
    header = list(columns or rows[0])
    return markdown(header, [[row[column] for column in header] for row in rows])


def bold(text: str, wanted: bool) -> str:
    """Return a text in bold where that is wanted."""
    return f"**{text}**" if wanted else text
