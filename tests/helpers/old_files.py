"""Folders as version 0.1.0 (revision 3ef96b3) wrote them: its JSON files word for word, tensors of the same names.

`version_0_1_0/` holds what that revision wrote for a run on scenes, a policy folder and a run on single images of the
toy data, with ROOT for the folder that it lay in. `tensors.json` has names, types and shapes of their tensors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from helpers.paths import TESTS

OLD = TESTS / "migration" / "version_0_1_0"


def write_old_folders(root: Path) -> None:
    """Write `run`, `policy_fewshot` and `image_run` into a folder."""
    for path in sorted(path for path in OLD.rglob("*") if path.is_file() and path.parent != OLD):
        target = root / path.relative_to(OLD)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npz":
            target.write_bytes(path.read_bytes())
        else:
            target.write_text(path.read_text().replace("ROOT", str(root)))
    for name, tensors in json.loads((OLD / "tensors.json").read_text()).items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(0)
        save_file({key: _tensor(rng, key, *one) for key, one in sorted(tensors.items())}, target)


def _tensor(rng: np.random.Generator, name: str, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
    if name == "torch":  # a state of torch's generator, which no other bytes are
        return torch.manual_seed(0).get_state().numpy()
    if name.split(".")[0].isdigit() or np.dtype(dtype).kind != "f":  # of the optimizer and the generators
        return np.zeros(shape, dtype)
    values = 0.05 * rng.standard_normal(shape)
    return np.asarray(0.5 + abs(values) if name.endswith("running_var") else values, dtype)
