"""Time decisions on stored piles, on one core: by name alone (`open`), and where objects were shown (`ycb`).

OMP_NUM_THREADS=1 python docs/results/data/teaching/decision_time.py STORE CSV
"""

import csv
import sys
import time
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation

store = SceneStore.open(sys.argv[1])
scenes = SceneDataset(store, SceneDataConfig(cameras=["hand"], crop_size=None, target_label="visible"))
detectors = {policy: StudentDetector(StudentRuntime.load(policy)) for policy in ("open", "ycb")}
seconds: dict[str, list[float]] = {policy: [] for policy in detectors}
for row in range(80):
    seen, name = scene_to_observation(scenes, row), store.label_names[row % len(store.label_names)]
    for policy, detector in detectors.items():  # in turns, so that changes of load affect both alike
        start = time.perf_counter()
        detector(seen, name)
        seconds[policy].append(time.perf_counter() - start)
for policy, own in seconds.items():
    middle, late = np.quantile(own[10:], [0.5, 0.9]) * 1000  # the first ones warm up
    print(f"{policy}, {store.image_size} px: median {middle:.0f} ms, 90% below {late:.0f} ms")
with Path(sys.argv[2]).open("a", newline="") as stream:
    rows = [(store.image_size, policy, f"{1000 * x:.1f}") for policy, own in seconds.items() for x in own[10:]]
    csv.writer(stream, lineterminator="\n").writerows(rows)
