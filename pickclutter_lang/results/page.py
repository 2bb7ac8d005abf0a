"""`report.html`: the Markdown of a report as one self-contained page, with charts, galleries and videos."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import numpy as np
from jinja2 import Environment, FunctionLoader
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.results.charts import inline_svg
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.reading import flatten

PAGE_FILE = "report.html"
MEDIA_LIMIT = 6_000_000
"""Characters of images and videos on a page; those beyond are left out, and the page says how many."""
Tone = Literal["right", "wrong", "missed", ""]
_QUALITY = 82


@dataclass(frozen=True)
class Media:
    """An encoded image or video."""

    mime: str
    data: bytes


@dataclass(frozen=True)
class Item:
    """A line below the image of a card, with a small image of its own where there is one.

    :param facets: what it can be filtered by, such as `{"object": "banana", "error": "missed"}`
    :param tone: its color
    """

    caption: str
    facets: Mapping[str, str] = field(default_factory=dict)
    media: Media | None = None
    tone: Tone = ""


@dataclass(frozen=True)
class Card:
    """An image or a video with its items; it is shown while a filter leaves one of them."""

    title: str
    media: Media | None
    items: Sequence[Item]


@dataclass(frozen=True)
class Gallery:
    """Cards that can be filtered by the facets of their items. `small`: more of them beside each other."""

    cards: Sequence[Card]
    small: bool = False

    @property
    def choices(self) -> dict[str, list[str]]:
        """Facet -> its values, sorted."""
        found: dict[str, set[str]] = {}
        for item in (item for card in self.cards for item in card.items):
            for facet, value in item.facets.items():
                found.setdefault(facet, set()).add(value)
        return {facet: sorted(values) for facet, values in found.items()}


def jpeg(pixels: NDArray[np.uint8], most: int = 512) -> Media:
    """Return an image uint8 [H, W, 3] as a JPEG whose sides have at most so many pixels."""
    image = Image.fromarray(pixels)
    stream = io.BytesIO()
    image.thumbnail((most, most))
    image.save(stream, "JPEG", quality=_QUALITY)
    return Media("image/jpeg", stream.getvalue())


def write_page(
    path: Path,
    text: str,
    shown: Mapping[str, Figure | Gallery],
    details: Mapping[str, str] | None = None,
) -> Path:
    """Write a page that loads nothing; return its path.

    :param text: the report in Markdown, beginning with its title as a heading; HTML in it is escaped, and links lead to
        only relative addresses
    :param shown: file of an image of the report -> what the page has in its place
    :param details: title -> Markdown that is folded away at the end
    :raises DatasetError: when it cannot be written
    """
    environment = Environment(loader=FunctionLoader(_asset), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    media = _Media()
    environment.globals["embed"] = media.embed
    gallery = environment.get_template("gallery.html")
    content = {
        file: f'<div class="chart">{inline_svg(one)}</div>' if isinstance(one, Figure) else gallery.render(gallery=one)
        for file, one in shown.items()
    }
    tokens = _parser().parse(text)
    script = _asset("page.js")
    page = environment.get_template("page.html").render(
        title=next(_headings(tokens, "h1"), ("", "report"))[1],
        contents=list(_headings(tokens, "h2")),
        body=_html(tokens, content),
        details={title: _html(_parser().parse(part), {}) for title, part in (details or {}).items()},
        style=Markup(_asset("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        left_out=media.left_out,
    )
    write_text(path, page)
    return path


def page_link(page: Path, folder: Path) -> str | None:
    """Return the address of a page as seen from a folder; None where there is no such page."""
    return quote(os.path.relpath(page, folder)) if page.is_file() else None


def settings_table(values: Mapping[str, Any]) -> str:
    """Return nested values as a Markdown table of dotted names."""
    rows = [(f"`{key}`", "" if value is None else str(value)) for key, value in flatten(values).items()]
    return markdown_table(["setting", "value"], rows)


_KEYS = (
    "name", "seed", "object_split", "few_shot_draw", "precision", "git_revision", "versions", "teacher", "data",
    "descriptions", "parameters", "seconds", "peak_memory_mb",
)  # fmt: skip


def run_details(record: Mapping[str, Any]) -> dict[str, str]:
    """Return title -> Markdown of the parts of a record that say what was run, for the end of a page."""
    return {
        "Data, teacher, versions, time": settings_table({key: record[key] for key in _KEYS if key in record}),
        "Configuration": settings_table(record["config"]),
    }


def setting_rows(names: Sequence[str], settings: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table of settings in which runs or methods differ, Markdown."""
    rows = ([f"`{key}`", *(values.get(name, "") for name in names)] for key, values in settings.items())
    return markdown_table(["setting", *(f"`{name}`" for name in names)], rows)


class _Media:
    """Data URIs of images and videos, until there are `MEDIA_LIMIT` characters of them."""

    def __init__(self) -> None:
        self._characters = self.left_out = 0

    def embed(self, media: Media) -> str | None:
        text = f"data:{media.mime};base64,{base64.b64encode(media.data).decode()}"
        if self._characters + len(text) > MEDIA_LIMIT:
            self.left_out += 1
            return None
        self._characters += len(text)
        return text


def _asset(name: str) -> str:
    return (files("pickclutter_lang.assets") / "report" / name).read_text()


def _parser() -> MarkdownIt:
    """Return a parser that escapes HTML, for which images are but their texts."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.validateLink = lambda url: urlsplit(url)[:2] == ("", "")  # type: ignore[method-assign]
    rules = {
        "image": lambda _, tokens, n, *__: str(Markup.escape(tokens[n].content)),
        "table_open": lambda *_: '<div class="table"><table>\n',
        "table_close": lambda *_: "</table></div>\n",
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


def _html(tokens: Sequence[Token], content: Mapping[str, str]) -> Markup:
    """Return tokens as HTML: headings with anchors, paragraphs of one image replaced by its content."""
    found: list[Token] = []
    for n, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", f"part{n}")
        found.append(token)
        children = token.children or []
        if token.type == "inline" and len(children) == 1 and children[0].attrs.get("src") in content:
            found[-2:] = [Token("html_block", "", 0, content=content[str(children[0].attrs["src"])])]
            tokens[n + 1].hidden = True
    return Markup(_parser().renderer.render(found, _parser().options, {}))


def _headings(tokens: Sequence[Token], tag: str) -> Iterator[tuple[str, str]]:
    """Yield the anchors and texts of the headings of a level."""
    for n, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == tag:
            yield f"part{n}", "".join(child.content for child in tokens[n + 1].children or [])
