"""Play stored piles in the simulator that is installed, and compare two: see docs/results/maniskill3.md.

python compare.py play EPISODES OBJECTS_ROOT OUT    # in the environment of each simulator
python compare.py compare OUT OUT                   # ManiSkill2's first; prints poses and pixels, writes the rest
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
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner

HERE = Path(__file__).parent
POLICIES = {"few_shot": "ycb", "zero_shot": "open"}
NAMES = {"oracle": "told by the simulator", **{key: f"`{name}`" for key, name in POLICIES.items()}}
COLUMNS = ("variant", "seed", "target", "present", "visible", "graspable", "success", "declared_absent", "located")
SHOWN = 12  # the pile of the picture


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


def play(file: str, root: str, out: Path) -> None:
    """Write `episodes.csv`, and `looks.npz`: images, and poses at the start and after a second."""
    Config.file, number = file, len(read_episodes(file))
    out.mkdir(parents=True, exist_ok=True)
    runner = RolloutRunner(Config("ycb", root, absent_probability=0.25, policies=POLICIES), wrap=Stored)
    rows: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for seed in range(number):
        start, before = runner.start(seed), runner.inner.unwrapped.pile().poses
        for _ in range(20):
            runner.inner.step(np.array([0, 0, 0, 0, 0, 0, 1], np.float32))
        arrays[f"poses_{seed}"] = np.stack([before, runner.inner.unwrapped.pile().poses])
        arrays |= {f"{key}_{seed}": start.observation[f"hand_{key}"] for key in ("rgb", "depth")}
        rows += [runner.run(variant, runner.start(seed)) for variant in NAMES]
    np.savez_compressed(out / "looks.npz", **arrays)
    write(out / "episodes.csv", list(rows[0]), [list(row.values()) for row in rows])


def compare(two: Path, three: Path) -> None:
    """Write episodes of both, their shares and a picture; print the differences of poses and images."""
    found = [list(csv.DictReader((folder / "episodes.csv").open(newline=""))) for folder in (two, three)]
    for name, rows in zip(("maniskill2", "maniskill3"), found, strict=True):
        values = [[{"True": 1, "False": 0}.get(row[key], row[key]) for key in COLUMNS] for row in rows]
        write(HERE / f"{name}.csv", COLUMNS, values)
    table = [
        shares(variant, *([row for row in rows if row["variant"] == variant] for rows in found)) for variant in NAMES
    ]
    write(HERE / "paired.csv", list(table[0]), [list(row.values()) for row in table])
    looks = [np.load(folder / "looks.npz") for folder in (two, three)]
    numbers = range(len(found[0]) // len(NAMES))
    poses = [[look[f"poses_{n}"] for n in numbers] for look in looks]
    ends = [np.concatenate([pair[1] for pair in own]) for own in poses]
    starts = np.concatenate([pair[0] for pair in poses[0]])
    apart = 1000 * np.linalg.norm(ends[0][:, :3] - ends[1][:, :3], axis=1)
    turned = np.rad2deg(2 * np.arccos(np.clip(np.abs((ends[0][:, 3:] * ends[1][:, 3:]).sum(1)), 0, 1)))
    for name, values in (("mm apart", apart), ("degrees apart", turned)):
        print(len(starts), "objects after a second,", name, np.percentile(values, [50, 90, 99, 100]).round(2))
    for name, own in zip(("maniskill2", "maniskill3"), ends, strict=True):
        moved = 1000 * np.linalg.norm(own[:, :3] - starts[:, :3], axis=1)
        print(name, "moved, mm", np.percentile(moved, [50, 90, 99, 100]).round(2))
    images = [np.stack([look[f"rgb_{n}"] for n in numbers]).astype(int) for look in looks]
    depths = [np.stack([look[f"depth_{n}"] for n in numbers]) for look in looks]
    differ, upper = np.abs(images[0] - images[1]).max(-1), slice(0, 176)  # the gripper is below
    print("colors equal", (differ == 0).mean(), "within 8", (differ <= 8).mean(), "above the gripper", end=" ")
    print((differ[:, upper] == 0).mean(), (differ[:, upper] <= 8).mean())
    print("depth within 2 mm", (np.abs(depths[0] - depths[1]) < 0.0021).mean())
    shown = np.concatenate([images[0][SHOWN], images[1][SHOWN], np.repeat(4 * differ[SHOWN][..., None], 3, -1)], 1)
    Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8)).save(HERE.parents[2] / "images" / "simulators.png")


def shares(variant: str, two: Sequence[Mapping[str, str]], three: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return counts in both simulators, and how often one alone succeeded."""

    def counts(key: str, among: str, wanted: str = "True") -> str:
        chosen = [n for n, row in enumerate(two) if row[among] == wanted]
        return (
            " / ".join(str(sum(rows[n][key] == "True" for n in chosen)) for rows in (two, three)) + f" of {len(chosen)}"
        )

    pairs = [(a["success"] == "True", b["success"] == "True") for a, b in zip(two, three, strict=True)]
    only = [sum(pair == wanted for pair in pairs) for wanted in ((True, False), (False, True))]
    return {
        "ManiSkill2 / 3": NAMES[variant],
        "graspable: placed": counts("success", "graspable"),
        "present: placed": counts("success", "present"),
        "visible: called absent": counts("declared_absent", "visible"),
        "absent: called absent": counts("declared_absent", "present", "False"),
        "succeeded in one alone": " / ".join(map(str, only)),
    }


def write(path: Path, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([heads, *rows])


if __name__ == "__main__":
    if sys.argv[1] == "play":
        play(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        compare(Path(sys.argv[2]), Path(sys.argv[3]))
