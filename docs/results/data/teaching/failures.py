"""Draw the first failures of `ycb` in closed loop: what it takes for the target (white edge), and the target (green).

python docs/results/data/teaching/failures.py OBJECTS_ROOT docs/images/failures.jpg
"""

import csv
import sys
from pathlib import Path

import numpy as np

from pickclutter_lang.evaluation.drawing import draw_detection
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy_folder.folder import policy_folder
from pickclutter_lang.utils.images import Cell, contact_sheet

with (Path(__file__).parent / "loop.csv").open() as stream:
    rows = {(row["variant"], row["seed"]): row for row in csv.DictReader(stream)}
failed = [
    seed
    for (variant, seed), row in rows.items()
    if variant == "ycb" and rows["oracle", seed]["success"] == "1" == row["graspable"] and row["success"] == "0"
]
config = RolloutConfig(
    objects="ycb",
    objects_root=sys.argv[1],
    absent_probability=0.25,
    policies={"zero_shot": str(policy_folder("ycb"))},
)
runner = RolloutRunner(config)
cells = []
detector = StudentDetector(runner.student)
for seed in sorted(map(int, failed))[:12]:
    start = runner.start(seed)
    row = rows["ycb", str(seed)]
    found = detector(start.observation, row["target"])
    image = draw_detection(start.observation["hand_rgb"], found)
    true = np.pad(start.observation["mask"] > 0, 1)
    inside = true[1:-1, 1:-1]
    image[inside & ~(true[2:, 1:-1] & true[:-2, 1:-1] & true[1:-1, 2:] & true[1:-1, :-2])] = 0, 220, 0
    what = "called absent" if row["declared_absent"] == "1" else "another one lifted"
    if row["declared_absent"] == "0" and row["wrong_objects"] == "0":
        what = "not brought to the goal"
    cells.append(Cell([image], [(row["target"], "black"), (f"{what}, {found.score:.2f}", "gray")]))
contact_sheet(cells, 4, 224).save(sys.argv[2])
