"""What it costs that a frame has blue first, or is upside down, and which frames `color_order` notices:

    python docs/results/data/real/colors.py FRAMES ANNOTATIONS OUT.csv

FRAMES is a folder as of `pickclutter_lang.datasets.frames`. Of each frame a row: its group, how it was changed, log
odds of `exchanged_odds`, visible names, how many of them `ycb` finds, absent names, how many it refuses.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.frames import LabeledFrame, read_labeled_frames
from pickclutter_lang.evaluation.frame_scores import CALLED_PRESENT, FOUND, REFUSED, answers_in
from pickclutter_lang.policy.color_order import exchanged_odds
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_folder.folder import policy_folder
from pickclutter_lang.utils.io import write_csv


def blue_first(one: LabeledFrame) -> LabeledFrame:
    """Return a frame with red and blue exchanged."""
    return replace(one, frame=replace(one.frame, rgb=one.frame.rgb[..., ::-1].copy()))


def upside_down(one: LabeledFrame) -> LabeledFrame:
    """Return a frame turned by half a turn, without its pose."""
    frame, (height, width) = one.frame, one.frame.rgb.shape[:2]
    intrinsic = np.array(frame.intrinsic, float)
    intrinsic[:2, 2] = (width - 1, height - 1) - intrinsic[:2, 2]
    turned = replace(
        frame, rgb=frame.rgb[::-1, ::-1].copy(), depth=frame.depth[::-1, ::-1].copy(), intrinsic=intrinsic, pose=None
    )
    return replace(one, frame=turned, objects=tuple((name, mask[::-1, ::-1]) for name, mask in one.objects))


CHANGES: dict[str, Callable[[LabeledFrame], LabeledFrame]] = {
    "as it is": lambda one: one,
    "blue first": blue_first,
    "upside down": upside_down,
}


def main() -> None:
    """Write the rows."""
    detector = StudentDetector(StudentRuntime.load(policy_folder("ycb")))
    names = list(detector.student.examples.taught)
    rows: list[tuple[object, ...]] = [("frame", "group", "change", "odds", "there", "found", "absent", "refused")]
    for frame in read_labeled_frames(*sys.argv[1:3]):
        for change, changed in CHANGES.items():
            one = changed(frame)
            view = View.of_observation(detector.student, one.frame)
            outcomes = [answer.outcome for answer in answers_in(one, names, detector.decide(view, names))]
            absent = outcomes.count(REFUSED) + outcomes.count(CALLED_PRESENT)
            counts = len(outcomes) - absent, outcomes.count(FOUND), absent, outcomes.count(REFUSED)
            rows.append((frame.name, frame.group, change, f"{exchanged_odds(view):.3f}", *counts))
    write_csv(Path(sys.argv[3]), rows)


if __name__ == "__main__":
    main()
