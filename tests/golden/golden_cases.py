"""The cases of golden values, one a room and one of decisions.

Names of cases and measures are the keys of `values.json`: they stay.

Only the modules `golden_rendered`, `golden_learned`, `golden_policies` and `golden_made` call the package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from golden_learned import picture_files, picture_run, scene_run
from golden_made import embedded_teachers, kinds, presets, scene_table, teacher_of_renders
from golden_measures import Measures
from golden_policies import answers, decisions, episodes
from golden_rendered import stores

Case = Callable[[Path, Path], Measures]
"""Makes small things in a folder of its own and measures them; the first folder is of inputs that cases share."""


RENDERED: dict[str, Case] = {"stores, made": stores, "episodes, made": episodes}
"""What needs the simulator."""

LEARNED: dict[str, Case] = {
    "scenes, row 5": scene_run,
    "pictures, own texts, sentences, learned": picture_run,
    "pictures, files": picture_files,
    "policy, few": answers,
    "teacher, renders": teacher_of_renders,
}
"""What is trained, or is asked after training."""

MADE: dict[str, Case] = {
    "teachers of the package": embedded_teachers,
    "table of scenes": scene_table,
    "presets": presets,
    "policies of the package": decisions,
    "kinds": kinds,
}
"""What takes a second."""

CASES = RENDERED | LEARNED | MADE


def measure(case: str, inputs: Path, folder: Path) -> Measures:
    """Make and measure one case, on one thread: the order of sums, and so the last bits, depends on their number."""
    torch.set_num_threads(1)
    return CASES[case](inputs, folder)
