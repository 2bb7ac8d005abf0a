"""A policy's answers in labeled frames of a real camera: what is found, called absent, confused and refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.frames import LabeledFrame, read_labeled_frames
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.drawing import draw_outline
from pickclutter_lang.policy.color_order import color_order_note, exchanged_odds
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.results.intervals import share
from pickclutter_lang.utils.images import Cell, contact_sheet, png_bytes
from pickclutter_lang.utils.io import atomic_write, check_vacant, create_dir, write_csv, write_text
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.progress import track

ANSWERS_FILE = "answers.csv"
SEGMENTS_FILE = "segments.csv"
TABLES_FILE = "tables.md"
FAILURES_FILE = "failures.png"
FOUND = "found"
CALLED_ABSENT = "called absent"
WRONG = "wrong object"
REFUSED = "refused"
CALLED_PRESENT = "called present"
_MIN_SHARE_OF_IMAGE = 0.001
"""Objects of fewer pixels are not counted among those that should have a segment."""
_MAX_FAILURES = 60
_NOTE = (
    "Found: declared present, with more than half of the mask on the object. 95% intervals are over names and, below "
    "them, over groups of frames that were captured together. A name is not asked where the name of another object "
    "ends with it: a green bowl is a bowl."
)


class Answer(NamedTuple):
    """What a policy said of one name in one frame.

    `outcome` is `FOUND`, `CALLED_ABSENT` or `WRONG` of an object that is there, else `REFUSED` or `CALLED_PRESENT`.
    """

    frame: str
    group: str
    name: str
    outcome: str
    score: float
    threshold: float


def answers_in(frame: LabeledFrame, names: Sequence[str], found: Sequence[Detection]) -> list[Answer]:
    """Compare what was found of each name with the labels of a frame.

    :return: no answer where another object's name ends with the one that is asked
    """
    out = []
    for name, one in zip(names, found, strict=True):
        masks = [mask for other, mask in frame.objects if other.casefold() == name.casefold()]
        if not masks and any(re.search(rf"\b{re.escape(name)}$", other, re.IGNORECASE) for other, _ in frame.objects):
            continue
        present = one.margin >= 0
        if not masks:
            outcome = CALLED_PRESENT if present else REFUSED
        elif not present:
            outcome = CALLED_ABSENT
        else:
            on_object = max(np.count_nonzero(one.mask & mask) for mask in masks)
            outcome = FOUND if 2 * on_object > np.count_nonzero(one.mask) else WRONG
        out.append(Answer(frame.name, frame.group, name, outcome, one.score, one.threshold))
    return out


def overlaps(frame: LabeledFrame, view: View) -> list[tuple[str, float]]:
    """Return the name of each object of some size, and the largest IoU of a segment with it."""
    parts = view.enlarged(view.parts)
    sizes = np.bincount(parts.ravel())
    out = []
    for name, mask in frame.objects:
        if mask.sum() >= _MIN_SHARE_OF_IMAGE * mask.size:
            common = np.bincount(parts[mask], minlength=len(sizes))
            iou = common / (sizes + mask.sum() - common)
            out.append((name, float(iou[1:].max(initial=0.0))))
    return out


def score_frames(
    policy: str | Path,
    frames: str | Path,
    out: str | Path,
    annotations: str | Path | None = None,
    names: Sequence[str] = (),
    trust_code: bool = False,
) -> str:
    """Ask a policy for names in labeled frames; write all answers, tables, and a sheet of failures.

    :param policy: a policy folder, or `open`
    :param frames: a folder as of `datasets.frames`
    :param out: folder of the files
    :param annotations: file of the objects' names; None: the one in the folder
    :param names: that are asked; none: what the policy was taught, else the names of all objects in the frames
    :param trust_code: as of `StudentRuntime.load`
    :return: the tables, as Markdown
    :raises CheckpointError: for a policy that is missing or damaged
    :raises DatasetError: for frames that are missing or damaged, or have no labels, or an `out` with other files
    :raises InvalidArgumentError: for a frame in which no table is found
    """
    detector = StudentDetector(StudentRuntime.load(policy, trust_code))
    labeled = read_labeled_frames(frames, annotations)
    folder = Path(out)
    there = {name: None for frame in labeled for name, _ in frame.objects}
    asked = list(names or detector.student.examples.taught or there)
    answers: list[Answer] = []
    segments: list[tuple[str, str, str, float]] = []
    failures: list[Cell] = []
    odds: list[float] = []
    create_dir(folder)
    with dir_lock(folder):
        check_vacant(folder, ANSWERS_FILE)
        for frame in track(labeled, "frames"):
            try:
                view = View.of_observation(detector.student, frame.frame)
            except InvalidArgumentError as error:
                raise InvalidArgumentError(f"frame {frame.name}: {error}") from error
            found = detector.decide(view, asked)
            odds.append(exchanged_odds(view))
            segments += [(frame.name, frame.group, name, iou) for name, iou in overlaps(frame, view)]
            of_frame = answers_in(frame, asked, found)
            answers += of_frame
            failures += _failures(frame, of_frame, dict(zip(asked, found, strict=True)))
        text = _tables(answers, segments)
        if note := color_order_note(odds):
            text += f"\n{note}\n"
        write_csv(folder / ANSWERS_FILE, [Answer._fields, *(_rounded(answer) for answer in answers)])
        write_csv(
            folder / SEGMENTS_FILE, [("frame", "group", "name", "iou"), *((*s[:3], f"{s[3]:.3f}") for s in segments)]
        )
        write_text(folder / TABLES_FILE, text)
        (folder / FAILURES_FILE).unlink(missing_ok=True)
        if failures:
            sheet = contact_sheet(failures[:_MAX_FAILURES], 6, 220, f"{len(failures)} failures")
            atomic_write(folder / FAILURES_FILE, png_bytes(sheet))
    return text


def _rounded(answer: Answer) -> tuple[object, ...]:
    return (*answer[:4], f"{answer.score:.4f}", f"{answer.threshold:.4f}")


def _failures(frame: LabeledFrame, answers: Sequence[Answer], found: dict[str, Detection]) -> list[Cell]:
    """Return a cell for each answer that is wrong: what was taken for the object."""
    return [
        Cell(
            [_square(draw_outline(frame.frame.rgb, found[answer.name].mask))],
            [
                (f"{answer.name}: {answer.outcome}", "black"),
                (f"{frame.name}, score {answer.score:.2f}", "gray"),
            ],
        )
        for answer in answers
        if answer.outcome not in (FOUND, REFUSED)
    ]


def _square(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image in the middle of a white square."""
    height, width = image.shape[:2]
    side = max(height, width)
    out = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    out[top : top + height, left : left + width] = image
    return out


