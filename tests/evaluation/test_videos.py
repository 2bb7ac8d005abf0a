"""Films of episodes: their rate, size and captions, and an outline that leaves the object as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from pickclutter_lang.evaluation.drawing import draw_outline
from pickclutter_lang.evaluation.videos import SIDE, VideoRecorder
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.policy import EpisodeState

GREEN = (40, 160, 40)


def square(side: int) -> NDArray[np.bool_]:
    mask = np.zeros((side, side), bool)
    mask[side // 4 : side // 2, side // 4 : side // 2] = True
    return mask


def test_an_outline_leaves_the_object_and_shows_on_white() -> None:
    image = np.full((64, 64, 3), 255, np.uint8)
    mask = square(64)
    image[mask] = GREEN
    drawn = draw_outline(image, mask)
    np.testing.assert_array_equal(drawn[mask], image[mask])
    assert (image[~mask] == 255).all() and (drawn[20, 14:16] == 255).all() and (drawn[20, 13] < 60).all()


@pytest.mark.parametrize(("outcome", "color"), [("success", 1), ("failure", 0), ("", None)])
def test_a_film_shows_both_cameras_and_stops_at_what_was_detected(
    outcome: str, color: int | None, tmp_path: Path
) -> None:
    hand = np.zeros((96, 96, 3), np.uint8)
    recorder = VideoRecorder()
    unused = cast(Any, None)
    hand[square(96)] = GREEN
    found = Detection(0.9, 0.5, square(96), square(96).astype(float))
    state = EpisodeState("pick up the pear", "pear", (found,), False, False, None, None, "reach", unused, 0)
    observation: dict[str, Any] = {"hand_rgb": hand, "base_rgb": np.full((SIDE, SIDE, 3), 200, np.uint8)}
    observation["instruction"] = encode_instruction("pick up the pear")
    for _ in range(20):
        recorder.callback(observation, state)
    (tmp_path / "film.mp4").write_bytes(recorder.mp4(outcome))
    film = imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    about = next(film)
    frames = [np.frombuffer(one, np.uint8).reshape(SIDE + 88, 2 * SIDE, 3) for one in film]
    assert about["fps"] == 15 and len(frames) == 24 + 9 + 36
    first = frames[0].astype(int)
    last = frames[-1].astype(int)
    inside = first[88 + 3 * SIDE // 8, SIDE + 3 * SIDE // 8]
    assert np.abs(inside - GREEN).max() < 30  # the map of the detection does not cover it
    assert np.abs(first[88:, :SIDE] - 200).mean() < 5 and first[:88, :300].max() > 200
    corner = last[48:, SIDE + 300 :][: 88 - 48].max(axis=(0, 1))
    assert (corner.argmax() if corner.max() > 120 else None) == color
