"""The file in which an evaluation keeps the teacher's thresholds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.policy.config import StudentSpec, Thresholds
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import read_json

TEACHER_FILE = "teacher_thresholds.json"


@dataclass(frozen=True)
class _Kept:
    """Content of `teacher_thresholds.json`."""

    of: dict[str, Any]
    thresholds: Thresholds


def thresholds_of(spec: StudentSpec) -> dict[str, Any]:
    """Return what any thresholds of a student's teacher are of: its weights, the names and the label."""
    return {"fingerprint": spec.teacher.fingerprint, "names": list(spec.names), "label": spec.target_label}


def read_thresholds(folder: Path, of: Mapping[str, Any]) -> Thresholds | None:
    """Return the thresholds in a folder; None where there are none, or of other values than these."""
    path = folder / TEACHER_FILE
    if not path.exists():
        return None
    kept = read_json(path, _Kept, CheckpointError, "delete it: thresholds are then calibrated again")
    return kept.thresholds if kept.of == {**kept.of, **of} else None


def write_thresholds(folder: Path, of: Mapping[str, Any], thresholds: Thresholds) -> None:
    """Write thresholds, and what they are of, as JSON values."""
    atomic_write(
        folder / TEACHER_FILE, (json.dumps({"of": of, "thresholds": asdict(thresholds)}, indent=1) + "\n").encode()
    )
