"""The pages of tiny real runs in a browser: they sort and filter, fit a phone, and are readable in the dark."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.browser import opened
from helpers.image_runs import make_toys, trained
from pickclutter_lang.commands import main
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_protocol import write_report as write_image_report
from pickclutter_lang.experiments.scenes.scene_report import write_report as write_scene_report
from pickclutter_lang.experiments.scenes.table12 import Table12Config, write_table

PHONE = {"width": 390, "height": 844}
PAGES = {
    "scenes": 4, "images": 2, "table12": 3, "comparison of scenes": 3, "comparison of images": 3,
    "policy": 3, "comparison of policies": 2,
}  # fmt: skip
"""Page -> how many charts it has at least."""
GALLERIES = {"scenes": 2, "images": 1, "policy": 1}
"""Page -> how many galleries it has."""


def seeds(folder: Path) -> list[Path]:
    """Return two runs on scenes, the second a copy of the first as if of another seed."""
    path = folder.parent / "seed1" / "result.json"
    if not path.is_file():
        shutil.copytree(folder, path.parent)
        result = json.loads(path.read_text())
        path.write_text(json.dumps(result | {"seed": 1, "config": result["config"] | {"seed": 1}}))
    return [folder, path.parent]


@pytest.fixture(scope="module")
def scenes(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two finished runs on scenes, with reports."""
    root = tmp_path_factory.mktemp("scenes")
    shutil.copytree(exported / "run", root / "cls" / "seed0")
    for folder in seeds(root / "cls" / "seed0"):
        write_scene_report(folder)
    return root


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two finished runs on single images, with reports."""
    root = tmp_path_factory.mktemp("images")
    toys = make_toys(root)
    for seed in (0, 1):
        folder = root / "sweep" / "cls" / f"seed{seed}"
        evaluate_images(trained(*toys, "objective.cls=1", "name=cls", f"seed={seed}", f"out={folder}"))
        write_image_report(folder)
    return root / "sweep"


@pytest.fixture(scope="module")
def policies(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two evaluations, the second a copy of the first."""
    from pickclutter_lang.evaluation.config import PolicyEvalConfig
    from pickclutter_lang.evaluation.evaluate import evaluate_policy

    root = tmp_path_factory.mktemp("policies")
    few: dict[str, Any] = {"episodes": 2, "workers": 1, "n_videos": 1, "curve_scenes": 0}
    variants = ["oracle", "few_shot"]
    evaluate_policy(PolicyEvalConfig(str(exported / "run"), out=str(root / "first"), variants=variants, **few))
    shutil.copytree(root / "first", root / "second")
    return root


def compared(out: Path, *folders: Path) -> Path:
    assert main(["compare-runs", f"runs=[{','.join(map(str, folders))}]", f"out={out}"]) == 0
    return out / "report.html"


def table12(folder: Path) -> Path:
    return write_table(Table12Config(str(folder), None, None)).with_name("report.html")


MAKERS: dict[str, Callable[[Any, Path], Path]] = {
    "scenes": lambda fixture, out: fixture("scenes") / "cls" / "seed0" / "report.html",
    "images": lambda fixture, out: fixture("images") / "cls" / "seed0" / "report.html",
    "table12": lambda fixture, out: table12(fixture("scenes")),
    "comparison of scenes": lambda fixture, out: compared(out, *sorted((fixture("scenes") / "cls").iterdir())),
    "comparison of images": lambda fixture, out: compared(out, *sorted((fixture("images") / "cls").iterdir())),
    "policy": lambda fixture, out: fixture("policies") / "first" / "report.html",
    "comparison of policies": lambda fixture, out: compared(out, *sorted(fixture("policies").iterdir())),
}
"""Page -> what makes it of a fixture, in a folder."""


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.slow, *([pytest.mark.sim] if "polic" in name else [])]) for name in PAGES
    ]
)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """Name and file of a page."""
    return request.param, MAKERS[request.param](request.getfixturevalue, tmp_path)


def luminance(color: str) -> float:
    """Return the relative luminance of `rgb(...)`, as WCAG has it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_tables_sort_and_galleries_filter(made: tuple[str, Path]) -> None:
    name, path = made
    with opened(path) as (page, problems):
        assert page.locator(".chart svg").count() >= PAGES[name]
        assert page.locator(".gallery").count() == GALLERIES.get(name, 0)
        table = page.locator("main > .table table").filter(has=page.locator("tbody tr:nth-child(2)")).first
        first = table.locator("tbody td:first-child")
        for descending in (False, True):
            table.locator("th button").first.click()
            texts = first.all_inner_texts()
            assert page.evaluate("([a, b]) => compare(a, b)", [texts[0], texts[-1]]) * (-1 if descending else 1) <= 0
        for gallery in page.locator(".gallery").all():
            check_filters(gallery)
        assert problems.messages == [] and loaded(problems.requests) == [path.resolve().as_uri()]


def check_filters(gallery: Any) -> None:
    """Choose each value of each filter: it leaves cards, all of whose visible items have it."""
    total = gallery.locator(".card").count()
    assert total > 0 and gallery.locator("select").count() >= 3
    for select in gallery.locator("select").all():
        facet = select.get_attribute("data-facet")
        counts = []
        for value in select.locator("option").all_inner_texts()[1:]:
            select.select_option(value)
            counts.append(gallery.locator(".card:visible").count())
            items = gallery.locator("li:visible")
            found = items.evaluate_all("(all, facet) => all.map((one) => JSON.parse(one.dataset.facets)[facet])", facet)
            assert found and set(found) == {value}
        assert counts and all(0 < count <= total for count in counts)
        select.select_option("")
    assert gallery.locator(".card:visible").count() == total


def loaded(requests: list[str]) -> list[str]:
    return [url for url in requests if not url.startswith("data:")]


def test_it_fits_a_phone_and_is_readable_in_the_dark(made: tuple[str, Path]) -> None:
    _, path = made
    with opened(path, color_scheme="dark", viewport=PHONE) as (page, problems):
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        colors = page.evaluate(
            """() => ["main p", "main td", "svg text", ".card li", "summary", "main a"].flatMap((name) =>
                [...document.querySelectorAll(name)].slice(0, 200).map((one) => {
                  const style = getComputedStyle(one);
                  return one.matches("svg text") ? style.fill : style.color;
                }))"""
        )
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert luminance(background) < 0.1 and len(colors) > 10
        assert min(contrast(color, background) for color in set(colors)) > 4.5
        assert problems.messages == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table12"])
def test_a_table_leads_to_the_reports_of_its_runs(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with opened(MAKERS[name](request.getfixturevalue, tmp_path)) as (page, problems):
        links = page.locator("main a")
        assert links.count() == 2
        links.first.click()
        assert page.url.endswith("cls/seed0/report.html") and page.locator(".gallery").count() > 0
        assert problems.messages == []
