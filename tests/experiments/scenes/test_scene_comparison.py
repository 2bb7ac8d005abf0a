"""The page over several runs: what differs, paired differences against a slow reference, and runs that do not pair."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.browser import opened
from helpers.scene_runs import config, make_toys
from pickclutter_lang.commands import main
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.compare_config import CompareRunsConfig
from pickclutter_lang.experiments.scenes.predictions import load_predictions
from pickclutter_lang.experiments.scenes.run_comparison import load_comparison
from pickclutter_lang.experiments.scenes.scene_comparison import write_comparison
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.table12 import read_tables

SHORT = ("distill.epochs=1", "few_shot.epochs=1")
PHONE = {"width": 390, "height": 844}


def train(overrides: list[str], folder: Path, *more: str) -> Path:
    run = SceneRun.open(config(*overrides, *SHORT, *more, f"out={folder}"))
    run.train()
    evaluate_run(run)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs: `first`; `second`, of another seed and loss; `others`, the second as if on other scenes."""
    root = tmp_path_factory.mktemp("runs")
    toys = make_toys(root)
    train(toys, root / "first" / "run")
    train(toys, root / "second" / "run", "seed=1", "objective.im_cst=0.5")
    change(shutil.copytree(root / "second" / "run", root / "others"), "scenes", lambda ids: np.char.add(ids, "_5"))
    path = root / "others" / "result.json"
    result = json.loads(path.read_text())
    for store in result["data"].values():
        store["content"] = "5" + store["content"][1:]
    for cell in result["metrics"]["few_shot"].values():
        if isinstance(cell, dict):
            cell["label_frequency"]["map"] = 0.123
    path.write_text(json.dumps(result))
    return root


def change(run: Path, name: str, how: Callable[[NDArray[Any]], NDArray[Any]], stores: str = "*") -> None:
    """Change an array of the saved predictions of a run."""
    for file in (run / "predictions").glob(f"*_{stores}.npz"):
        content = dict(np.load(file))
        if name in content:
            np.savez(file, **{**content, name: how(content[name])})


def text_of(page: Path) -> str:
    return re.sub(
        r"\s+", " ", re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]+>", " ", page.read_text(), flags=re.DOTALL)
    )


def compare(out: Path, *folders: Path) -> Path:
    return write_comparison(CompareRunsConfig([str(folder) for folder in folders], str(out)))


def average_precision(scores: NDArray[np.float64], present: NDArray[np.bool_]) -> float:
    """As the definition has it: the mean over positives of the precision among all that score as much or more."""
    return float(np.mean([present[scores >= scores[n]].mean() for n in np.flatnonzero(present)]))


def f1(predicted: NDArray[np.bool_], present: NDArray[np.bool_]) -> float:
    rows = [(2 * (p & t).sum() / (p.sum() + t.sum())) for p, t in zip(predicted, present, strict=True) if t.any()]
    return float(np.mean(rows))


def test_a_difference_is_that_of_the_saved_scores(runs: Path) -> None:
    found = load_comparison([str(runs / "first" / "run"), str(runs / "second" / "run")])
    values: dict[str, dict[str, float]] = {}
    for name in ("first", "second"):
        folder = runs / name / "run"
        ood = load_predictions(folder / "predictions" / "few_shot_ood.npz").of_splits(["ood"])
        scores, targets = ood.probabilities.double().numpy(), ood.targets.numpy().astype(bool)
        threshold = json.loads((folder / "result.json").read_text())["metrics"]["few_shot"]["id_threshold"]
        some = [n for n in range(targets.shape[1]) if targets[:, n].any()]
        values[name] = {
            "map": float(np.mean([average_precision(scores[:, n], targets[:, n]) for n in some])),
            "f1": f1(scores > threshold, targets),
        }
    for metric in ("f1", "map"):
        one = found.difference("second/run", "few_shot", "ood_on_ood", metric)
        assert one is not None and one.mean == pytest.approx(
            values["second"][metric] - values["first"][metric], abs=1e-5
        )
        assert one.half_width is not None and 0 < one.half_width < 1


