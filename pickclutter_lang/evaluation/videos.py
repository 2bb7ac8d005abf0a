"""Videos and filmstrips of episodes: the views of base and hand camera, the detector's heatmap, mask and scores.

Recordings for Rerun's viewer are made with them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.errors import MismatchError
from pickclutter_lang.evaluation.episode_instructions import DRAWN
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.rollout_metrics import went_right
from pickclutter_lang.language.instructions import decode_instruction
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.reports.gallery import Media, encode_video
from pickclutter_lang.utils.io import atomic_write

FOLDER = "videos"
RECORDING = ".rrd"
SIDE = 256
"""Pixels of the view of a camera."""
_HEADER = 44
_EVERY, _COLORS = 4, 96
_STRIP, _STRIP_HEIGHT = 5, 220
_MILLISECONDS, _DETECTION_MILLISECONDS, _LAST_MILLISECONDS = 200, 1500, 2500
_HOT = np.array([255.0, 60.0, 0.0])


def write_videos(
    config: RolloutConfig,
    episodes: Sequence[Mapping[str, Any]],
    n_videos: int,
    n_filmstrips: int,
    n_recordings: int,
    folder: Path,
) -> list[str]:
    """Write videos of the first successes and failures of each variant, and filmstrips of graspable targets it missed.

    The episodes are run again: equal seeds give equal episodes. Files that are there are left as they are.

    :param n_videos: how many successes, and how many failures, of each variant
    :param n_filmstrips: how many of the episodes of each variant whose target is graspable and was not placed
    :param n_recordings: as `n_videos`, of recordings
    :return: the files, relative to the folder
    :raises MismatchError: when an episode has another outcome than before, as with another version of the program
    :raises MissingExtraError: for recordings without the extra `rerun`
    """
    runner: RolloutRunner | None = None
    selected = [(e, ".gif") for e in _first_outcomes(episodes, n_videos)]
    selected += [(e, ".png") for e in _first_missed(episodes, n_filmstrips)]
    selected += [(e, RECORDING) for e in _first_outcomes(episodes, n_recordings)]
    for episode in {video_name(e): e for e, _ in selected}.values():
        files = {
            suffix: folder / f"{video_name(e)}{suffix}"
            for e, suffix in selected
            if video_name(e) == video_name(episode)
        }
        missing = {suffix: path for suffix, path in files.items() if not path.is_file()}
        if not missing:
            continue
        runner = runner or RolloutRunner(config, base_size=SIDE)
        recorders = make_recorders(missing)
        again = runner.rollout(episode["variant"], episode["seed"], episode["kind"], partial(call_all, recorders))
        if (again["success"], went_right(again)) != (episode["success"], went_right(episode)):
            raise MismatchError(
                f"the episode of seed {episode['seed']} with {episode['variant']} was a {_outcome(episode)} "
                "and is none now; videos are of equal episodes: run the evaluation again in another folder"
            )
        (folder / FOLDER).mkdir(exist_ok=True)
        for recorder in recorders:
            recorder.save(missing, again)
    return [f"{video_name(e)}{suffix}" for e, suffix in selected]


def make_recorders(files: Mapping[str, Path]) -> list[EpisodeRecorder]:
    """Return what the files of an episode need.

    :param files: suffix -> file
    :raises MissingExtraError: for a recording without the extra `rerun`
    """
    recorders: list[EpisodeRecorder] = [VideoRecorder()] if files.keys() - {RECORDING} else []
    if RECORDING in files:
        from pickclutter_lang.evaluation.rerun_recorder import RerunRecorder

        recorders.append(RerunRecorder())
    return recorders


def call_all(
    recorders: Sequence[EpisodeRecorder], observation: Mapping[str, NDArray[Any]], state: EpisodeState | None
) -> None:
    """Give a step to several recorders."""
    for recorder in recorders:
        recorder.callback(observation, state)


class EpisodeRecorder(Protocol):
    """Takes what a rollout shows, and writes files of it."""

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take a step; a `RolloutCallback`."""
        ...

    def save(self, files: Mapping[str, Path], episode: Mapping[str, Any]) -> None:
        """Write those of the files, suffix -> path, that are of this kind, with the outcome of the episode."""
        ...


def _outcome(episode: Mapping[str, Any]) -> str:
    return "success" if went_right(episode) else "failure"


def video_name(episode: Mapping[str, Any]) -> str:
    """Return the file of the video of an episode without its suffix, relative to the folder of the evaluation."""
    variant = episode["variant"].replace(":", ".")  # in a link, the part before a colon is a protocol
    kind = "" if episode["kind"] == DRAWN else f"_{episode['kind']}"
    return f"{FOLDER}/{variant}{kind}_{_outcome(episode)}_seed{episode['seed']}"


