"""Figures of the image-classification tables: their runs, bars, maps and eigenvalues."""

from __future__ import annotations

import csv
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from helpers.image_results import make_result, write_result, write_space
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.experiments.images import image_figures
from pickclutter_lang.experiments.images.image_figures import write_figure
from pickclutter_lang.experiments.images.image_results import load_runs
from pickclutter_lang.experiments.images.text_geometry import text_statistics
from pickclutter_lang.results.paper_tables import AVERAGE, DATA_SETS, PAPER


@pytest.fixture(scope="module")
def figure_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs that figures need, two seeds each."""
    runs = tmp_path_factory.mktemp("drawn")
    for name, seed in itertools.product(("cls", "cls+im_cst+vlprox", "best+semantic"), (0, 1)):
        write_result(runs, make_result(name, seed))
    return runs


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("number", "row", "data", "figures"),
    [
        ("1", "teacher", "food101", (90.5, 91.2)),
        ("1", "closed_set", "sun397", (57.8, None, 31.1)),
        ("1", "cls", "flower102", (81.2, 4.5, 46.2)),
        ("1", "im_cst", "food101", (70.0, 34.9, 36.8)),
        ("1", "cls+im_cst+vlprox", "caltech_birds", (62.3, 21.6, 39.0)),
        ("1", "im_cst+vlprox", AVERAGE, (56.6, 22.4, 32.5)),
        ("2", "cls+im_cst", "food101", (1.29, 69.2)),
        ("3", "cls+im_cst+mse", "flower102", (0.305, 0.022, 0.20, 0.10, 0.25, 0.11, 0.34, 0.13)),
        ("4", "cls+im_cst+vlprox+mse", "flower102", (0.17, 0.39, 0.59, 1.17, 2.17, 4.20)),
        ("5", "best+semantic+prompt", "stanford_cars", (67.0, 19.0, 42.8)),
        ("6", "descriptions", "flower102", (0.4462,)),
        ("7", "best+detailed", "tiered_imagenet", (69.3, 24.2, 37.7)),
        ("8", "vit_b_32+best+semantic", "sun397", (45.0, 15.4, 21.0)),
        ("9", "best+semantic+k1", "flower102", (81.4, 15.9, 51.4)),
        ("10", "retrieval", "sun397", (24.40,)),
        ("11", "after", "flower102", (62.79, 18.24)),
    ],
)
def test_figures_of_the_paper(number: str, row: str, data: str, figures: tuple[float | None, ...]) -> None:
    assert PAPER[number][row][data] == figures


@pytest.mark.parametrize("number", ["1", "5"])
def test_averages_are_those_of_the_columns(number: str) -> None:
    other = []
    for name, columns in PAPER[number].items():
        for place, average in enumerate(columns[AVERAGE]):
            values: list[Any] = [columns[data][place] for data in DATA_SETS]
            if average is None or None in values:
                assert average is None
            elif abs(np.mean(values) - average) > 0.0501:
                other.append((name, place))
    assert other == ([("cls+im_cst+mse", 1)] if number == "1" else [])  # as the docstring says


def slow_space(features: NDArray[Any]) -> tuple[float, list[float]]:
    cosines = [
        sum(a * b for a, b in zip(one, other, strict=True))
        / np.sqrt(sum(a * a for a in one) * sum(b * b for b in other))
        for one, other in itertools.combinations(features.tolist(), 2)
    ]
    centered = features - features.mean(axis=0)
    values = np.sqrt(np.clip(np.linalg.eigvalsh(centered.T @ centered), 0, None))[::-1]
    return float(np.mean(cosines)), values[: min(10, *features.shape)].tolist()


@pytest.mark.parametrize("shape", [(2, 3), (5, 16), (30, 12)])
def test_text_statistics_match_a_slow_reference(shape: tuple[int, int]) -> None:
    features = np.random.default_rng(0).normal(0.3, 1, size=shape)
    cosine, values = slow_space(features)
    found = text_statistics(features.astype(np.float32))
    assert found["cosine"] == pytest.approx(cosine, abs=1e-6)
    assert found["eigenvalues"] == pytest.approx(values, abs=1e-5)


def test_text_statistics_of_known_cases() -> None:
    found = text_statistics(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert found["cosine"] == pytest.approx(-1) and found["eigenvalues"] == pytest.approx([np.sqrt(2), 0])
    for features in (np.ones(3), np.ones((1, 3)), np.zeros((2, 3)), np.full((2, 3), np.nan)):
        with pytest.raises(InvalidArgumentError):
            text_statistics(features)


def test_figure_1_has_bars_and_the_papers_figures(tmp_path: Path) -> None:
    for seed, x in enumerate([(0.6, 0.10, 0.30), (0.6, 0.14, 0.32)]):
        write_result(tmp_path, make_result("cls", seed, x, data="food101"))
        write_result(tmp_path, make_result("best+semantic", seed, x, data="food101"))
    path, _ = write_figure(load_runs(tmp_path), "1", tmp_path)
    rows = {(row["run"], row["measure"][:4]): row for row in csv_rows(tmp_path / "figure1.csv")}
    assert float(rows["cls", "zero"]["mean"]) == pytest.approx(0.12) and rows["cls", "zero"]["paper"] == "0.161"
    assert rows["best+semantic", "few_"]["paper"] == "0.437" and rows["best+semantic", "few_"]["seeds"] == "2"
    assert rows["cls+im_cst+vlprox", "zero"]["mean"] == "" and rows["cls+im_cst+vlprox", "zero"]["paper"] == "0.320"
    with Image.open(path) as image:
        assert np.asarray(image.convert("RGB")).std() > 10


def test_figure_4_has_every_eigenvalue(figure_runs: Path, tmp_path: Path) -> None:
    write_figure(load_runs(figure_runs), "4", tmp_path)
    rows = csv_rows(tmp_path / "figure4.csv")
    assert [float(row["mean"]) for row in rows if row["texts"] == "names"] == [2.0, 1.0, 0.5, 0.25]
    [first] = [row for row in rows if (row["texts"], row["number"]) == ("descriptions", "1")]
    assert float(first["mean"]) == pytest.approx(2.55) and float(first["half_width"]) > 0
    assert {row["texts"] for row in rows} == {"names", "descriptions"}  # no captions in these runs


def test_figure_2b_names_images_and_texts(figure_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_two(space: image_figures.Space) -> tuple[NDArray[Any], NDArray[Any]]:
        return space.students[:, :2], space.texts[:, :2]

    monkeypatch.setattr(image_figures, "embed", first_two)
    write_figure(load_runs(figure_runs), "2b", tmp_path)
    rows = csv_rows(tmp_path / "figure2b.csv")
    assert len(rows) == 2 * (5 * 12 + 5) and {row["run"] for row in rows} == {"cls+im_cst+vlprox", "best+semantic"}
    [text] = [row for row in rows if (row["run"], row["kind"], row["class"]) == ("best+semantic", "text", "unseen 1")]
    assert (float(text["x"]), float(text["y"])) == (0, 1)


def test_figure_2b_needs_an_extra(figure_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"umap-learn .*-e '\.\[plots\]'"):
        write_figure(load_runs(figure_runs), "2b", tmp_path)


@pytest.mark.slow
def test_an_image_map_places_texts_near_their_images(tmp_path: Path) -> None:
    pytest.importorskip("umap")
    write_space(tmp_path / "space.npz", seed=0, noise=0.1, per_class=30)
    space = image_figures.load_space(tmp_path / "space.npz", 5)
    images, texts = image_figures.embed(space)
    assert np.array_equal(images, image_figures.embed(space)[0])
    middles = np.stack([images[space.labels == label].mean(axis=0) for label in range(5)])
    assert np.linalg.norm(texts[:, None] - middles, axis=-1).argmin(axis=1).tolist() == [0, 1, 2, 3, 4]


def test_a_map_needs_images() -> None:
    space = image_figures.Space(np.ones((3, 4), "f4"), np.zeros(3, int), np.ones((1, 4), "f4"))
    with pytest.raises(InvalidArgumentError, match="4 images or more"):
        image_figures.embed(space)


def test_missing_or_damaged_feature_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    with pytest.raises(CheckpointError, match="evaluate the run again"):
        image_figures.load_space(path, 5)
    write_space(path, seed=0, noise=1)
    with pytest.raises(CheckpointError, match="features of 7 classes"):
        image_figures.load_space(path, 7)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="is damaged"):
        image_figures.load_space(path, 5)
