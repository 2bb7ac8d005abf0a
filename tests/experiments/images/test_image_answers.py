"""Answers of runs on single images: what is saved, intervals, the report, and comparisons of runs."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.image_runs import make_toys, trained
from pickclutter_lang.commands import main
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.images.image_answers import EXAMPLES, load_answers
from pickclutter_lang.experiments.images.image_comparison import load_image_comparison
from pickclutter_lang.experiments.images.image_gallery import image_gallery, margins_of
from pickclutter_lang.experiments.images.image_intervals import ACCURACY, image_bootstraps
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_report import write_report
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.experiments.result import read_result


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ImageRun]:
    """Two runs of other losses and seeds on the same images."""
    root = tmp_path_factory.mktemp("runs")
    toys = make_toys(root)
    found = {}
    for name, more in {"one": ["objective.cls=1"], "other": ["objective.im_cst=1", "seed=1"]}.items():
        found[name] = trained(*toys, *more, f"name={name}", f"out={root / name}")
        evaluate_images(found[name])
    return found


@pytest.fixture
def copy(runs: dict[str, ImageRun], tmp_path: Path) -> Path:
    return shutil.copytree(runs["other"].folder, tmp_path / "copy")


def change(folder: Path, how: Any) -> None:
    """Change the saved answers of a run."""
    path = folder / "answers.json.gz"
    content = json.loads(gzip.decompress(path.read_bytes()))
    how(content)
    path.write_bytes(gzip.compress(json.dumps(content).encode()))


def test_answers_are_those_of_each_image(runs: dict[str, ImageRun]) -> None:
    """Against a slow reference: images one by one, cosines in NumPy."""
    run = runs["one"]
    saved = load_answers(run.folder)
    assert saved is not None and [*saved.stages] == ["teacher", "zero_shot", "few_shot", "retrieval"]
    run.load_weights("few_shot")
    text = run.model.text(run.split.unseen).detach().numpy()
    for n, row in enumerate(run.split.ood):
        with torch.no_grad():
            feature = run.model.features(run.crops.eval_images([row]))[0].numpy()
        cosines = text @ feature / np.linalg.norm(feature)
        label = run.split.unseen.index(int(run.labels[row]))
        found = saved.stages["few_shot"]["ood"]
        assert found["predicted"][n] == run.split.unseen[int(cosines.argmax())]
        margin = cosines[label] - np.delete(cosines, label).max()
        assert margins_of(saved, "few_shot")["ood"][n] == pytest.approx(margin, abs=2e-4)
        assert saved.images["ood"]["images"][n] == run.data.images.ids[row]
    assert saved.unseen_names == set(read_result(run.folder, "images")["data"]["unseen"])


def test_a_result_is_the_mean_of_the_saved_answers(runs: dict[str, ImageRun]) -> None:
    metrics = read_result(runs["one"].folder, "images")["metrics"]
    saved = load_answers(runs["one"].folder)
    assert saved is not None
    bootstraps = image_bootstraps({"run": saved})
    for stage, parts in saved.stages.items():
        for part in parts:
            counts = saved.class_counts(stage, part).values()
            expected = np.mean([hits / count for hits, count in counts])
            assert metrics[stage][part]["accuracy"] == pytest.approx(expected)
            found = bootstraps.estimate("run", stage, part, ACCURACY)
            assert found is not None and found.mean == pytest.approx(expected)
            assert found.half_width is not None and found.half_width >= 0


def test_examples_are_small_images_of_right_and_wrong_answers(runs: dict[str, ImageRun]) -> None:
    folder = runs["one"].folder
    saved = load_answers(folder)
    assert saved is not None
    examples = {(part, n) for part, of in saved.images.items() for n in of["examples"]}
    assert {path.name for path in (folder / EXAMPLES).iterdir()} == {f"{part}_{n}.jpg" for part, n in examples}
    assert len(examples) == len([n for of in saved.images.values() for n in of["examples"]]) <= 36
    for path in (folder / EXAMPLES).iterdir():
        with Image.open(path) as image:
            assert image.format == "JPEG" and max(image.size) <= 160
    for part, most in (("id", 6), ("ood", 12)):
        right = saved.right("few_shot", part)
        chosen = [right[n] for n in saved.images[part]["examples"]]
        assert chosen.count(True) == min(most, sum(right))
        assert chosen.count(False) == min(most, len(right) - sum(right))
    choices = image_gallery(saved, folder).choices
    assert set(choices["class"]) <= set(saved.classes) and {"zero-shot", "few-shot"} <= set(choices["stage"])


def test_the_report_has_intervals_classes_margins_and_images(runs: dict[str, ImageRun]) -> None:
    page = write_report(runs["one"].folder).read_text()
    saved = load_answers(runs["one"].folder)
    assert saved is not None and page.count("<svg") == 3
    assert page.count("data:image/jpeg") == sum(len(of["examples"]) for of in saved.images.values())
    rows = {row[0]: row[1:] for row in (re.findall(r"<td[^>]*>(.*?)</td>", row) for row in page.split("<tr>")) if row}
    assert all("±" in cell for cell in rows["student, few-shot"]) and "±" not in "".join(rows["chance"])
    for part, word in (("id", "seen"), ("ood", "unseen")):
        for name, (hits, count) in saved.class_counts("few_shot", part).items():
            assert rows[name][:2] == [word, str(count)] and rows[name][3] == f"{100 * hits / count:.1f}"
    assert all(f">{name} *</text>" in page for name in saved.unseen_names)


def test_a_run_from_before_answers_were_saved_keeps_its_report(copy: Path) -> None:
    (copy / "answers.json.gz").unlink()
    page = write_report(copy).read_text()
    assert "A single seed has no interval." in page and page.count("<svg") == 1 and "Each class" not in page


def test_an_example_that_is_gone_is_left_out(copy: Path) -> None:
    shutil.rmtree(copy / EXAMPLES)
    page = write_report(copy).read_text()
    assert "data:image/jpeg" not in page and 'class="card"' in page


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda c: c["stages"]["few_shot"]["id"]["predicted"].pop(), "as many answers as images of id"),
        (lambda c: c["images"]["ood"]["labels"].__setitem__(0, 99), "indices of 6 classes"),
        (lambda c: c["images"]["ood"]["examples"].append(-1), "examples out of the images"),
        (lambda c: c["stages"].pop("few_shot"), "answers of few_shot"),
        (lambda c: c["stages"]["few_shot"].pop("all"), "answers of few_shot for id, ood, all"),
        (lambda c: c["stages"]["few_shot"]["id"]["own"].__setitem__(0, float("nan")), "to be cosines"),
        (lambda c: c["stages"]["few_shot"]["id"].update(own=None), "or both null"),
        (lambda c: c["stages"]["zero_shot"].update(other=c["stages"]["few_shot"]["id"]), "parts of id, ood, all"),
    ],
)
def test_damaged_answers_are_one_line(how: Any, message: str, copy: Path) -> None:
    change(copy, how)
    with pytest.raises(CheckpointError, match=f"answers.json.gz is damaged .*{message}.*delete it and result.json"):
        write_report(copy)


def test_a_difference_is_that_of_the_same_images(runs: dict[str, ImageRun]) -> None:
    folders = [str(run.folder) for run in runs.values()]
    compared = load_image_comparison(folders)
    metrics = [read_result(Path(folder), "images")["metrics"] for folder in folders]
    for part in ("id", "ood", "all"):
        found = compared.difference("other", "few_shot", part)
        one, other = (values["few_shot"][part]["accuracy"] for values in metrics)
        assert found is not None and found.mean == pytest.approx(other - one)


def test_a_run_and_its_copy_differ_by_nothing(runs: dict[str, ImageRun], copy: Path) -> None:
    compared = load_image_comparison([str(runs["other"].folder), str(copy)])
    found = compared.difference("copy", "few_shot", "ood")
    assert found is not None and found.mean == 0 and found.half_width == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"content": "other"}, "other images"),
        ({"split": "other"}, "another split"),
        (None, "no saved answers of copy"),
    ],
)
def test_what_is_not_of_the_same_images_is_named(
    what: dict[str, str] | None, why: str, runs: dict[str, ImageRun], copy: Path, tmp_path: Path
) -> None:
    if what is None:
        (copy / "answers.json.gz").unlink()
    else:
        result = json.loads((copy / "result.json").read_text())
        (copy / "result.json").write_text(json.dumps(result | {"data": result["data"] | what}))
    compared = load_image_comparison([str(runs["one"].folder), str(copy)])
    assert compared.unpaired("copy", "ood") == why and compared.difference("copy", "few_shot", "ood") is None
    command = ["compare-runs", f"runs=[{runs['one'].folder},{copy}]", f"out={tmp_path / 'page'}"]
    assert main(command) == 0
    page = (tmp_path / "page" / "report.html").read_text()
    assert f"not paired: {why}</td>" in page and f"not paired, {why}: " in page


def test_runs_without_any_answers_are_compared_by_their_results(copy: Path, tmp_path: Path) -> None:
    (copy / "answers.json.gz").unlink()
    shutil.copytree(copy, tmp_path / "second")
    assert main(["compare-runs", f"runs=[{copy},{tmp_path / 'second'}]", f"out={tmp_path / 'page'}"]) == 0
    assert "No run saved its answers" in (tmp_path / "page" / "report.html").read_text()
