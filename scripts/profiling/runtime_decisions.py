"""Decisions of a policy by torch and by ONNX Runtime on stored scenes: are they the same, and which is faster?

Both take turns on each scene, on one core, so that the ratio holds on a busy machine too. A decision is the score, the
threshold and the mask of one name, from an image with depth: network, segmentation and close-ups. torch runs in
float32, as ONNX Runtime does, and once more as the policy says. ONNX Runtime also segments the full image, not the
surroundings of the objects alone. The mAP is that of the scores of all
names, with a 95% interval of its difference from that of torch in float32, by a bootstrap over the scenes.

    pickclutter export-runtime policy=policy out=policy/runtime
    OMP_NUM_THREADS=1 python scripts/profiling/runtime_decisions.py policy runs/scenes/ood
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.manipulation.segmentation import SegmentationConfig
from pickclutter_lang.metrics.multilabel import mean_average_precision
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.torch_networks import load_pretrained, torch_runtime

PLAIN, STORED = "torch, float32", "torch, as the policy says"
ONNX, FULL = "ONNX Runtime", "ONNX Runtime, full image segmented"
_RESAMPLES = 500


def detectors(policy: Path, runtime: Path) -> dict[str, StudentDetector]:
    """Return the detectors that take turns."""
    config, weights, text = load_pretrained(policy)
    spec, onnx = config.student, StudentRuntime.load(runtime, num_threads=1)
    return {
        PLAIN: StudentDetector(torch_runtime(replace(spec, precision="float32"), weights, text, config.thresholds)),
        STORED: StudentDetector(torch_runtime(spec, weights, text, config.thresholds)),
        ONNX: StudentDetector(onnx),
        FULL: StudentDetector(onnx, SegmentationConfig(margin_px=None)),
    }


def overlap(one: Detection, other: Detection) -> float:
    """Return the intersection over union of two masks; 1 where both are empty."""
    union = (one.mask | other.mask).sum()
    return float((one.mask & other.mask).sum() / union) if union else 1.0


def compared(found: list[Detection], plain: list[Detection]) -> dict[str, Any]:
    """Return how decisions differ from those of torch in float32."""
    overlaps = [overlap(*pair) for pair in zip(found, plain, strict=True)]
    largest = max(abs(a.score - b.score) for a, b in zip(found, plain, strict=True))
    return {
        "other answers": sum((a.margin < 0) != (b.margin < 0) for a, b in zip(found, plain, strict=True)),
        "other masks": sum(value < 1 for value in overlaps),
        "mean overlap": f"{np.mean(overlaps):.4f}",
        "largest difference of a score": f"{largest:.2g}",
    }


def main() -> None:
    """Take turns, and print one line of JSON for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", type=Path, help="folder of pickclutter export-policy")
    parser.add_argument("store", type=Path, help="scene store with the hand camera's depth")
    parser.add_argument("--runtime", type=Path, help="folder of pickclutter export-runtime, by default policy/runtime")
    parser.add_argument("--looks", type=int, default=500, help="scenes, each with a name of the policy in turn")
    parser.add_argument("--csv", type=Path, help="file for the same as a table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    turns = detectors(options.policy, options.runtime or options.policy / "runtime")
    student = turns[ONNX].student.config
    data, names = SceneDataConfig(crop_size=None, target_label=student.target_label), student.names
    scenes = SceneDataset(SceneStore.open(options.store), data)
    times: dict[str, list[float]] = {way: [] for way in turns}
    found: dict[str, list[Detection]] = {way: [] for way in turns}
    scores: dict[str, list[NDArray[np.float32]]] = {way: [] for way in turns}
    count = min(options.looks, len(scenes))
    for look in range(-1, count):  # the first is a rehearsal
        observation, name = scene_to_observation(scenes, max(look, 0)), names[look % len(names)]
        for way, detector in turns.items():
            start = time.perf_counter()
            detection = detector(observation, name)
            if look >= 0:
                times[way].append(1000 * (time.perf_counter() - start))
                found[way].append(detection)
                scores[way].append(detector.student.predict(observation, names).scores)
    targets = scenes.labels[:count, [scenes.label_names.index(name) for name in names]]
    precise = average_precisions({way: np.stack(values) for way, values in scores.items()}, targets)
    rows = [line(way, times, found) | {"mAP, %": precise[way]} for way in turns]
    for row in rows:
        print(json.dumps({"looks": count} | row))
    if options.csv:
        with options.csv.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def line(way: str, times: dict[str, list[float]], found: dict[str, list[Detection]]) -> dict[str, Any]:
    """Return what is said of a way to decide: its times and its decisions, beside those of torch in float32."""
    spread = [f"{np.percentile(times[way], q):.1f}" for q in (50, 10, 90)]
    faster = [f"{np.percentile(np.array(times[PLAIN]) / times[way], q):.2f}" for q in (50, 10, 90)]
    texts = [f"{median} ({low} to {high})" for median, low, high in (spread, faster)]
    of_times = {"ms (10% to 90%)": texts[0], "times as fast as torch (10% to 90%)": texts[1]}
    return {"way": way} | of_times | compared(found[way], found[PLAIN])


def average_precisions(scores: dict[str, NDArray[np.float32]], targets: Tensor) -> dict[str, str]:
    """Return the mAP of scores [N, C], in percent, and the interval of its difference from the first one's."""
    rng = np.random.default_rng(0)
    drawn = [np.arange(len(targets)), *rng.integers(0, len(targets), (_RESAMPLES, len(targets)))]
    found = {
        way: 100 * np.array([mean_average_precision(torch.from_numpy(of[rows]), targets[rows]) for rows in drawn])
        for way, of in scores.items()
    }
    first, texts = next(iter(found.values())), {}
    for way, values in found.items():
        low, high = np.nanpercentile((values - first)[1:], [2.5, 97.5])
        texts[way] = f"{values[0]:.2f}" + ("" if values is first else f" ({low:+.2f} to {high:+.2f})")
    return texts


if __name__ == "__main__":
    main()
