"""Many resets, picks and requests in one process: memory and open files stay as they are after a while.

`make torture` makes 400 resets, 150 picks, and 1,000 requests to the demo, each with new names. `make test` makes a few
resets and picks, which finds files that stay open, and leaks of megabytes a call alone.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.paths import ROOT
from helpers.torture import TORTURE, only_torture

log = logging.getLogger(__name__)
RESETS, PICKS = (400, 150) if TORTURE else (25, 5)
WARM_UP = 0.4
"""Part of the calls after which caches are full and allocators have their memory."""
MAX_GROWTH_MB = 30.0
"""By the trend after that. 240 resets that kept their images would keep 70 MB, and 90 picks far more."""
REQUESTS, NAMES = 1000, 4
"""Requests to the demo, and new names in each: 600 that kept their maps would keep hundreds of megabytes."""
USED = """
import os
from pathlib import Path

def used():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/fd"))
"""
SOAK = """
import json, os, sys
from pathlib import Path
from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.envs.renderer import sapien_names
sapien_names()
import gymnasium
import torch
import pickclutter_lang.envs
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner

torch.set_num_threads(1)
resets, picks = map(int, sys.argv[1:])
found = {"reset": [], "pick": []}
env = gymnasium.make(environment_id("proxy"), obs_mode="rgbd")
for seed in range(resets):
    env.reset(seed=seed)
    found["reset"].append(used())
env.close()
runner = RolloutRunner(RolloutConfig(absent_probability=0.25, camera_size=128))
for seed in range(picks):
    runner.rollout("oracle", seed)
    found["pick"].append(used())
print(json.dumps(found))
"""
DEMO = """
import json, os, sys, urllib.request
from pathlib import Path
from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.page import open_session, serve

policy, port, requests, names = sys.argv[1], *map(int, sys.argv[2:])
found = {"request": []}
with open_session(DemoConfig(policy=policy, num_threads=1)) as session, serve(session, port) as url:
    call = f"{url}gradio_api/call/show"
    for number in range(requests):
        text = ",".join(f"thing {number} {name}" for name in range(names))
        body, kind = json.dumps({"data": [0, None, text]}).encode(), {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(call, body, kind)) as reply:
            event = json.load(reply)["event_id"]
        with urllib.request.urlopen(f"{call}/{event}") as reply:
            assert f"thing {number} 0".encode() in reply.read()
        found["request"].append(used())
print(json.dumps(found))
"""


def check_flat(code: str, *arguments: object, open_files: int) -> None:
    """Run a program that prints what it used after each call; check that it stays so after a while, and log it.

    :param open_files: so many may come and go, as those of a server's connections do
    """
    done = subprocess.run(
        [sys.executable, "-c", USED + code, *map(str, arguments)], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, rows in json.loads(done.stdout.splitlines()[-1]).items():
        after = np.array(rows[int(WARM_UP * len(rows)) :])
        growth = len(after) * np.polyfit(np.arange(len(after)), after[:, 0], 1)[0]
        memory = f"{rows[0][0]:.0f} MB after 1, {after[0, 0]:.0f} MB after {len(rows) - len(after) + 1}"
        memory += f", {after[-1, 0]:.0f} MB after {len(rows)}"
        log.info("%s: %s, trend %+.1f MB; open files %s", name, memory, growth, sorted({*after[:, 1].astype(int)}))
        assert growth < MAX_GROWTH_MB, f"{name}: {growth:.1f} MB more in {len(after)}, to {after[-1, 0]:.0f} MB"
        assert np.ptp(after[:, 1]) <= open_files, f"{name}: open files {sorted({*after[:, 1]})}"


@pytest.mark.sim
@pytest.mark.slow
def test_memory_and_open_files_are_flat() -> None:
    pytest.importorskip("sapien", reason="needs the sim extra")
    check_flat(SOAK, RESETS, PICKS, open_files=0)


@pytest.mark.sim
@pytest.mark.slow
@only_torture
def test_the_demo_keeps_nothing_of_new_names(inputs: Path) -> None:
    pytest.importorskip("gradio", reason="needs the demo extra")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    check_flat(DEMO, inputs / "policy", port, REQUESTS, NAMES, open_files=20)
