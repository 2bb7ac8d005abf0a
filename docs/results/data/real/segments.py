"""Prints how many labeled objects of real frames have a segment, and writes each object's IoU into `segments.csv`.

    python segments.py FOLDER [side=256] [frames=pc,gr,sg,yv] [out=segments.csv]

FOLDER has `annotations.json` with the names of labels, `frames/<id>_color.png`, `_depth.png` (millimeters),
`_camera.json` (OpenCV's K), and `_label.png`. Frames are scaled so that their longer side has `side` pixels. The table
is found. Objects have at least 0.1% of the image. Settings were chosen on `pc,gr,sg,yv`; all others are the reported
half.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pickclutter_lang.manipulation.segmentation import segment_rgbd
from pickclutter_lang.manipulation.table import find_table

CHOSEN_ON = ("pc", "gr", "sg", "yv")
options = {
    "side": "256",
    "frames": ",".join(CHOSEN_ON),
    "out": "segments.csv",
    **dict(word.split("=") for word in sys.argv[2:]),
}
annotated = json.loads(Path(sys.argv[1], "annotations.json").read_text())["frames"]
rows = [("half", "frame", "name", "iou")]
overlaps = []
others = 0
table_ms = []
segment_ms = []
for path in sorted(Path(sys.argv[1], "frames").glob("*_depth.png")):
    name = path.name.removesuffix("_depth.png")
    if not name.startswith(tuple(options["frames"].split(","))):
        continue
    color = Image.open(path.with_name(f"{name}_color.png")).convert("RGB")
    depth = np.asarray(Image.open(path)) / 1000
    labels = np.asarray(Image.open(path.with_name(f"{name}_label.png")))
    intrinsic = np.array(json.loads(path.with_name(f"{name}_camera.json").read_text())["K"])
    intrinsic[:2, 2] += 0.5
    start = time.process_time()
    table = find_table(depth, intrinsic)
    table_ms.append(1000 * (time.process_time() - start))
    factor = int(options["side"]) / max(color.size)
    size = (round(color.width * factor), round(color.height * factor))
    small = np.asarray(color.resize(size, Image.Resampling.BOX))
    nearest = np.asarray(Image.fromarray(depth.astype(np.float32)).resize(size, Image.Resampling.NEAREST))
    start = time.process_time()
    segments = segment_rgbd(small, nearest, np.diag([factor, factor, 1]) @ intrinsic, table.pose)
    segment_ms.append(1000 * (time.process_time() - start))
    full = Image.fromarray(segments.astype(np.int32)).resize(color.size, Image.Resampling.NEAREST)
    common = np.zeros((int(labels.max()) + 1, int(segments.max()) + 1))
    np.add.at(common, (labels, np.asarray(full)), 1)
    pixels, areas = common.sum(axis=1), common.sum(axis=0)
    union = pixels[:, None] + areas - common
    large = [n for n in range(1, len(pixels)) if pixels[n] >= 1e-3 * labels.size]
    best = [(common / union)[n, 1:].max(initial=0) for n in large]
    overlaps += best
    names = {one["id"]: one["name"] for one in annotated[name]["objects"]}
    half = "choose" if name.startswith(CHOSEN_ON) else "report"
    rows += [(half, name, names[n], f"{iou:.3f}") for n, iou in zip(large, best, strict=True)]
    unlabeled = (areas[1:] >= 5e-3 * labels.size) & (common[0, 1:] > 0.8 * areas[1:])
    others += int(unlabeled.sum())
    found = sum(value >= 0.5 for value in best)
    residual = 1000 * table.residual
    print(f"{name}: {found} of {len(best)}, {unlabeled.sum()} unlabeled, table's residual {residual:.1f} mm")
good = sum(value >= 0.5 for value in overlaps)
print(f"IoU of 0.5: {100 * good / len(overlaps):.1f}% ({good} of {len(overlaps)}), mean {np.mean(overlaps):.3f}")
print(f"large segments without a label: {others}")
print(f"median ms: table {np.median(table_ms):.1f}, segments {np.median(segment_ms):.1f}")
with Path(options["out"]).open("w", newline="") as stream:
    csv.writer(stream, lineterminator="\n").writerows(rows)
