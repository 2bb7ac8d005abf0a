"""`scripts/profiling/compare_teachers.py`: its figures are those of hits that are counted by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from helpers.forkserver import run_python
from helpers.paths import ROOT
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.teachers.pocket import EMBEDDED, load_pocket_teacher
from pickclutter_lang.teachers.zero_shot import encode_images

SCRIPT = ROOT / "scripts" / "profiling" / "compare_teachers.py"


@pytest.mark.sim
@pytest.mark.slow
def test_the_difference_is_paired_over_kinds(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    views = tmp_path / "views"
    kinds = ["apple", "mug", "fork", "pen", "banana", "dice"]
    words = ["objects=kinds", f"kinds=[{','.join(kinds)}]", "instances=2", "first_seed=1400000", "views_per_object=2"]
    command = ["-m", "pickclutter_lang.commands", "render-object-views", *words, "random_objects=0", "size=64"]
    assert (made := run_python([*command, f"out={views}"])).returncode == 0, made.stderr
    folder = ROOT / "assets" / EMBEDDED["pocket"]
    found = run_python([str(SCRIPT), str(views), "pocket_scans", str(folder)])
    assert found.returncode == 0, found.stderr
    first, second = csv.DictReader(found.stdout.splitlines())

    store = ObjectViewDataset.open(views)
    true = np.array([store.objects[n]["kind"] for n in store.object_index])
    articles = {name: "an" if name == "apple" else "a" for name in kinds}
    rates = []
    for name, row in (("pocket_scans", first), ("pocket", second)):
        teacher = load_pocket_teacher(name=name)
        texts = teacher.encode_text([f"a photo of {articles[kind]} {kind}" for kind in kinds])
        answers = np.array(kinds)[(encode_images(teacher, store.rgb) @ texts.T).argmax(dim=1).numpy()]
        rates.append(np.array([(answers == true)[true == kind].mean() for kind in kinds]))
        assert (row["weights"], row["kinds"], row["views"]) == (teacher.fingerprint[:8], "6", "24")
        assert row["top-1, %"].split(" (")[0] == f"{100 * rates[-1].mean():.1f}"
    difference = rates[1] - rates[0]  # as many views of each kind: the interval is Student's, of the kinds' differences
    half_width = 2.5706 * difference.std(ddof=1) / np.sqrt(len(kinds))
    ends = [float(end) for end in second["minus the first, points"].split("(")[1].rstrip(")").split(" to ")]
    assert first["minus the first, points"] == ""
    assert ends == pytest.approx(
        100 * np.clip([difference.mean() - half_width, difference.mean() + half_width], -1, 1), abs=0.06
    )


@pytest.mark.sim
@pytest.mark.slow
def test_views_of_a_catalog_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    command = ["-m", "pickclutter_lang.commands", "render-object-views", "objects=proxy", "views_per_object=1"]
    made = run_python([*command, "random_objects=0", "size=32", f"out={tmp_path / 'views'}"])
    assert made.returncode == 0, made.stderr
    found = run_python([str(SCRIPT), str(tmp_path / "views"), "pocket", "pocket_scans"])
    assert found.returncode == 1 and "expected views of instances of kinds" in found.stderr


@pytest.mark.sim
@pytest.mark.slow
def test_views_of_training_instances_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    words = ["objects=kinds", "kinds=[apple,mug]", "instances=1", "first_seed=3", "views_per_object=1", "size=32"]
    command = ["-m", "pickclutter_lang.commands", "render-object-views", *words, "random_objects=0"]
    assert (made := run_python([*command, f"out={tmp_path / 'views'}"])).returncode == 0, made.stderr
    found = run_python([str(SCRIPT), str(tmp_path / "views"), "pocket", "pocket_scans"])
    assert found.returncode == 1 and "which no teacher is trained on, but" in found.stderr
    assert "Traceback" not in found.stderr
