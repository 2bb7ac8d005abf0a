"""Right names of the objects of stored piles, for 5 to all of the taught objects.

python docs/results/data/teaching/number_of_objects.py POLICY STORE CSV
"""

import csv
import sys
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION
from pickclutter_lang.policy.example_memory import crop_metric, keys_of
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.utils.progress import track

DRAWS = 20

policy, folder, file = sys.argv[1:]
student, store = StudentRuntime.load(policy), SceneStore.open(folder)
scenes = SceneDataset(store, SceneDataConfig(cameras=["hand"], crop_size=None, target_label="visible"))
taught, keys, names = student.examples.taught, [], []
for row in track(range(len(store)), "piles"):
    scene, seen = store.scene(row), scene_to_observation(scenes, row)
    segments = segment_observation(seen)
    for slot, actor in enumerate(scene["actors"].tolist()):
        mask = scene["hand_segmentation"] == slot + 1
        if actor < 0 or not scene["visible"][actor] or store.label_names[actor] not in taught:
            continue
        names.append(store.label_names[actor])
        parts = [segments == number for number in np.unique(segments[mask]) if number]
        parts = [part for part in parts if part.mean() >= MIN_AREA_FRACTION]
        best = max(parts, key=lambda part: (part & mask).sum() / (part | mask).sum(), default=None)
        keys.append(None if best is None else keys_of(student.encode_crops(seen["hand_rgb"], [best]))[0])

rng, shown, counted = np.random.default_rng(0), student.examples, []
print("objects | right names, % (objects asked)")
for count in [number for number in (5, 26, 100) if number < len(taught)] + [len(taught)]:
    right, asked = 0, 0
    for draw in range(DRAWS if count < len(taught) else 1):
        kept = set(rng.choice(taught, count, replace=False).tolist())
        examples = shown.forget([name for name in taught if name not in kept]) if count < len(taught) else shown
        rows = [row for row, name in enumerate(names) if name in kept]
        known = [row for row in rows if keys[row] is not None]
        odds = examples.log_odds(np.stack([keys[row] for row in known]), crop_metric())
        hits = sum(examples.taught[best] == names[row] for row, best in zip(known, odds.argmax(axis=1), strict=True))
        counted.append((count, draw, hits, len(rows)))
        right += hits
        asked += len(rows)
    print(f"{count} | {100 * right / asked:.1f} ({right}/{asked})", flush=True)
with Path(file).open("w", newline="") as stream:
    csv.writer(stream, lineterminator="\n").writerows([("objects", "draw", "right", "asked"), *counted])