def _tables(answers: Sequence[Answer], segments: Sequence[tuple[str, str, str, float]]) -> str:
    """Return the shares as Markdown, of all frames and of each group."""
    there = [answer for answer in answers if answer.outcome in (FOUND, CALLED_ABSENT, WRONG)]
    absent = [answer for answer in answers if answer.outcome in (REFUSED, CALLED_PRESENT)]
    rows = []
    for title, of, outcome in (
        ("visible: found", there, FOUND),
        ("visible: called absent", there, CALLED_ABSENT),
        ("visible: wrong object", there, WRONG),
        ("absent: refused", absent, REFUSED),
    ):
        hits = [answer.outcome == outcome for answer in of]
        rows.append([title, share(hits, [a.name for a in of]), share(hits, [a.group for a in of])])
    cut = [iou >= 0.5 for *_, iou in segments]
    rows.append(
        [
            "objects with a segment of IoU 0.5",
            share(cut, [s[2] for s in segments]),
            share(cut, [s[1] for s in segments]),
        ]
    )
    overall = markdown_table(["%", "interval over names", "interval over groups"], rows)
    groups = []
    for group in dict.fromkeys(answer.group for answer in answers):
        visible = [answer.outcome == FOUND for answer in there if answer.group == group]
        refused = [answer.outcome == REFUSED for answer in absent if answer.group == group]
        own = [iou >= 0.5 for _, of, _, iou in segments if of == group]
        groups.append([group, *(f"{sum(hits)}/{len(hits)}" for hits in (visible, refused, own))])
    by_group = markdown_table(["group", "found", "absent: refused", "segments"], groups)
    return f"{overall}\n\n{_NOTE}\n\n{by_group}\n"
