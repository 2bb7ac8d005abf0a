"""A made-up episode of an evaluation, as its log has it."""

from __future__ import annotations

from typing import Any


def episode(**changes: Any) -> Any:
    plain = {
        "variant": "few_shot", "seed": 0, "target": "lemon", "seen": True, "present": True, "visible": True,
        "graspable": True, "success": True, "declared_absent": False, "wrong_objects": 0, "located": True,
        "seconds": 0.1, "steps": 9, "kind": "drawn", "expected": ["lemon"], "picked": ["lemon"], "reference": "lemon",
        "followed": True, "refused": False, "instruction": "lift the lemon", "grasp_found": True, "score": 0.8,
        "threshold": 0.5, "revision": None,
    }  # fmt: skip
    return plain | changes
