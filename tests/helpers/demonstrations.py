"""Demonstrations without a simulator: trajectories of random arrays in the files that `collect-demos` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pickclutter_lang.demonstrations.trajectories import RECORD, find_episodes, merge, part_path

FILE = "trajectory.rgbd.pd_ee_delta_pose.h5"
TASKS = ("pick up the fork", "I need the mug", "pick up the fork")


def write_toy_part(path: Path, seed: int, steps: int, side: int) -> None:
    """Write an episode of random numbers, and images whose brightness tells the step."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 30, (steps + 1, side, side, 3)) + (20 * np.arange(steps + 1) % 200)[:, None, None, None]
    arrays: dict[str, Any] = {
        "obs/agent/qpos": rng.normal(size=(steps + 1, 9)).astype(np.float32),
        "obs/agent/base_pose": np.tile(np.array([-0.6, 0, 0, 1, 0, 0, 0], np.float32), (steps + 1, 1)),
        "obs/extra/tcp_pose": rng.normal(size=(steps + 1, 7)).astype(np.float32),
        "obs/extra/goal_pos": np.tile(rng.normal(size=3), (steps + 1, 1)),
        "obs/extra/obj_start_pos": np.tile(rng.normal(size=3), (steps + 1, 1)),
        "grasp_annotations/pose": np.array(
            [[*rng.normal(size=3), 0, 1, 0, 0], [*rng.normal(size=3), 0, 1, 0, 0]], np.float32
        ),
        "grasp_annotations/outcome": np.array([2, -1], np.int8),
        "grasp_annotations/decision": np.zeros(2, np.int32),
        "obs/image/hand_camera/rgb": images.astype(np.uint8),
        "obs/image/hand_camera/depth": rng.integers(0, 1024, (steps + 1, side, side, 1)).astype(np.uint16),
        "actions": rng.uniform(-1, 1, (steps, 7)).astype(np.float32),
        "success": np.arange(steps) == steps - 1,
        "env_states": rng.normal(size=(steps + 1, 20)).astype(np.float32),
    }
    record = {
        "episode_seed": seed,
        "reset_kwargs": {"seed": seed},
        "control_mode": "pd_ee_delta_pose",
        "elapsed_steps": steps,
        **({"success": True} if seed else {"info": {"success": True}}),  # as of 0.3.0
        "instruction": TASKS[seed % len(TASKS)],
        "target": TASKS[seed % len(TASKS)].split()[-1],
        "objects": ["fork", "mug"],
        "model_ids": ["030_fork", "025_mug"],
    }
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[f"traj_0/{name}"] = values
        file["traj_0"].attrs[RECORD] = json.dumps(record)


def make_toy_demos(folder: Path, episodes: int = 3, side: int = 32) -> Path:
    """Write demonstrations of 4, 5, 6, ... steps, and return their folder."""
    (folder / "parts").mkdir(parents=True)
    for seed in range(episodes):
        write_toy_part(part_path(folder, seed), seed, 4 + seed, side)
    merge(folder, FILE, find_episodes(folder, FILE), {"env_info": {"env_kwargs": {"objects": "proxy"}}})
    return folder
