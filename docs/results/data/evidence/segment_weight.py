"""What the map says of a segment, beside its crop, at several weights: segment_weight.py STORE CSV

Of each visible name: whether more than half of the chosen segment is the object. Of all names: F1 at log odds of 0, and
mAP. The policy is `open`, of a store of 256 px with segmentation, depth and the label `visible`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.metrics import multilabel_row
from pickclutter_lang.policy.evidence.second_look import SecondLook
from pickclutter_lang.policy.evidence.text import OF_SEGMENT, Text
from pickclutter_lang.policy.queries import query_of
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)


def main(store: str, out: str) -> None:
    """Measure all weights on a store, and add their rows to a table."""
    settings = SceneDataConfig(cameras=["hand"], crop_size=None, target_label="visible", max_cache_bytes=0)
    piles = SceneDataset(SceneStore.open(store), settings)
    student = StudentRuntime.load("open")
    names = piles.label_names
    text = Text(student)
    second_look = SecondLook(student)
    queries = [query_of(name, student.config.names) for name in names]
    scores = np.full((len(WEIGHTS), len(piles), len(names)), -50.0)
    located = np.zeros(len(WEIGHTS), int)
    labels = piles.labels.bool()
    for row in range(len(piles)):
        view = View.of_observation(student, scene_to_observation(piles, row))
        by_map, by_crop = text(view, queries), second_look(view, queries)
        segmentation = piles.load_images("hand", "segmentation", [row])[0]
        for n, weight in enumerate(WEIGHTS if len(view.numbers) else ()):
            of_segments = weight / OF_SEGMENT * by_map.segments + by_crop.segments
            scores[n, row] = by_map.image + by_crop.image + of_segments.max(axis=1)
            for column in np.flatnonzero(labels[row]).tolist():
                mask = view.mask(int(of_segments[column].argmax()))
                instances = np.ravel(piles.instance_ids([row], [column]))
                on_object = np.isin(segmentation, instances[instances > 0]) & mask
                located[n] += int(on_object.sum() > 0.5 * mask.sum())
        print(row + 1, "of", len(piles), end="\r", flush=True)
    with Path(out).open("a", newline="") as file:
        writer = csv.writer(file)
        for n, weight in enumerate(WEIGHTS):
            figures = multilabel_row(torch.from_numpy(1 / (1 + np.exp(-scores[n]))).float(), labels)
            values = [located[n], int(labels.sum()), round(figures["f1"], 4), round(figures["map"], 4)]
            writer.writerow([Path(store).name, len(piles), weight, *values])


if __name__ == "__main__":
    main(*sys.argv[1:])
