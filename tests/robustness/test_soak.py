"""Many resets and picks in one process: memory and open files stay as they are after a while.

`make torture` makes 400 resets and 150 picks, `make test` a few.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from helpers.paths import ROOT
from helpers.writing_commands import TORTURE

RESETS, PICKS = (400, 150) if TORTURE else (40, 6)
WARM_UP = 0.4
"""Part of the calls after which caches are full and allocators have their memory."""
MB_PER_CALL = {"reset": 0.15, "pick": 0.6}
"""A reset that kept its images would keep 0.3 MB, and a pick far more; the allocator's noise is a tenth of that."""
SOAK = """
import json, os, sys
from pathlib import Path
from pickclutter_lang.envs.registration import prepare_simulator
prepare_simulator()
import gymnasium
import torch
import pickclutter_lang.envs
from pickclutter_lang.policy.evaluation.rollout import RolloutConfig, RolloutRunner

torch.set_num_threads(1)

def used():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/fd"))

resets, picks = map(int, sys.argv[1:])
found = {"reset": [], "pick": []}
env = gymnasium.make("PickClutterLang/Proxy-v0", obs_mode="rgbd")
for seed in range(resets):
    env.reset(seed=seed)
    found["reset"].append(used())
env.close()
runner = RolloutRunner(RolloutConfig("PickClutterLang/Proxy-v0", None, "ood", 0.25, "pd_ee_delta_pose", {}, 128))
for seed in range(picks):
    runner.rollout("oracle", seed)
    found["pick"].append(used())
print(json.dumps(found))
"""


@pytest.mark.sim
@pytest.mark.slow
def test_memory_and_open_files_are_flat() -> None:
    pytest.importorskip("sapien", reason="needs the sim extra")
    done = subprocess.run(
        [sys.executable, "-c", SOAK, str(RESETS), str(PICKS)], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, rows in json.loads(done.stdout.splitlines()[-1]).items():
        after = np.array(rows[int(WARM_UP * len(rows)) :])
        slope = np.polyfit(np.arange(len(after)), after[:, 0], 1)[0]
        assert slope < MB_PER_CALL[name], f"{name}: {slope:.3f} MB each, {after[0, 0]:.0f} to {after[-1, 0]:.0f} MB"
        assert len({*after[:, 1]}) == 1, f"{name}: open files {sorted({*after[:, 1]})}"
