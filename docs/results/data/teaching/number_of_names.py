"""Right names of generated objects, for 5 to 1,000 taught names: five views of each are taught, a sixth is asked.

python docs/results/data/teaching/number_of_names.py VIEWS CSV

A name is one object ("objects"), or a kind that five other objects of it show, by a view each ("kinds").
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric, keys_of
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.progress import track

SHOTS = 5
COUNTS = (5, 100, 1000)
DRAWS = 5

views = ObjectViewDataset.open(sys.argv[1])
student = StudentRuntime.load("open")
metric = crop_metric()
rng = np.random.default_rng(0)
of_object = [np.flatnonzero(views.object_index == n)[: SHOTS + 1] for n in range(len(views.objects))]
of_kind = defaultdict(list)
for n, about in enumerate(views.objects):
    of_kind[about["kind"]].append(of_object[n][0])
chosen = sorted(rng.choice(len(of_object), max(COUNTS), replace=False).tolist())
names = {
    "objects": {f"object {n:04d}": of_object[n] for n in chosen},
    "kinds": {kind: rng.permutation(rows)[: SHOTS + 1] for kind, rows in of_kind.items()},
}
taught, asked = {}, {}
for row in track(sorted({int(row) for rows in names.values() for own in rows.values() for row in own}), "views"):
    features = student.encode_crops(views.rgb[row], [views.mask[row]], turns=4)
    taught[row], asked[row] = keys_of(features)[0], keys_of(features[:1])[0]

counted = []
print("a name is | names | right, % | own name called present, % | some other name called present, %")
for what, rows in names.items():
    for count in [count for count in COUNTS if count < len(rows)] + [len(rows)]:
        told = np.zeros(4, int)
        for draw in range(DRAWS if count < len(rows) else 1):
            kept = sorted(rng.choice(list(rows), count, replace=False).tolist())
            keys = np.stack([taught[int(row)] for name in kept for row in rows[name][:SHOTS]])
            owners = tuple(name for name in kept for _ in range(SHOTS))
            memory = ExampleMemory(metric.encoder, owners, keys)
            odds = memory.log_odds(np.stack([asked[int(rows[name][SHOTS])] for name in kept]), metric)
            own = odds.diagonal()
            right = odds.argmax(axis=1) == np.arange(count)
            others = np.where(np.eye(count, dtype=bool), -np.inf, odds).max(axis=1)
            found = [count, int(right.sum()), int((own >= 0).sum()), int((others >= 0).sum())]
            counted.append((what, count, draw, *found[1:]))
            told += found
        print(f"{what} | {count} | " + " | ".join(f"{100 * part / told[0]:.1f}" for part in told[1:]), flush=True)
with Path(sys.argv[2]).open("w", newline="") as stream:
    header = ("a name is", "names", "draw", "right", "own called present", "other called present")
    csv.writer(stream, lineterminator="\n").writerows([header, *counted])
