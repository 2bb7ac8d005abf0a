"""Top-1 of `pocket` on the visible objects of stored piles of YCB scans, among the paper's 26 names, in percent.

    python docs/results/data/teacher/objects_alone.py STORE CSV

Each is shown with what surrounds it, and alone on gray at the size of crops, as detectors and distillation show it.
Intervals are over names.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.crops import object_crops
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.results.intervals import share
from pickclutter_lang.teacher_training.render_batches import visible_instances
from pickclutter_lang.teachers.pocket import load_pocket_teacher
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE
from pickclutter_lang.utils.constants import ROBOT_SEGMENT

store = SceneStore.open(sys.argv[1])
catalog = paper_catalog()
teacher = load_pocket_teacher()
names = list(dict.fromkeys(item.name for item in catalog))
texts = teacher.encode_text([PHOTO_TEMPLATE.format(label=name) for name in names])
rgb = store.images("hand", "rgb")
segments = store.images("hand", "segmentation")
actors = store.array("actors")
shown = [
    (row, number, catalog.find(store.model_ids[actors[row, number - 1]]).name)
    for row in range(len(store))
    for number in visible_instances(segments[row])
    if number < ROBOT_SEGMENT and actors[row, number - 1] < len(store.model_ids)
]
true = [name for *_, name in shown]
unseen = {item.name for item in catalog if item.split == "ood"}
counted = []
for how, seen_by, size in (("with surroundings", teacher, None), ("alone", teacher.for_objects(), 112)):
    named = []
    for first in range(0, len(shown), 64):
        rows, numbers, _ = zip(*shown[first : first + 64], strict=True)
        crops = object_crops(rgb[list(rows)], segments[list(rows)] == np.array(numbers)[:, None, None], size)
        best = (seen_by.encode_image(seen_by.preprocess(crops)) @ texts.T).argmax(dim=1)
        named += [names[k] for k in best.tolist()]
    right = Counter(b for a, b in zip(named, true, strict=True) if a == b)
    counted += [(how, name, int(name in unseen), right[name], count) for name, count in Counter(true).items()]
    for group, chosen in (("all", set(names)), ("unseen", unseen)):
        hits = [(a == b, b) for a, b in zip(named, true, strict=True) if b in chosen]
        found = share([hit for hit, _ in hits], [name for _, name in hits])
        print(
            f"{how}, {group}: {100 * found.mean:.1f} ({100 * found.low:.0f} to {100 * found.high:.0f}) of {len(hits)}"
        )
with Path(sys.argv[2]).open("w", newline="") as stream:
    csv.writer(stream, lineterminator="\n").writerows([("shown", "name", "unseen", "right", "objects"), *counted])
