"""The quickstart in miniature: real simulator, embedded teacher, student, result, report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.forkserver import run_python
from helpers.paths import PROGRAM, scanned_objects
from pickclutter_lang.results.record import RESULT_FILE

SMALL = (
    "data.image_size=64",
    "data.crop_size=null",
    "distill.image_size_schedule=[]",
    "distill.epochs=1",
    "few_shot.epochs=1",
    "distill.batch_size=8",
    "few_shot.batch_size=8",
)


def call(folder: Path, command: str, *arguments: str) -> str:
    done = run_python([*PROGRAM, command, *arguments], folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.sim
@pytest.mark.slow
def test_from_objects_to_report(tmp_path: Path) -> None:
    ycb = scanned_objects()
    objects = ["objects=ycb", f"objects_root={ycb}"] if ycb else ["objects=proxy"]
    (tmp_path / "scenes").mkdir()
    for split, scenes in (("train", 8), ("id", 4), ("ood", 4), ("fewshot", 4)):
        call(tmp_path, "collect-scenes", f"split={split}", f"scenes={scenes}", *objects,
             "workers=1", "shard_size=4", f"out=scenes/{split}")  # fmt: skip
        call(tmp_path, "verify-scenes", f"store=scenes/{split}")
        for name in ("README.md", "contact_sheet.png", "episodes.json.gz", "manifest.json"):
            assert (tmp_path / "scenes" / split / name).stat().st_size > 0
    call(tmp_path, "train-affordance", "experiment=quickstart", "scenes=scenes", "out=student", *SMALL)
    result = json.loads((tmp_path / "student" / RESULT_FILE).read_text())
    assert {"zero_shot", "few_shot"} <= set(result["metrics"])
    assert (tmp_path / "student" / "report.html").is_file()
