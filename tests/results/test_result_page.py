"""The page of a report: what is in it, and what it does in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from helpers.browser import opened
from pickclutter_lang.results.page import Card, Gallery, Item, jpeg, page_link, settings_table, write_page
from pickclutter_lang.utils.markdown import markdown_table

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'
LINES = "a\n# heading | b\n<script>"
PHONE = {"width": 390, "height": 844}
NAMES = [f"object {n}" for n in range(12)]


def chart(label: str = "loss") -> Figure:
    figure = Figure(figsize=(12, 3))
    ax = figure.subplots()
    ax.plot([1, 2, 3], [3, 1, 2], color="black", label=label)
    ax.legend()
    return figure


def pixels(value: int = 90, side: int = 64) -> NDArray[np.uint8]:
    return np.full((side, side, 3), value, np.uint8)


def gallery() -> Gallery:
    found = {"scene 1": [("lemon", "right"), ("dice", "wrong")], "scene 2": [("lemon", "missed")]}
    return Gallery(
        [
            Card(
                title, jpeg(pixels()), [Item(f"{v}: {o}", {"object": o, "verdict": v}, jpeg(pixels())) for o, v in rows]
            )
            for title, rows in found.items()
        ]
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        [name, f"{(7 * n) % 12}.5 ± 1.0", ["seen", "unseen"][n % 2], "NA" if n == 3 else 100 - n]
        for n, name in enumerate(NAMES)
    ]
    text = "\n\n".join(
        [
            "# A report",
            "Some **words** of `code`, and a long one: " + "x" * 200,
            "![Curves](curves.png)",
            "## Objects",
            markdown_table(["object", "AP", "seen?", "support"], rows),
            "## Scenes",
            "![Scenes](scenes.png)",
        ]
    )
    details = {"Configuration": settings_table({"data": {"root": "/a/" + "long/" * 60}, "seed": 0, "name": None})}
    path = tmp_path_factory.mktemp("page") / "report.html"
    return write_page(path, text, {"curves.png": chart(), "scenes.png": gallery()}, details)


def test_a_page_holds_all_that_it_shows(report: Path) -> None:
    text = report.read_text()
    assert text.count("<svg") == 1 and text.count("data:image/jpeg") == 5
    assert "<strong>words</strong>" in text and "<code>data.root</code>" in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)


def test_text_of_others_is_escaped(tmp_path: Path) -> None:
    texts = dict.fromkeys(("title", "cell", "chart", "caption", "facet", "setting", "image"), EVIL)
    text = "\n\n".join(
        [
            f"# {texts['title']}",
            f"## Of {texts['title']}",
            markdown_table(["object"], [[texts["cell"]], [f"[a]({texts['cell']}) <https://example.org>"]]),
            f"![{texts['image']}](nowhere.png) ![x](javascript:alert(1)) [y](https://example.org)",
            "![c](c.png)",
            "![g](g.png)",
        ]
    )
    assert "<script" not in markdown_table(["object"], [[EVIL]])
    items = [Item(texts["caption"], {texts["facet"]: texts["facet"]}, jpeg(pixels()))]
    cards = Gallery([Card(texts["caption"], None, items)])
    shown: dict[str, Figure | Gallery] = {"c.png": chart(texts["chart"]), "g.png": cards}
    details = {texts["setting"]: settings_table({texts["setting"]: EVIL, "text": LINES, "last": 1})}
    page = write_page(tmp_path / "report.html", text, shown, details).read_text()
    assert "a # heading | b &lt;script&gt;</td>" in page and "last</code>" in page
    assert page.count("<script") == 1 and "<img src=x" not in page and "example.org" not in re.sub(r">[^<]*<", "", page)


def test_links_lead_to_files_beside_the_page_alone(tmp_path: Path) -> None:
    (tmp_path / "a run").mkdir()
    (tmp_path / "a run" / "report.html").write_text("<title>its own</title>")
    link = page_link(tmp_path / "a run" / "report.html", tmp_path / "table")
    assert link == "../a%20run/report.html" and page_link(tmp_path / "report.html", tmp_path) is None
    text = f"# x\n\n[`a run`]({link}) [a](https://example.org) [b](//example.org) [evil](javascript:alert(1))"
    path = write_page(tmp_path / "table" / "report.html", text, {})
    assert re.findall(r'<a href="([^"]*)"', path.read_text()) == [link]
    with opened(path) as (page, problems):
        page.get_by_role("link").click()
        assert page.title() == "its own" and problems.messages == []


@pytest.mark.parametrize(("scheme", "viewport"), [("light", {"width": 1200, "height": 900}), ("dark", PHONE)])
def test_it_fits_and_loads_nothing(report: Path, scheme: str, viewport: dict[str, int]) -> None:
    with opened(report, color_scheme=scheme, viewport=viewport) as (page, problems):
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        page.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        background, text, line = page.evaluate(
            """() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
                      getComputedStyle(document.querySelector("svg text")).fill]"""
        )
        assert (sum(map(int, re.findall(r"\d+", background))) < 384) == (scheme == "dark")
        assert text == line != background
        assert problems.messages == [] and [url for url in problems.requests if not url.startswith("data:")] == [
            report.resolve().as_uri()
        ]


def test_a_column_is_sorted_by_a_click(report: Path) -> None:
    with opened(report) as (page, problems):

        def names() -> list[str]:
            return list(page.locator("table").first.locator("tbody td:first-child").all_inner_texts())

        assert names() == NAMES
        page.get_by_role("button", name="AP").click()
        by_value = sorted(NAMES, key=lambda name: (7 * NAMES.index(name)) % 12)
        assert names() == by_value
        page.get_by_role("button", name="AP").click()
        assert names() == by_value[::-1]
        assert page.locator("th[aria-sort=descending]").count() == 1
        assert problems.messages == []


def test_cards_are_filtered_by_object_and_verdict(report: Path) -> None:
    with opened(report) as (page, problems):
        cards = page.locator(".card:visible figcaption")
        page.get_by_label("object").select_option("lemon")
        assert cards.all_inner_texts() == ["scene 1", "scene 2"]
        assert page.locator(".card li:visible").all_inner_texts() == ["right: lemon", "missed: lemon"]
        page.get_by_label("verdict").select_option("missed")
        assert cards.all_inner_texts() == ["scene 2"]
        page.get_by_label("object").select_option("dice")
        assert cards.count() == 0 and page.get_by_text("0 of 2").is_visible()
        assert problems.messages == []
