"""Finished runs of a sweep by name, object split, seed and draw of the few-shot scenes."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.sweep_results import make_result, write_result
from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, load_sweep

F1 = "few_shot.ood_on_ood.model.f1"


def test_runs_are_told_apart_by_split_seed_and_draw(tmp_path: Path) -> None:
    keys = [Replicate(split, seed, draw) for split in (0, 2) for seed in (0, 1) for draw in (0, 1)]
    for number, (split, seed, draw) in enumerate(reversed(keys)):
        result = make_result("cls", seed, 0.1 * number, object_split=split, few_shot_draw=draw)
        if (split, draw) == (0, 0):
            del result["object_split"], result["few_shot_draw"]  # as results from before these keys
        write_result(tmp_path, result)
    write_result(tmp_path, make_result("best", 1, 0.9, object_split=2, few_shot_draw=1))
    results = load_sweep(tmp_path, TABLE12)
    assert list(results.runs) == ["cls", "best"]
    assert results.replicates("cls") == tuple(keys) and results.seeds("cls") == (0, 1)
    assert results.values("cls", F1) == pytest.approx([0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    difference = results.difference(("best", F1), ("cls", F1))
    assert difference is not None and difference.mean == pytest.approx(0.9) and difference.seeds == 1
    assert results.folders["cls", Replicate(2, 1, 1)] == tmp_path / "cls" / "split2_seed1_draw1"
    assert results.folders["cls", Replicate(0, 1, 0)] == tmp_path / "cls" / "seed1"


def test_one_run_twice_is_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_result(tmp_path / folder, make_result("cls", 0, 0.5, object_split=1, few_shot_draw=2))
    with pytest.raises(CheckpointError, match="expected one run cls/split1_seed0_draw2"):
        load_sweep(tmp_path, TABLE12)


@pytest.mark.parametrize(
    ("store", "other"), [("train", {"few_shot_draw": 1}), ("fewshot", {}), ("ood", {"few_shot_draw": 1})]
)
def test_runs_of_a_split_share_its_scenes_and_those_of_a_draw_the_few_shot_scenes(
    tmp_path: Path, store: str, other: dict[str, int]
) -> None:
    write_result(tmp_path, make_result("cls", 0, 0.5, object_split=1))
    result = make_result("cls_imcst", 0, 0.5, object_split=1, **other)
    result["data"][store]["content"] = "other scenes"
    write_result(tmp_path, result)
    with pytest.raises(MismatchError, match=f"data.{store}.content"):
        load_sweep(tmp_path, TABLE12)
