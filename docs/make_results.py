"""Fill the tables of the documentation from the data under docs/results/data: `python docs/make_results.py`.

A page asks for a table with a pair of comments; what stands between them is replaced:

    <!-- results: comparisons table12/ycb f1 -->
    <!-- /results -->

The first word is a function of `result_tables.RENDERERS`, the others are its arguments. `--figures` draws the charts
anew as well, `--check` changes nothing and fails where a page is out of date.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

from result_tables import RENDERERS, ResultError

DOCS = Path(__file__).resolve().parent
_REGION = re.compile(r"(<!-- results: (.+?) -->\n)(.*?)(<!-- /results -->)", re.DOTALL)


def pages() -> list[Path]:
    """Return every Markdown page that may hold tables: the README, the card of `pocket`, and all pages below docs."""
    root = DOCS.parent
    return [root / "README.md", root / "assets" / "pocket_teacher" / "MODEL_CARD.md", *sorted(DOCS.rglob("*.md"))]


def render(text: str) -> str:
    """Return a page with all its regions filled.

    :raises ResultError: for a table that does not exist
    """

    def fill(match: re.Match[str]) -> str:
        name, *arguments = shlex.split(match[2])
        if name not in RENDERERS:
            raise ResultError(f"expected one of {', '.join(RENDERERS)}, but got {name!r}; correct the comment")
        try:
            body = RENDERERS[name](*arguments)
        except TypeError as error:
            raise ResultError(f"expected other arguments in {match[2]!r}: {error}") from error
        return f"{match[1]}\n{body}\n\n{match[4]}"

    return _REGION.sub(fill, text)


def main(arguments: list[str] | None = None) -> int:
    """Fill all pages; return the exit status, 1 where `--check` finds a page that is out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", action="store_true", help="redraw the charts too (needs matplotlib)")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a page is out of date")
    options = parser.parse_args(arguments)
    stale = []
    for page in pages():
        text = page.read_text()
        filled = render(text)
        if filled != text:
            stale.append(page)
            if not options.check:
                page.write_text(filled)
    if options.figures and not options.check:
        from result_figures import draw_all

        draw_all(DOCS / "results" / "figures")
    for page in stale:
        sys.stderr.write(f"{'out of date' if options.check else 'filled'}: {page.relative_to(DOCS.parent)}\n")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
