"""Markdown for reports: tables, and numbers formatted for their cells."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_TAG = re.compile(r"(`[^`]*`)|<(?=[A-Za-z/!?])")


def _escaped(found: re.Match[str]) -> str:
    return found[1] or "&lt;"


def markdown_table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table without a line break at its end; a cell is one line.

    A `|` in a cell is escaped, and what would be a tag of HTML; code in backticks stays as it is.

    :param head: titles of the columns
    :param rows: cells, as many in each row as there are titles
    """
    lines = [head, ["---"] * len(head), *rows]
    cells = ([_TAG.sub(_escaped, " ".join(str(cell).split()).replace("|", "\\|")) for cell in line] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def percent(value: float | None, missing: str = "NA") -> str:
    """Return a fraction as percent with one decimal, without the sign.

    :param missing: text for None
    """
    return missing if value is None else f"{100 * value:.1f}"


def number(value: float | None, decimals: int = 1, missing: str = "NA") -> str:
    """Return a number with `decimals` decimals.

    :param missing: text for None
    """
    return missing if value is None else f"{value:.{decimals}f}"


def tables_of(page: str, *headings: str) -> str:
    """Return the tables of a Markdown page as text for a terminal, each below its heading; none without rows.

    :param headings: how the headings begin under which tables are wanted; all by default
    """
    parts = []
    heading = ""
    for found, table in re.findall(r"^#+ (.*)$|((?:^\|.*\n?)+)", page, re.MULTILINE):
        if found:
            heading = found
        elif heading.startswith(headings or "") and len(table.splitlines()) > 2:
            parts.append(f"{heading}\n{html.unescape(table.rstrip())}\n")
    return "\n".join(parts)
