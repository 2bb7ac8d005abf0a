"""Frames on disk: both forms of `camera.json`, several in one folder, labels, and what is no frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bench import painted_observation
from PIL import Image

from helpers.frames import frame_of, write_frame
from pickclutter_lang.datasets.frames import frames_in, read_frame, read_labeled_frames
from pickclutter_lang.errors import DatasetError

FRAME = frame_of(painted_observation(64))


def test_a_frame_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_frame(tmp_path, FRAME)
    found = read_frame(tmp_path)
    for key in ("rgb", "depth", "intrinsic", "pose"):
        np.testing.assert_allclose(getattr(found, key), getattr(FRAME, key), err_msg=key)
    assert found.depth_scale == 0.001
    focal, center = FRAME.intrinsic[0, 0], FRAME.intrinsic[0, 2]
    camera = {"fx": focal, "fy": focal, "cx": center, "cy": center, "depth_scale": 0.1, "width": 64}
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    again = read_frame(tmp_path)
    np.testing.assert_allclose(again.intrinsic, FRAME.intrinsic)
    assert again.pose is None and again.depth_scale == pytest.approx(0.0001)


def test_several_frames_share_a_camera(tmp_path: Path) -> None:
    for stem in ("mug1_", "mug2_"):
        write_frame(tmp_path, FRAME, stem)
    (tmp_path / "mug1_camera.json").rename(tmp_path / "camera.json")
    (tmp_path / "mug2_camera.json").write_text('{"K": [[50, 0, 31], [0, 50, 31], [0, 0, 1]]}')
    assert [*frames_in(tmp_path)] == ["mug1", "mug2"]
    np.testing.assert_allclose(read_frame(tmp_path, "mug1").intrinsic, FRAME.intrinsic)
    assert read_frame(tmp_path, "mug2").intrinsic[0, 0] == 50
    with pytest.raises(DatasetError, match=r"'mug1', 'mug2'.*got 'mug3'"):
        read_frame(tmp_path, "mug3")


def test_labels_are_masks_by_name(tmp_path: Path) -> None:
    write_frame(tmp_path, FRAME, "pile1_")
    labels = np.zeros((64, 64), np.uint8)
    labels[10:20, 30:40] = 2
    Image.fromarray(labels).save(tmp_path / "pile1_label.png")
    objects = [{"id": 2, "name": "mug"}, {"id": 5, "name": "hidden lemon"}]
    (tmp_path / "annotations.json").write_text(json.dumps({"frames": {"pile1": {"objects": objects}, "pile2": {}}}))
    with pytest.raises(DatasetError, match=r"annotations.json.*objects"):
        read_labeled_frames(tmp_path)
    (tmp_path / "annotations.json").write_text(json.dumps({"frames": {"pile1": {"objects": objects}}}))
    (found,) = read_labeled_frames(tmp_path)
    ((name, mask),) = found.objects
    assert (found.name, found.group, name) == ("pile1", "pile", "mug")
    np.testing.assert_array_equal(mask, labels == 2)
    Image.fromarray(labels[:32]).save(tmp_path / "pile1_label.png")
    with pytest.raises(DatasetError, match="as large as"):
        read_labeled_frames(tmp_path)


def _of_8_bits(folder: Path) -> None:
    Image.fromarray(FRAME.rgb).save(folder / "depth.png")


def _smaller(folder: Path) -> None:
    Image.fromarray(FRAME.depth[:32]).save(folder / "depth.png")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda folder: (folder / "depth.png").unlink(), "depth.png"),
        (lambda folder: (folder / "color.png").unlink(), "color.png"),
        (lambda folder: (folder / "camera.json").unlink(), "camera.json.*fx, fy"),
        (lambda folder: (folder / "camera.json").write_text('{"fx": 5'), "camera.json"),
        (lambda folder: (folder / "camera.json").write_text('{"fx": 500, "fy": 500, "cx": 32}'), "camera.json.*cy"),
        (lambda folder: (folder / "camera.json").write_text('{"K": [1, 2, 3]}'), "camera.json"),
        (lambda folder: (folder / "depth.png").write_bytes(b"\x89PNG"), "depth.png"),
        (lambda folder: (folder / "color.png").write_bytes(b"\x89PNG"), "color.png"),
        (_smaller, "64 x 64, but got 64 x 32; align"),
        (_of_8_bits, "depth.png.*one channel"),
    ],
)
def test_what_is_no_frame_is_named(damage: Callable[[Path], object], named: str, tmp_path: Path) -> None:
    write_frame(tmp_path, FRAME)
    damage(tmp_path)
    with pytest.raises(DatasetError, match=named):
        read_frame(tmp_path)