def test_paired_intervals_are_those_of_differences(tmp_path: Path, runs: Path) -> None:
    """A run and itself under another name: no difference and no width, though each interval is wide."""
    shutil.copytree(runs / "first" / "run", tmp_path / "again")
    found = load_comparison([str(runs / "first" / "run"), str(tmp_path / "again")])
    one = found.difference("again", "few_shot", "ood_on_ood", "map")
    alone = found.bootstraps.estimate("again", "few_shot", "ood_on_ood", "map")
    assert one is not None and one.mean == 0 and one.half_width == pytest.approx(0, abs=1e-12)
    assert alone is not None and alone.half_width is not None and alone.half_width > 0.01
    text = text_of(compare(tmp_path / "page", runs / "first" / "run", tmp_path / "again"))
    assert "No setting, data, teacher or revision differs." in text and "+0.0 ± 0.0" in text


def test_only_what_differs_is_shown(runs: Path, tmp_path: Path) -> None:
    page = compare(tmp_path, runs / "first" / "run", runs / "second" / "run").read_text()
    table = page.split("What differs</h2>")[1].split("</table>")[0]
    assert re.findall(r"<td><code>([^<]*)</code></td>", table) == ["objective.im_cst", "seed"]
    assert re.search(r"seed</code></td>\s*<td>0</td>\s*<td>1</td>", table)
    assert "<code>first/run</code>" in page and "not paired" not in page


def test_other_scenes_are_never_subtracted(runs: Path, tmp_path: Path) -> None:
    first, others = runs / "first" / "run", runs / "others"
    found = load_comparison([str(folder) for folder in (first, others)])
    assert found.unpaired("others", "ood_on_ood") == "other scenes"
    assert found.difference("others", "few_shot", "ood_on_ood", "f1") is None
    assert found.other_data("others") == ["training scenes", "few-shot scenes", "X_id", "X_ood"]
    text = text_of(compare(tmp_path, first, others))
    assert "not paired: other scenes" in text
    assert "others : not paired, other scenes: Y_id on X_id, Y_id on X_ood, Y_ood on X_ood; other data: train" in text
    assert "others has other data (training scenes, few-shot scenes, X_id, X_ood)" in text
    assert "label frequency, others" in text  # predictors without an image have other numbers there


def test_other_unseen_objects_are_never_subtracted(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "first" / "run", tmp_path / "run")
    change(tmp_path / "run", "unseen", lambda unseen: np.roll(unseen, 1), "ood")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    (tmp_path / "run" / "result.json").write_text(json.dumps(result | {"object_split": 2}))
    text = text_of(compare(tmp_path / "page", runs / "first" / "run", tmp_path / "run"))
    assert "not paired: other objects" in text and "other data: unseen objects." in text


def test_labels_that_are_others_are_named(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "first" / "run", tmp_path / "run")
    change(tmp_path / "run", "targets", lambda targets: (1 - targets).astype(targets.dtype), "ood")
    found = load_comparison([str(runs / "first" / "run"), str(tmp_path / "run")])
    label = found.others[0]
    assert found.unpaired(label, "ood_on_ood") == "other labels" and found.unpaired(label, "id_on_id") is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda run: (run / "result.json").unlink(), "expected the result of a run at .*finish the run first"),
        (lambda run: (run / "settings.json").unlink(), "expected a run at .*pickclutter train-affordance"),
        (lambda run: (run / "predictions" / "few_shot_ood.npz").unlink(), "pickclutter evaluate-affordance run="),
        (lambda run: (run / "result.json").write_text("{"), "result.json is damaged"),
    ],
)
def test_a_run_that_cannot_be_compared_is_named(make: Any, message: str, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "second" / "run", tmp_path / "run")
    make(tmp_path / "run")
    with pytest.raises(CheckpointError, match=message):
        compare(tmp_path / "page", runs / "first" / "run", tmp_path / "run")
    assert not (tmp_path / "page").exists()


