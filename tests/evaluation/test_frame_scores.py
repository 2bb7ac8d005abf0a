"""A policy's answers in labeled frames of a camera: what counts as found, and the files of the command."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.commands import main
from pickclutter_lang.datasets.frames import LabeledFrame, read_labeled_frames
from pickclutter_lang.evaluation import frame_scores
from pickclutter_lang.evaluation.frame_scores import answers_in
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.teaching import find_example

SHAPE = (320, 400)


def area(left: int, right: int) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, bool)
    mask[100:200, left:right] = True
    return mask


def test_an_object_is_found_when_most_of_the_mask_of_a_name_that_is_there_lies_on_it() -> None:
    frame = Frame(np.zeros((*SHAPE, 3), np.uint8), np.ones(SHAPE, np.float32), np.eye(3))
    objects = (("mug", area(0, 100)), ("mug", area(200, 300)), ("green bowl", area(320, 380)))
    labeled = LabeledFrame("kitchen1", "kitchen", frame, objects)

    def outcome(name: str, score: float, mask: NDArray[np.bool_]) -> str | None:
        answers = answers_in(labeled, [name], [Detection(score, 0.5, mask, mask.astype(float))])
        return answers[0].outcome if answers else None

    assert outcome("Mug", 0.5, area(210, 310)) == "found"  # the second one does as well
    assert outcome("mug", 0.9, area(50, 151)) == "wrong object"  # less than half of it
    assert outcome("mug", 0.4, area(0, 100)) == "called absent"
    assert outcome("lemon", 0.4, area(0, 100)) == "refused"
    assert outcome("lemon", 0.6, area(0, 100)) == "called present"
    assert outcome("bowl", 0.6, area(320, 380)) is None  # a green bowl is a bowl


def write_frame(folder: Path, name: str, seed: int) -> Frame:
    """Write a painted frame as a camera gives it, wider than high, and return it."""
    seen = painted_observation(320, seed)
    margin = (SHAPE[1] - 320) // 2
    beside = [(0, 0), (margin, margin)]
    rgb = np.pad(seen["hand_rgb"], [*beside, (0, 0)], constant_values=150)
    depth = np.pad((seen["hand_depth"] * 1000).round().astype(np.uint16), beside, constant_values=380)
    Image.fromarray(rgb).save(folder / f"{name}_color.png")
    Image.fromarray(depth).save(folder / f"{name}_depth.png")
    center = {"cx": SHAPE[1] / 2 - 0.5, "cy": SHAPE[0] / 2 - 0.5}
    camera = {"fx": 160.0, "fy": 160.0, **center, "depth_scale": 1.0}
    (folder / f"{name}_camera.json").write_text(json.dumps(camera))
    matrix = np.array([[160, 0, camera["cx"]], [0, 160, camera["cy"]], [0, 0, 1]])
    return Frame(rgb, depth, matrix, depth_scale=0.001)


def coco_of(masks: dict[str, NDArray[np.bool_]]) -> dict[str, Any]:
    """Return annotations of COCO's format, of one zorb in each image, by uncompressed RLE."""
    images, annotations = [], []
    for number, (file, mask) in enumerate(masks.items()):
        flat = mask.ravel(order="F")
        ends = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *ends, flat.size]).tolist()
        rle = {"counts": [0, *counts] if flat[0] else counts, "size": list(mask.shape)}
        images.append({"id": number, "file_name": file})
        annotations.append({"image_id": number, "category_id": 1, "segmentation": rle, "iscrowd": 0})
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "zorb"}]}


def test_labeled_frames_are_asked_for_what_a_policy_was_taught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames, mine, out = tmp_path / "frames", tmp_path / "mine", tmp_path / "out"
    frames.mkdir()
    first, _ = write_frame(frames, "desk1", 0), write_frame(frames, "desk2", 3)
    policy = LanguagePickPolicy.load("open")
    target = find_example(first, point=(200, 160)).mask
    policy.teach(first, "zorb", mask=target)
    policy.save_pretrained(mine)
    Image.fromarray((target * 7).astype(np.uint8)).save(frames / "desk1_label.png")
    Image.fromarray((target * 0).astype(np.uint8)).save(frames / "desk2_label.png")
    about = {"desk1": {"objects": [{"id": 7, "name": "zorb"}]}, "desk2": {"objects": []}}
    (frames / "annotations.json").write_text(json.dumps({"frames": about}))
    main(["evaluate-affordance", f"policy={mine}", f"frames={frames}", f"out={out}"])
    assert "visible: found | 100" in capsys.readouterr().out
    (out / frame_scores.FAILURES_FILE).write_bytes(b"of an earlier run")
    main(["evaluate-affordance", f"policy={mine}", f"frames={frames}", f"out={out}"])
    failed = {"called present"} & {row["outcome"] for row in csv.DictReader((out / "answers.csv").open())}
    assert (out / frame_scores.FAILURES_FILE).exists() == bool(failed)
    with pytest.raises(SystemExit):
        sys.exit(main(["evaluate-affordance", f"policy={mine}", f"frames={frames}", f"out={mine}"]))
    assert "new or empty" in capsys.readouterr().err
    with (out / frame_scores.ANSWERS_FILE).open() as stream:
        rows = {(row["frame"], row["name"]): row for row in csv.DictReader(stream)}
    assert rows["desk1", "zorb"]["outcome"] == "found" and rows["desk1", "zorb"]["group"] == "desk"
    assert rows["desk2", "zorb"]["outcome"] in ("refused", "called present") and len(rows) == 2
    (frames / "coco.json").write_text(json.dumps(coco_of({"desk1_color.png": target})))
    own = read_labeled_frames(frames)[0]
    (same,) = read_labeled_frames(frames, frames / "coco.json")
    assert same.name == own.name == "desk1" and np.array_equal(same.objects[0][1], own.objects[0][1])
    with (out / frame_scores.SEGMENTS_FILE).open() as stream:
        assert [float(row["iou"]) for row in csv.DictReader(stream)] == [1.0]
