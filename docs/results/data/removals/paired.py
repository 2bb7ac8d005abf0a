"""Two policies in the same piles, played only where they say different things: paired.py OUT FIRST_SEED COUNT A B"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import numpy as np

from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime


def main(out: str, first: str, count: str, *folders: str) -> None:
    """Play the piles of some seeds, and write a row for each."""
    prepare_renderer()
    root = os.environ.get("PICKCLUTTER_YCB")
    asked = PolicyEvalConfig(policy="open", objects="ycb", objects_root=root, variants=["zero_shot"])
    runner = RolloutRunner(RolloutConfig.of_command(asked, policies={"zero_shot": "open"}, object_split=0))
    detectors = {folder: StudentDetector(StudentRuntime.load(folder)) for folder in folders}
    for folder, detector in detectors.items():
        runner.use_detector(folder, detector)
    with Path(out).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "target", "visible", "graspable", "same", *(f"success_{one}" for one in "ab")])
        for seed in range(int(first), int(first) + int(count)):
            start = runner.start(seed)
            name = start.info["target_name"]
            graspable = bool(start.info["target_graspable"])
            said = [detector(start.observation, name) for detector in detectors.values()]
            absent = [one.margin < 0 for one in said]
            same = all(absent) or (not any(absent) and np.array_equal(said[0].mask, said[1].mask))
            played = graspable and not same
            success = [int(runner.run(folder, runner.start(seed))["success"]) if played else "" for folder in folders]
            writer.writerow([seed, name, int(start.info["target_visible"]), int(graspable), int(same), *success])


if __name__ == "__main__":
    main(*sys.argv[1:])
