"""Play stored piles in the simulator that is installed, and compare two: see docs/results/maniskill3.md.

In the environment of each simulator:

    python compare.py play EPISODES OBJECTS ROOT VARIANT [POLICY]   # adds what is missing to maniskill2.csv or 3.csv
    python compare.py look EPISODES OBJECTS ROOT OUT.npz            # images, and poses at the start and after a second

ROOT is the folder of the scans, "" of generated objects.

Then, in either:

    python compare.py pair                                          # paired.csv of both
    python compare.py differ TWO.npz THREE.npz                      # poses.csv, pixels.csv and the picture
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from PIL import Image

from pickclutter_lang.datasets.scenes.episodes import read_episodes
from pickclutter_lang.envs.simulator import simulator
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner

HERE = Path(__file__).parent
NAMES = {
    "oracle": "told by the simulator",
    "few_shot": "`ycb`",
    "zero_shot": "`open`",
    "student": "student of ManiSkill 3's scenes, proxy piles",
}
COLUMNS = ("variant", "seed", "target", "present", "visible", "graspable", "success", "declared_absent", "located")
SHOWN = 12  # the pile of the picture
ABOVE_GRIPPER = slice(0, 176)  # rows of 256


class Stored(gym.Wrapper[Any, Any, Any, Any]):
    """The episode of seed k is number k of the file."""

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> Any:
        """Start it."""
        return self.env.reset(seed=seed, options={**(options or {}), "episode": seed})


class Config(RolloutConfig):
    """Episodes of a file."""

    file = ""

    def env_arguments(self, hand_size: int, base_size: int = 0) -> dict[str, Any]:
        """Return the arguments of the environment."""
        return super().env_arguments(hand_size, base_size) | {"episode_json": Config.file}


def runner_of(file: str, objects: str, root: str, policy: str | None = None) -> RolloutRunner:
    """Return what plays the episodes of a file."""
    Config.file = file
    policies = {} if policy is None else {"few_shot": policy}
    return RolloutRunner(Config(objects, root or None, absent_probability=0.25, policies=policies), wrap=Stored)


def play(file: str, objects: str, root: str, variant: str, policy: str | None = None) -> None:
    """Add the episodes of a variant that are missing, each when it has ended."""
    if (variant == "oracle") != (policy is None):
        sys.exit("expected a policy, but for the oracle")
    path = HERE / f"{simulator().name}.csv"
    there = {int(row["seed"]) for row in read(path) if row["variant"] == variant}
    runner = runner_of(file, objects, root, policy)
    for seed in sorted({*range(len(read_episodes(file)))} - there):
        found = runner.run("oracle" if policy is None else "few_shot", runner.start(seed)) | {"variant": variant}
        row = [{True: 1, False: 0}.get(value, value) for value in map(found.get, COLUMNS[3:])]
        with path.open("a", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow([*map(found.get, COLUMNS[:3]), *row])


def look(file: str, objects: str, root: str, out: str) -> None:
    """Write images, and poses at the start and after a second."""
    runner = runner_of(file, objects, root)
    arrays = dict[str, Any]()
    for seed in range(len(read_episodes(file))):
        start = runner.start(seed)
        before = runner.inner.unwrapped.pile().poses
        for _ in range(20):
            runner.inner.step(np.array([0, 0, 0, 0, 0, 0, 1], np.float32))
        arrays[f"poses_{seed}"] = np.stack([before, runner.inner.unwrapped.pile().poses])
        arrays |= {f"{key}_{seed}": start.observation[f"hand_{key}"] for key in ("rgb", "depth")}
    np.savez_compressed(out, **arrays)


def pair() -> None:
    """Write counts in both simulators, of the piles that both have."""
    both = [{(row["variant"], int(row["seed"])): row for row in read(HERE / f"maniskill{n}.csv")} for n in (2, 3)]
    rows = []
    for variant in NAMES:
        keys = sorted(key for key in both[0].keys() & both[1].keys() if key[0] == variant)
        if keys:
            rows.append(shares(variant, *([found[key] for key in keys] for found in both)))
    write(HERE / "paired.csv", list(rows[0]), [list(row.values()) for row in rows])


def shares(variant: str, two: Sequence[Mapping[str, str]], three: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return counts in both simulators, and how often one alone succeeded."""

    def counts(key: str, among: str, wanted: str = "1") -> str:
        chosen = [n for n, row in enumerate(two) if row[among] == wanted]
        return " / ".join(str(sum(rows[n][key] == "1" for n in chosen)) for rows in (two, three)) + f" of {len(chosen)}"

    pairs = [(a["success"] == "1", b["success"] == "1") for a, b in zip(two, three, strict=True)]
    only = [sum(pair == wanted for pair in pairs) for wanted in ((True, False), (False, True))]
    return {
        "ManiSkill2 / 3": NAMES[variant],
        "piles": str(len(two)),
        "graspable: placed": counts("success", "graspable"),
        "present: placed": counts("success", "present"),
        "visible: called absent": counts("declared_absent", "visible"),
        "absent: called absent": counts("declared_absent", "present", "0"),
        "succeeded in one only": " / ".join(map(str, only)),
    }


def differ(two: str, three: str) -> None:
    """Write how far poses and images are apart, and a picture."""
    looks = [np.load(name) for name in (two, three)]
    numbers = range(sum(key.startswith("rgb") for key in looks[0]))
    poses = []
    pixels = []
    for n in numbers:
        starts, ends = zip(*(look[f"poses_{n}"] for look in looks), strict=True)
        apart = 1000 * np.linalg.norm(ends[0][:, :3] - ends[1][:, :3], axis=1)
        turned = np.rad2deg(2 * np.arccos(np.clip(np.abs((ends[0][:, 3:] * ends[1][:, 3:]).sum(1)), 0, 1)))
        moved = [1000 * np.linalg.norm(end[:, :3] - starts[0][:, :3], axis=1) for end in ends]
        poses += [[n, *np.round(row, 3)] for row in zip(apart, turned, *moved, strict=True)]
        colors = np.abs(looks[0][f"rgb_{n}"].astype(int) - looks[1][f"rgb_{n}"]).max(-1)
        near = np.abs(looks[0][f"depth_{n}"] - looks[1][f"depth_{n}"]) < 0.0021
        parts = [colors[rows] <= most for rows in (slice(None), ABOVE_GRIPPER) for most in (0, 8)]
        pixels.append([n, *np.round([*(part.mean() for part in parts), near.mean()], 4)])
        if n == SHOWN:
            shown = [look[f"rgb_{n}"] for look in looks] + [np.repeat(4 * colors[..., None], 3, -1)]
            picture = Image.fromarray(np.clip(np.concatenate(shown, 1), 0, 255).astype(np.uint8))
            picture.save(HERE.parents[2] / "images" / "simulators.png")
    names = "mm_apart", "degrees_apart", "mm_moved_in_2", "mm_moved_in_3"
    write(HERE / "poses.csv", ["pile", *names], poses)
    write(HERE / "pixels.csv", ["pile", "equal", "within_8", "equal_above", "within_8_above", "depth_2mm"], pixels)
    for name, column in zip(names, np.array(poses)[:, 1:].T, strict=True):
        print(name, "median, 90%, 99%, largest", np.percentile(column, [50, 90, 99, 100]).round(2))
    print("pixels, means", np.array(pixels)[:, 1:].mean(0).round(3))


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([heads, *rows])


if __name__ == "__main__":
    {"play": play, "look": look, "pair": pair, "differ": differ}[sys.argv[1]](*sys.argv[2:])
