"""Segments of stored scenes: those around the objects alone, beside those of the full image, and the true objects.

For each object that covers at least 0.2% of the image: the largest IoU of a segment with it, and the IoU of all
segments that lie mostly on it. Intervals (95%) are of a bootstrap over scenes, of the difference from the full image.

    pickclutter collect-scenes objects=ycb split=id scenes=200 image_size=176 graspable=false out=runs/id176
    OMP_NUM_THREADS=1 python scripts/profiling/segments_on_scenes.py runs/id176 --margins 2 4 8 16
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.manipulation.segmentation import SegmentationConfig
from pickclutter_lang.policy.detectors import segment_observation
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.utils.constants import ROBOT_SEGMENT

_HEADER = ["segmented", "times as fast", "best IoU, %", "gain", "IoU of all, %", "gain of it", "equal scenes"]
_SMALLEST, _RESAMPLES = 0.002, 2000


class Found(NamedTuple):
    """Of each scene, the sums over its objects of both IoUs, their number, the milliseconds; and equal scenes."""

    best: list[float]
    joined: list[float]
    objects: list[int]
    times: list[float]
    equal: list[bool]


def overlaps(segments: NDArray[np.int64], truth: NDArray[np.uint8]) -> tuple[float, float, int]:
    """Return the sums over true objects of the best IoU and of that of joined segments, and the number of objects.

    The robot, whose fingers are in view, is no object.
    """
    common = np.zeros((int(segments.max()) + 1, 256))
    np.add.at(common, (segments.ravel(), truth.ravel()), 1)
    sizes, areas = common.sum(axis=1), common.sum(axis=0)
    objects = np.flatnonzero(areas[1:ROBOT_SEGMENT] >= _SMALLEST * truth.size) + 1
    shared = common[1:, objects]
    best = (shared / (sizes[1:, None] + areas[objects] - shared)).max(axis=0, initial=0)
    mine = shared > 0.5 * sizes[1:, None]
    inside = (shared * mine).sum(axis=0)
    joined = inside / ((sizes[1:, None] * mine).sum(axis=0) + areas[objects] - inside)
    return float(best.sum()), float(joined.sum()), len(objects)


def main() -> None:
    """Segment each scene in each way, in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path, help="scene store with the hand camera's depth")
    parser.add_argument("--margins", type=int, nargs="+", default=[4], help="pixels around the objects")
    parser.add_argument("--scenes", type=int, default=200, help="number of scenes, from the first one")
    options = parser.parse_args()
    data = SceneDataConfig(crop_size=None, target_label="present")
    scenes = SceneDataset(SceneStore.open(options.store), data)
    found = {margin: Found([], [], [], [], []) for margin in (None, *options.margins)}
    for row in range(min(options.scenes, len(scenes))):
        look, truth = scene_to_observation(scenes, row), scenes.load_images("hand", "segmentation", [row])[0]
        full = None
        for margin, ours in found.items():
            start = time.perf_counter()
            segments = segment_observation(look, SegmentationConfig(margin_px=margin))
            ours.times.append(1000 * (time.perf_counter() - start))
            full = segments if full is None else full
            values = overlaps(segments, truth.astype(np.uint8))
            for kept, value in zip((ours.best, ours.joined, ours.objects), values, strict=True):
                kept.append(value)  # type: ignore[arg-type]
            ours.equal.append(bool((segments == full).all()))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_HEADER)
    for margin, ours in found.items():
        writer.writerow(line("the full image" if margin is None else f"objects and {margin} px", ours, found[None]))


def line(title: str, ours: Found, full: Found) -> list[str]:
    """Return a row of the table."""
    count, cells = np.array(ours.objects), []
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(count), (_RESAMPLES, len(count)))
    for mine, theirs in ((ours.best, full.best), (ours.joined, full.joined)):
        gaps = np.subtract(mine, theirs)
        low, high = np.percentile(100 * gaps[drawn].sum(axis=1) / count[drawn].sum(axis=1), [2.5, 97.5])
        gap = 100 * gaps.sum() / count.sum()
        difference = "" if ours is full else f"{gap:+.2f} ({low:+.2f} to {high:+.2f})"
        cells += [f"{100 * np.sum(mine) / count.sum():.2f}", difference]
    faster = np.median(np.array(full.times) / ours.times)
    return [title, f"{faster:.1f}", *cells, f"{sum(ours.equal)} of {len(count)}"]


if __name__ == "__main__":
    main()
