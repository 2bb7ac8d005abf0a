"""The cases of golden values, by name. Names of cases and measures are the keys of `values.json`: they stay.

The modules `golden_rendered`, `golden_learned`, `golden_policies` and `golden_made` alone call the package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from golden_learned import PICTURE_RUNS, SCENE_RUNS, picture_files, picture_run, scene_run
from golden_made import (
    embedded_teachers,
    kinds,
    picture_tables,
    presets,
    scene_table,
    teacher_of_files,
    teacher_of_renders,
)
from golden_measures import Measures
from golden_policies import answers, episodes
from golden_rendered import stores, views

from helpers.paths import scanned_objects

Case = Callable[[Path, Path], Measures]
"""Makes small things in a folder of its own and measures them; the first folder is of inputs that cases share."""


_YCB = str(scanned_objects() or "") or None
RENDERED: dict[str, Case] = {
    "stores, made": partial(stores, "proxy", None),
    "stores, scanned": partial(stores, "ycb", _YCB),
    "views, made": partial(views, "proxy", None),
    "views, scanned": partial(views, "ycb", _YCB),
    "episodes, made": partial(episodes, "PickClutterLang/Proxy-v0", None, "pd_ee_delta_pose"),
    "episodes, scanned": partial(episodes, "PickClutterLang/YCB-v0", _YCB, "pd_joint_delta_pos"),
}
"""What needs the simulator; `scanned` what needs the real objects too."""

LEARNED: dict[str, Case] = {
    **{f"scenes, {key}": partial(scene_run, key) for key in SCENE_RUNS},
    **{f"pictures, {key}": partial(picture_run, key) for key in PICTURE_RUNS},
    "pictures, files": picture_files,
    "policy, few": partial(answers, "few"),
    "policy, zero": partial(answers, "zero"),
    "teacher, renders": teacher_of_renders,
    "teacher, files": teacher_of_files,
}
"""What is trained, or is asked after training."""

MADE: dict[str, Case] = {
    "teachers of the package": embedded_teachers,
    "table of scenes": scene_table,
    "tables of pictures": picture_tables,
    "presets": presets,
    "kinds": kinds,
}
"""What takes a second."""

CASES = RENDERED | LEARNED | MADE


def measure(case: str, inputs: Path, folder: Path) -> Measures:
    """Make and measure one case, on one thread: the order of sums, and so the last bits, depends on their number."""
    torch.set_num_threads(1)
    return CASES[case](inputs, folder)
