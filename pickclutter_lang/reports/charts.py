"""Charts of matplotlib as PNG, and as SVG whose black follows the colors of a page."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

from pickclutter_lang.utils.io import atomic_write, ensure_dir

_DPI = 110
_HEAD = re.compile(r'.*?<svg[^>]*? viewBox="([^"]*)"[^>]*>', re.DOTALL)
_LEFT_OUT = re.compile(
    r' id="[A-Za-z.]\w*?[A-Za-z]_\d+"|<metadata>.*?</metadata>|<style.*?</style>|(?<=; )font-family: [^;"]*', re.DOTALL
)


def save_png(figure: Figure, path: Path) -> None:
    """Write a chart as a PNG; missing folders are created.

    :raises DatasetError: when it cannot be written
    """
    _take_texts_as_they_are(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    ensure_dir(path.parent)
    atomic_write(path, stream.getvalue())


def inline_svg(figure: Figure) -> str:
    """Return a chart as an SVG element: no background, and `currentColor` where the chart is black."""
    _take_texts_as_they_are(figure)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pickclutter"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    size = f"max-width: {figure.get_figwidth()}in; min-width: min(44rem, {figure.get_figwidth()}in)"
    head = rf'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" style="{size}">'
    svg = _HEAD.sub(head, stream.getvalue(), count=1)
    for name in ("fill", "stroke"):
        svg = svg.replace(f"{name}: #000000", f"{name}: currentColor")
    return _LEFT_OUT.sub("", svg).replace("fill: #ffffff", "fill: var(--surface)")


def _take_texts_as_they_are(figure: Figure) -> None:
    """Draw names as they are: with two dollar signs they would be read as mathematics."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
