"""Tables of teachers on the pages are computed from their data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.page_tables import with_data
from pickclutter_lang.objects.extra_objects import select_objects

T_QUANTILE_2 = 4.302653


def point(kinds: int, instances: int, **hits: int) -> dict[str, Any]:
    """A point of a learning curve, with as many hits of 4 views of each object."""
    objects = {name: f"{count}/4" for name, count in hits.items()}
    group = {"top1": 0.5, "interval": None, "chance": 0.1, "known": 2, "objects": objects}
    groups = ("seen_kinds", "unseen_kinds", "unseen_kinds_neighbors")
    return {"kinds": kinds, "instances": instances, **dict.fromkeys(groups, group)}


@pytest.fixture
def result_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    points = [
        point(20, 15, a=0, b=1, c=2),
        point(150, 2, c=4, b=2, a=1),  # in another order
        point(150, 1, a=1, b=2, c=1),
    ]
    (tmp_path / "curve.json").write_text(json.dumps({"points": dict(enumerate(points))}))
    return with_data("result_teacher", "curve", tmp_path, monkeypatch)


def test_differences_of_a_curve_are_paired_by_object(result_teacher: Any) -> None:
    lines = result_teacher.teacher_curve_differences("curve").splitlines()[2:]
    for line, differences in zip(lines, ([1 / 4, 1 / 4, 2 / 4], [0, 0, 3 / 4]), strict=True):
        mean, half = np.mean(differences), T_QUANTILE_2 * np.std(differences, ddof=1) / np.sqrt(3)
        low, high = max(-1, mean - half), min(1, mean + half)
        assert line.split(" | ")[1] == f"{100 * mean:+.1f} ({100 * low:+.0f} to {100 * high:+.0f})"
    assert "150 kinds instead of 20" in lines[0] and "2 instances of each of 150 kinds instead of 1" in lines[1]


def test_scans_are_compared_in_pairs(result_teacher: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [item.name for selection in ("paper", "further", "kept_out") for item in select_objects(selection)]
    rng = np.random.default_rng(0)
    before, after = ({name: {"views": v, "crops": v / 2} for name, v in zip(names, rng.random(60), strict=True)}
                     for _ in range(2))  # fmt: skip
    monkeypatch.setattr(result_teacher, "ASSETS", tmp_path)
    for name, objects in (("now", after), ("before", before)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "figures.json").write_text(json.dumps({"objects": objects}))
    lines = result_teacher.teacher_scan_differences("now", "before").splitlines()[2:]
    few = [item.name for item in select_objects("kept_out")]
    gained = np.array([after[name]["views"] - before[name]["views"] for name in few])
    half = 2.364624 * gained.std(ddof=1) / np.sqrt(8)
    ends = f"({100 * (gained.mean() - half):+.1f} to {100 * (gained.mean() + half):+.1f})"
    assert lines[2].split(" | ")[1] == f"{100 * gained.mean():+.1f} {ends} |"
    assert len(lines) == 4 and lines[3].startswith("| crops")


def test_a_curve_says_of_how_many_names_it_has_words(result_teacher: Any) -> None:
    assert result_teacher.teacher_curve("curve").splitlines()[2].endswith("| 2 of 3 |")