def test_numbers_of_runs_are_written_as_those_of_a_sweep(runs: Path, tmp_path: Path) -> None:
    first, again = runs / "first" / "run", tmp_path / "again"
    shutil.copytree(first, again)
    change(again, "probabilities", lambda scores: scores[::-1], "ood")
    config = CompareRunsConfig([str(first), str(again)], str(tmp_path / "page"), str(tmp_path / "numbers"))
    write_comparison(config)
    values, about = read_tables(tmp_path / "numbers")
    measure = "few_shot.ood_on_ood.model.map"
    found, expected = values.estimate("run", measure), json.loads((first / "result.json").read_text())
    map_of_run = expected["metrics"]["few_shot"]["ood_on_ood"]["model"]["map"]
    assert found is not None and found.mean == pytest.approx(map_of_run, abs=1e-6)
    assert [*map(tuple, about["pairs"])] == [("again", "run")] and found.half_width is not None
    difference = values.difference(("again", measure), ("run", measure))
    assert difference is not None and difference.half_width is not None and difference.half_width > 0


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("again", {"seed": 1}, r"again has another seed or draw \(seed1\) than run; leave it out"),
        ("again", {"teacher": {"name": "pocket", "fingerprint": "0"}}, "again has another teacher than run"),
        ("again", {"data": {"fewshot": {"scenes": 5, "content": "0"}}}, "again has other few-shot scenes than run"),
        ("always_yes", {}, "no name that a table has a row of, but got always_yes; rename it"),
        ("closed_set", {}, "no name that a table has a row of, but got closed_set; rename it"),
    ],
)
def test_numbers_of_runs_that_do_not_fit_are_refused(
    name: str, changed: dict[str, Any], message: str, runs: Path, tmp_path: Path
) -> None:
    first = runs / "first" / "run"
    path = Path(shutil.copytree(first, tmp_path / name)) / "result.json"
    result = json.loads(path.read_text())
    data = {**result["data"], **changed.get("data", {})}
    path.write_text(json.dumps({**result, **changed, "data": data}))
    with pytest.raises((MismatchError, InvalidArgumentError), match=message):
        write_comparison(
            CompareRunsConfig([str(first), str(tmp_path / name)], str(tmp_path / "page"), str(tmp_path / "numbers"))
        )
    assert not (tmp_path / "numbers").exists() and not (tmp_path / "page").exists()


def test_numbers_of_runs_on_other_scenes_are_refused(runs: Path, tmp_path: Path) -> None:
    folders = [str(runs / "first" / "run"), str(runs / "others")]
    with pytest.raises(MismatchError, match="others has other scenes"):
        write_comparison(CompareRunsConfig(folders, str(tmp_path / "page"), str(tmp_path / "numbers")))
    assert not (tmp_path / "numbers").exists()


def test_one_run_alone_is_refused(runs: Path) -> None:
    for folders in ([str(runs / "others")], [str(runs / "others"), f"{runs}/./others"]):
        with pytest.raises(InvalidArgumentError, match="expected runs to be"):
            CompareRunsConfig(folders).validate()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1200, "height": 900}, PHONE])
def test_the_command_writes_a_page_that_fits_and_loads_nothing(
    runs: Path, tmp_path: Path, scheme: str, viewport: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ",".join(str(runs / name) for name in ("first/run", "second/run", "others"))
    assert main(["compare-runs", f"runs=[{folders}]", f"out={tmp_path}"]) == 0
    assert capsys.readouterr().out.strip() == f"report: {tmp_path / 'report.html'}"
    with opened(tmp_path / "report.html", color_scheme=scheme, viewport=viewport) as (page, problems):
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        assert page.locator(".chart svg").count() == 3 and page.locator("h2").count() >= 5
        page.get_by_label("filter rows").first.fill("banana")
        assert page.locator("table").nth(6).locator("tbody tr:visible").count() == 1
        assert problems.messages == [] and len(problems.requests) == 1