def _first_outcomes(episodes: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """Return the first successes and failures of each variant, those in which the arm moved before those without.

    Episodes without a step, whose instruction was refused, show nothing.
    """
    chosen: list[Mapping[str, Any]] = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        for success in (True, False):
            found = [e for e in episodes if e["variant"] == variant and went_right(e) is success and e["steps"]]
            chosen += sorted(found, key=lambda e: e["steps"] <= 1)[:count]
    return chosen


def _first_missed(episodes: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    chosen: list[Mapping[str, Any]] = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        chosen += [e for e in episodes if e["variant"] == variant and _is_missed(e)][:count]
    return chosen


def _is_missed(episode: Mapping[str, Any]) -> bool:
    return bool(episode["graspable"] and episode["expected"] and episode["steps"] and not went_right(episode))


class VideoRecorder:
    """The frames of one episode; its `callback` takes them during a rollout."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._times: list[int] = []
        self._steps = self._detections = 0

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take a frame at every fourth step, and a longer one at each step with a detection."""
        count = len(state.detections) if state is not None else 0
        detected = count > self._detections
        if detected or self._steps % _EVERY == 0:
            self._frames.append(_frame(observation, state, detected))
            self._times.append(_DETECTION_MILLISECONDS if detected else _MILLISECONDS)
        self._detections = count
        self._steps += 1

    def save(self, files: Mapping[str, Path], episode: Mapping[str, Any]) -> None:
        """Write an animated GIF, or a filmstrip, or both, with the outcome in the last frame."""
        frames = self._with_outcome(_outcome(episode))
        for suffix, save in {".gif": self._save_gif, ".png": self._save_filmstrip}.items():
            if suffix in files:
                save(files[suffix], frames)

    def _save_gif(self, path: Path, frames: list[Image.Image]) -> None:
        frames = [frame.quantize(_COLORS, dither=Image.Dither.NONE) for frame in frames]
        times = self._shown_times
        data = io.BytesIO()
        frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
        atomic_write(path, data.getvalue())

    def video(self, outcome: str) -> Media:
        """Return an MP4 video with the outcome in its last frame."""
        frames = self._with_outcome(outcome)
        return encode_video(frames[0].size, zip(frames, self._shown_times, strict=True))

    @property
    def _shown_times(self) -> list[int]:
        """Milliseconds of each frame."""
        return [*self._times[:-1], _LAST_MILLISECONDS]

    def _save_filmstrip(self, path: Path, frames: list[Image.Image]) -> None:
        """Write five frames from the first to the last, side by side, as a PNG."""
        rows = np.unique(np.linspace(0, len(frames) - 1, _STRIP).round().astype(int))
        width, height = frames[0].size
        filmstrip = Image.new("RGB", (len(rows) * width, height))
        for n, row in enumerate(rows):
            filmstrip.paste(frames[row], (n * width, 0))
        data = io.BytesIO()
        filmstrip.resize((filmstrip.width * _STRIP_HEIGHT // height, _STRIP_HEIGHT), Image.Resampling.LANCZOS).save(
            data, "PNG"
        )
        atomic_write(path, data.getvalue())

    def _with_outcome(self, outcome: str) -> list[Image.Image]:
        """Return all frames, with the outcome in the last."""
        last = self._frames[-1].copy()
        color = (70, 190, 90) if outcome == "success" else (220, 70, 60)
        ImageDraw.Draw(last).text((2 * SIDE - 8, _HEADER - 20), outcome, color, _font(), anchor="ra")
        return [*self._frames[:-1], last]


def _frame(observation: Mapping[str, NDArray[Any]], state: EpisodeState | None, detected: bool) -> Image.Image:
    canvas = Image.new("RGB", (2 * SIDE, SIDE + _HEADER), (24, 26, 30))
    hand = observation["hand_rgb"]
    if detected and state is not None:
        hand = draw_detection(hand, state.detections[-1])
    for n, pixels in enumerate((observation["base_rgb"], hand)):
        image = Image.fromarray(np.asarray(pixels, np.uint8)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        canvas.paste(image, (n * SIDE, _HEADER))
    draw = ImageDraw.Draw(canvas)
    draw.text((8, 4), decode_instruction(observation["instruction"]), (235, 235, 235), _font())
    if state is not None and state.detections:
        phase = "predicted absent" if state.absent else state.phase.value
        scores = " and ".join(f"{detection.score:.2f}" for detection in state.detections)
        text = f"{phase}; score {scores}, threshold {state.detections[-1].threshold:.2f}"
        draw.text((8, _HEADER - 20), text, (170, 175, 185), _font(12))
    return canvas


def draw_detection(image: NDArray[np.uint8], detection: Detection) -> NDArray[np.uint8]:
    """Return an image [H, W, 3] with the heatmap of a detection in red, and its mask with a white edge."""
    heatmap = detection.heatmap / max(float(detection.heatmap.max()), 1e-12)
    drawn = image.astype(float)
    drawn += 0.6 * heatmap[..., None] * (_HOT - drawn)
    drawn[_edge(detection.mask)] = 255
    return drawn.astype(np.uint8)


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels just outside a mask."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return np.asarray(grown & ~mask)


def _font(size: int = 14) -> Any:
    return ImageFont.load_default(size)
