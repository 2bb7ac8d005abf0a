"""Time a scene and a step beside ManiSkill 3's own PickClutterYCB-v1, on piles of one file.

In the environment of ManiSkill 3:

    python speed.py EPISODES ROOT OUT.csv    # ROOT: the scans
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

STEPS, WARM_UP = 10, 8
BLOCK = 8
"""Piles of one environment before the other's turn: ours collects garbage in each eighth reset."""


def stock_assets(root: Path, models: set[str], folder: Path) -> None:
    """Lay the scans out as ManiSkill 3's environment reads them: links, and convex parts as PLY."""
    import trimesh

    (folder / "data" / "tasks" / "pick_clutter").mkdir(parents=True)  # it looks for episodes there, and is given others
    own = folder / "data" / "assets" / "mani_skill2_ycb"
    for model in models:
        (own / "models" / model).mkdir(parents=True)
        for path in (root / "models" / model).iterdir():
            (own / "models" / model / path.name).symlink_to(path)
        parts = trimesh.load(root / "models" / model / "collision.obj", force="mesh")
        parts.export(own / "models" / model / "collision.ply")
    (own / "info_pick_v0.json").symlink_to(root / "info_pick_v0.json")


def seconds(call: Callable[[], Any]) -> float:
    """Return the process time of a call, which other processes do not lengthen as they do the wall's."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main(episodes_file: str, root: str, out: str) -> None:
    """Write the seconds of each scene and of its steps."""
    from pickclutter_lang.datasets.scenes.episodes import read_episodes

    episodes = read_episodes(episodes_file)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MS_ASSET_DIR"] = folder
        models = {actor["model_id"] for one in episodes for actor in one["actors"]}
        stock_assets(Path(root).absolute(), models, Path(folder))
        plain = Path(folder) / "episodes.json"
        plain.write_text(json.dumps(episodes))
        from pickclutter_lang.envs.renderer import sapien_names

        sapien_names()
        import gymnasium
        import mani_skill.envs  # noqa: F401 - registers its own

        import pickclutter_lang.envs  # noqa: F401

        given: dict[str, Any] = {"obs_mode": "rgbd", "sim_backend": "physx_cpu", "render_backend": "cpu"}
        given |= {"control_mode": "pd_ee_delta_pose", "episode_json": str(plain)}
        envs: dict[str, Any] = {
            "own": gymnasium.make("PickClutterLang/YCB-v3", objects_root=root, base_camera=False, **given),
            "stock": gymnasium.make("PickClutterYCB-v1", **given),
        }
        rows = []
        action = np.zeros(7, np.float32)
        for first in range(0, len(episodes), BLOCK):
            for number, name in ((n, name) for name in envs for n in range(first, min(first + BLOCK, len(episodes)))):
                reset = seconds(lambda env=envs[name], seed=number: env.reset(seed=seed))
                steps = [seconds(lambda env=envs[name]: env.step(action)) for _ in range(STEPS)]
                rows.append((number, name, round(reset, 4), round(float(np.median(steps)), 4)))
    with Path(out).open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([("reset", "environment", "scene_s", "step_s"), *rows])
    for column, what in ((2, "scene"), (3, "step")):
        found = {name: [row[column] for row in rows if row[1] == name and row[0] >= WARM_UP] for name in envs}
        means = {name: float(np.mean(values)) for name, values in found.items()}
        print(what, "mean seconds", means, "ratio", round(means["stock"] / means["own"], 2))


if __name__ == "__main__":
    main(*sys.argv[1:])
