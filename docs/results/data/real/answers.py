"""Answers in real frames of policies taught by one or five crops of other capture groups; writes a CSV file.

    python docs/results/data/real/answers.py FRAMES ANNOTATIONS answers.csv [pc,gr,sg,yv]

The last argument names the groups whose frames are asked. Examples come from all groups but the one that is asked.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.frames import LabeledFrame, read_labeled_frames
from pickclutter_lang.evaluation.frame_scores import Answer, answers_in
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import Example, add_example
from pickclutter_lang.policy.views import View

NO_COLOR = {"gr"}
"""Groups without a blue channel, which count for segments only."""


def taught(frames: Sequence[LabeledFrame], group: str, shots: int) -> StudentDetector:
    """Return `open`, shown labeled objects of all groups but one, `shots` of each name."""
    student = StudentRuntime.load("open")
    crops: dict[str, list[Example]] = {}
    for frame in frames:
        if frame.group not in NO_COLOR | {group}:
            for name, mask in frame.objects:
                others = [other for key, other in frame.objects if key != name]
                crops.setdefault(name, []).append(Example(frame.frame.rgb, mask, others))
    rng = np.random.default_rng(0)
    for name, found in crops.items():
        for row in rng.permutation(len(found))[:shots]:
            add_example(student, name, found[row])
    return StudentDetector(student)


if __name__ == "__main__":
    frames = read_labeled_frames(*sys.argv[1:3])
    wanted = set(sys.argv[4].split(",")) if len(sys.argv) > 4 else {frame.group for frame in frames}
    rows: list[tuple[object, ...]] = [("shots", *Answer._fields)]
    for shots in (1, 5):
        for group in sorted(wanted - NO_COLOR):
            detector = taught(frames, group, shots)
            names = list(detector.student.examples.taught)
            for frame in (frame for frame in frames if frame.group == group):
                view = View.of_observation(detector.student, frame.frame)
                rows += [(shots, *answer) for answer in answers_in(frame, names, detector.decide(view, names))]
        outcomes = [row[4] for row in rows[1:] if row[0] == shots]
        there = [one for one in outcomes if one in ("found", "called absent", "wrong object")]
        absent = [one for one in outcomes if one in ("refused", "called present")]
        print(f"{shots} shots: found {there.count('found')} of {len(there)} that are there")
        print(f"{shots} shots: refused {absent.count('refused')} of {len(absent)} that are not")
    with Path(sys.argv[3]).open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
