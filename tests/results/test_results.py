"""Records, scores and comparisons of the three kinds of runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.results.comparability import differing_values
from pickclutter_lang.results.comparison import load_comparison, write_comparison
from pickclutter_lang.results.config import CompareRunsConfig
from pickclutter_lang.results.record import as_key, git_revision, number_at, read_record, short_hash, write_record
from pickclutter_lang.results.scores import SCORES_FILE, Cell, Scores
from pickclutter_lang.training.config import comparable_config

_LABELS = {"id_on_ood": ("mug", "plum"), "ood_on_ood": ("lime", "fork"), "ood_on_id": ("lime",)}


def record(folder: Path, kind: str, **values: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, {"kind": kind, "name": "a", "config": {}, "data": {}, "metrics": {}, **values})
    return folder


def scene_cells(shift: float, scenes: int = 40, source: str = "x") -> dict[tuple[str, str], Cell]:
    rng = np.random.default_rng(0)
    cells = {}
    for stage in ("zero_shot", "few_shot"):
        for cell, labels in _LABELS.items():
            targets = rng.random((scenes, len(labels))) < 0.4
            scores = np.clip(0.6 * rng.random(targets.shape) + shift * targets, 0, 1).astype(np.float32)
            items = tuple(f"s{n}" for n in range(scenes))
            cells[stage, cell] = Cell(items, labels, scores, targets, scores > 0.5, source)
    return cells


def scenes_run(folder: Path, shift: float, **values: Any) -> Path:
    rows = [{"epoch": n, "loss": 1 / n, "cls": 0.5, "validation": {"map": 0.5}} for n in (1, 2)]
    record(folder, "scenes", config={"lr": shift, "out": str(folder)}, history={"distill": rows})
    Scores.of_cells(scene_cells(shift, **values).items(), {"lime", "fork"}).save(folder)
    return folder


def images_run(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % 4
    answers = np.where(rng.random(60) < 0.7, labels, (labels + 1) % 4)
    own = rng.random(60)
    others = own + np.where(answers == labels, -0.1, 0.1)
    nearest = np.where(answers == labels, (labels + 2) % 4, answers)
    items = [f"i{n}" for n in range(60)]
    classes = ["a", "b", "c", "d"]
    cosines: dict[str, Any] = {"own": own, "others": others, "nearest": nearest.tolist()}
    cells = {
        ("few_shot", "ood"): Cell.of_answers(items, classes, labels.tolist(), answers.tolist(), **cosines),
        ("retrieval", "ood"): Cell.of_answers(items, classes, labels.tolist(), answers.tolist()),
    }
    Scores.of_cells(cells.items(), {"a"}).save(record(folder, "images"))
    return folder


def policy_run(folder: Path, seed: int, first: int) -> Path:
    hits = (np.random.default_rng(seed).random(30) < 0.5).tolist()
    items = [f"{n} drawn" for n in range(first, first + 30)]
    targets = [("lime", "mug")[n % 2] for n in range(first, first + 30)]
    cells = {("student", "success"): Cell.of_episodes(items, targets, hits, "piles")}
    Scores.of_cells(cells.items(), {"lime"}).save(record(folder, "policy"))
    return folder


def test_scores_come_back_as_they_were(tmp_path: Path) -> None:
    cells = scene_cells(0.3)
    Scores.of_cells(cells.items(), {"lime"}).save(tmp_path)
    found = Scores.load(tmp_path)
    assert found.unseen == {"lime"} and set(found.places) == set(cells)
    for place, cell in cells.items():
        again = found.cell(*place)
        assert (again.items, again.labels, again.source) == (cell.items, cell.labels, cell.source)
        for name in ("scores", "targets", "predicted"):
            assert np.array_equal(getattr(again, name), getattr(cell, name))
    cell = cells["few_shot", "id_on_ood"]
    pair = torch.from_numpy(cell.scores), torch.from_numpy(cell.targets)
    assert np.mean([*cell.by_label("map").values()]) == pytest.approx(mean_average_precision(*pair), abs=1e-6)
    with pytest.raises(CheckpointError):
        found.cell("few_shot", "none")


@pytest.mark.parametrize("damage", ["missing", "cut", "codes"])
def test_damaged_scores_are_refused(tmp_path: Path, damage: str) -> None:
    scores = Scores.of_cells(scene_cells(0.3).items())
    scores.save(tmp_path)
    path = tmp_path / SCORES_FILE
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    else:
        np.savez_compressed(path, **{**scores.columns, "label": scores.columns["label"] + 99})
    with pytest.raises(CheckpointError, match=SCORES_FILE):
        Scores.load(tmp_path)


def test_records_are_checked_at_their_head_and_read_by_path(tmp_path: Path) -> None:
    metrics = {"few_shot": {"classes": {"dr. pepper": {"f1": 0.5}}, "map": float("nan"), "note": "text"}}
    record(tmp_path, "scenes", metrics=metrics, parameters=7)
    found = read_record(tmp_path, "scenes")
    assert number_at(found, f"few_shot.classes.{as_key('dr. pepper')}.f1") == 0.5
    assert number_at(found, "few_shot.map") is None and number_at(found, "parameters") == 7
    assert found["git_revision"] == git_revision() and len(short_hash(found["git_revision"])) >= 10
    with pytest.raises(CheckpointError, match="note"):
        number_at(found, "few_shot.note")
    with pytest.raises(CheckpointError, match="images"):
        read_record(tmp_path, "images")
    path = tmp_path / "result.json"
    changes: list[dict[str, Any]] = [{"schema": 3}, {"kind": "other"}, {"metrics": []}, {"name": ""}]
    for change in changes:
        path.write_text(json.dumps(found | change))
        with pytest.raises(CheckpointError, match=next(iter(change))):
            read_record(tmp_path)


def test_settings_that_change_no_result_are_not_compared() -> None:
    data = {"train": "x", "image_size": 64}
    config = {"out": "a", "num_threads": 1, "lr": 0.1, "data": data, "teacher": {"cache": "c"}}
    assert comparable_config(config) == {"lr": 0.1, "data": {"image_size": 64}, "teacher": {}}
    assert differing_values({"a": {"x": 1, "y": 2}, "b": {"x": 1}}) == {"y": {"a": "2", "b": "(none)"}}


@pytest.mark.parametrize(
    ("make", "measure"),
    [
        (lambda folder, n: scenes_run(folder, 0.1 + 0.4 * n), ("few_shot", "ood_on_ood", "map")),
        (images_run, ("few_shot", "ood", "recall")),
        (lambda folder, n: policy_run(folder, n, 5 * n), ("student", "success", "recall")),
    ],
    ids=["scenes", "images", "policy"],
)
def test_runs_of_each_kind_are_compared_on_what_they_share(
    tmp_path: Path, make: Callable[[Path, int], Path], measure: tuple[str, str, Any]
) -> None:
    folders = [str(make(tmp_path / name, n)) for n, name in enumerate("ab")]
    runs = load_comparison(folders)
    found = runs.difference("b", measure[:2], measure[2])
    assert found is not None and not isinstance(found, str) and found.high > found.low
    pair = runs.pair("b", measure[:2])
    assert not isinstance(pair, str) and pair[0].items == pair[1].items
    policy = runs.kind == "policy"
    means = [np.mean(side.outcomes[0] if policy else [*side.by_label(measure[2]).values()]) for side in pair]
    assert found.mean == pytest.approx(means[0] - means[1], abs=1e-6)
    page = write_comparison(CompareRunsConfig(folders, str(tmp_path / "out"))).read_text()
    assert f"{100 * found.mean:+.{0 if policy else 1}f}" in page and "<svg" in page


def test_policies_without_a_variant_in_common_have_a_page_too(tmp_path: Path) -> None:
    folders = [str(policy_run(tmp_path / name, 0, 0)) for name in "ab"]
    cell = Cell.of_episodes(["1 drawn"], ["lime"], [True], "piles")
    Scores.of_cells([(("teacher", "success"), cell)]).save(tmp_path / "b")
    assert write_comparison(CompareRunsConfig(folders, str(tmp_path / "out"))).is_file()


@pytest.mark.parametrize("change", ["source", "kind", "targets"])
def test_runs_that_are_not_paired_say_why(tmp_path: Path, change: str) -> None:
    folders = [str(scenes_run(tmp_path / "a", 0.2)), str(scenes_run(tmp_path / "b", 0.5))]
    if change == "kind":
        images_run(tmp_path / "b", 0)
        with pytest.raises(InvalidArgumentError, match="kind"):
            load_comparison(folders)
        return
    scenes_run(tmp_path / "b", 0.5, **({"source": "y"} if change == "source" else {"scenes": 30}))
    assert isinstance(load_comparison(folders).difference("b", ("few_shot", "ood_on_ood"), "map"), str)
    assert "not paired" in write_comparison(CompareRunsConfig(folders, str(tmp_path / "out"))).read_text()
