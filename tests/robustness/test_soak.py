"""Many resets and picks in one process: memory and open files stay as they are after a while.

`make torture` makes 400 resets and 150 picks. `make test` makes a few, which finds files that stay open, and leaks of
megabytes a call alone.
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
MAX_GROWTH_MB = 30.0
"""By the trend after that. 240 resets that kept their images would keep 70 MB, and 90 picks far more."""
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
        growth = len(after) * np.polyfit(np.arange(len(after)), after[:, 0], 1)[0]
        assert growth < MAX_GROWTH_MB, f"{name}: {growth:.1f} MB more in {len(after)}, to {after[-1, 0]:.0f} MB"
        assert len({*after[:, 1]}) == 1, f"{name}: open files {sorted({*after[:, 1]})}"
