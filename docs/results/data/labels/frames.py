"""Answers in real frames of policies whose names come from a large model's labels of other frames; writes a CSV file.

    PYTHONPATH=scripts python docs/results/data/labels/frames.py FRAMES ANNOTATIONS frames.csv

The labels are those of replies.jsonl.gz. Frames of one half of the capture groups teach, and the others are asked.
"""

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
from replay_answers import read_replies

from pickclutter_lang.datasets.frames import LabeledFrame, read_labeled_frames
from pickclutter_lang.evaluation.frame_scores import Answer, answers_in
from pickclutter_lang.labeling.large_model import with_synonyms
from pickclutter_lang.labeling.picture import draw_numbered
from pickclutter_lang.labeling.question import question, read_answer
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.example_memory import ExampleMemory
from pickclutter_lang.policy.label_guard import trusted
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import Example, encode_example
from pickclutter_lang.policy.views import View

HALF = {"pc", "gr", "sg", "yv"}
REPLIES = read_replies(Path(__file__).with_name("replies.jsonl.gz"))
NO_COLOR = {"gr"}
"""Groups without a blue channel, which teach nothing and are not asked."""


def taught(frames: list[LabeledFrame], views: dict[str, View], names: list[str]) -> ExampleMemory:
    """Return a memory of what the model named in some frames."""
    student = StudentRuntime.load("open")
    memory = student.examples
    for frame in frames:
        view = views[frame.name]
        masks = [view.mask(n) for n in range(len(view.numbers))]
        picture = draw_numbered(view.rgb, masks)
        count = len(picture.segments)
        text = question(count, with_synonyms(names))
        reply = REPLIES[picture.sha256, hashlib.sha256(text.encode()).hexdigest()]
        for segment, name in zip(picture.segments, read_answer(reply, count, names), strict=True):
            if name is not None and memory.count(name) < 12:
                key, _ = encode_example(student, Example(view.rgb, masks[segment]))
                memory = memory.add(name, key, np.zeros((0, key.shape[1]), np.float32), "recorded")
    return memory.only(trusted(memory, np.ones(len(memory.names), bool)))


if __name__ == "__main__":
    frames = read_labeled_frames(*sys.argv[1:3])
    names = sorted({name for frame in frames for name, _ in frame.objects})
    student = StudentRuntime.load("open")
    views = {frame.name: View.of_observation(student, frame.frame) for frame in frames}
    usable = [frame for frame in frames if frame.group not in NO_COLOR]
    rows: list[tuple[object, ...]] = [Answer._fields]
    for half in (True, False):
        student.examples = taught([one for one in usable if (one.group in HALF) == half], views, names)
        asked = list(student.examples.taught)
        for frame in (one for one in usable if (one.group in HALF) != half):
            rows += answers_in(frame, asked, StudentDetector(student).decide(views[frame.name], asked))
    outcomes = [row[3] for row in rows[1:]]
    there = [one for one in outcomes if one in ("found", "called absent", "wrong object")]
    absent = [one for one in outcomes if one in ("refused", "called present")]
    print(f"found {there.count('found')} of {len(there)} that are there")
    print(f"refused {absent.count('refused')} of {len(absent)} that are not")
    with Path(sys.argv[3]).open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
