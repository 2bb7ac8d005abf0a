"""Films of episodes: what a bystander and the hand see, where the object is looked for, what was said of it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.errors import MismatchError
from pickclutter_lang.policy.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.policy.flat_observation import decode_instruction
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.io import atomic_write

FOLDER = "films"
_SIDE, _HEADER = 256, 44
_EVERY, _COLORS = 4, 96
_STRIP, _STRIP_HEIGHT = 5, 220
_MILLISECONDS, _DETECTION_MILLISECONDS, _LAST_MILLISECONDS = 200, 1500, 2500
_HOT = np.array([255.0, 60.0, 0.0])


def write_videos(
    stage: RolloutConfig, episodes: Sequence[Mapping[str, Any]], videos: int, strips: int, folder: Path
) -> list[str]:
    """Film the first successes and failures of each variant, and draw strips of graspable targets that it missed.

    The episodes are played again: equal seeds give equal episodes. Images that are there are left as they are.

    :param films: how many successes, and how many failures, of each variant
    :param strips: how many of the episodes of each variant whose target can be grasped and was not brought to the goal
    :return: the files, relative to the folder
    :raises MismatchError: when an episode ends otherwise than it did, as with another version of the program
    """
    runner: RolloutRunner | None = None
    wanted = [(e, ".gif") for e in _first_ends(episodes, videos)]
    wanted += [(e, ".png") for e in _first_missed(episodes, strips)]
    for episode in {_name(e): e for e, _ in wanted}.values():
        files = {suffix: folder / f"{_name(e)}{suffix}" for e, suffix in wanted if _name(e) == _name(episode)}
        left = {suffix: path for suffix, path in files.items() if not path.is_file()}
        if not left:
            continue
        runner = runner or RolloutRunner(stage, base_size=_SIDE)
        video = VideoRecorder()
        again = runner.rollout(episode["variant"], episode["seed"], video.callback)
        if again["success"] is not episode["success"]:
            raise MismatchError(
                f"the episode of seed {episode['seed']} with {episode['variant']} was a {_end(episode)} and is none "
                "now; films are of equal episodes: run the trial again in another folder"
            )
        (folder / FOLDER).mkdir(exist_ok=True)
        for suffix, path in left.items():
            (video.save if suffix == ".gif" else video.save_filmstrip)(path, _end(episode))
    return [f"{_name(e)}{suffix}" for e, suffix in wanted]


def _end(episode: Mapping[str, Any]) -> str:
    return "success" if episode["success"] else "failure"


def _name(episode: Mapping[str, Any]) -> str:
    return f"{FOLDER}/{episode['variant']}_{_end(episode)}_seed{episode['seed']}"


def _first_ends(episodes: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """Return the first successes and failures of each variant, those in which the arm moved before those without."""
    chosen: list[Mapping[str, Any]] = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        for success in (True, False):
            own = [e for e in episodes if e["variant"] == variant and e["success"] is success]
            chosen += sorted(own, key=lambda e: e["steps"] <= 1)[:count]
    return chosen


def _first_missed(episodes: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    chosen: list[Mapping[str, Any]] = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        chosen += [e for e in episodes if e["variant"] == variant and e["graspable"] and not e["success"]][:count]
    return chosen


class VideoRecorder:
    """Images of one episode."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._times: list[int] = []
        self._seen = self._detections = 0

    def callback(self, observation: Mapping[str, NDArray[Any]], pick: EpisodeState) -> None:
        """Take a image of every fourth step, and of those at which something was said, for longer."""
        detected = len(pick.detections) > self._detections
        if detected or self._seen % _EVERY == 0:
            self._frames.append(_frame(observation, pick, detected))
            self._times.append(_DETECTION_MILLISECONDS if detected else _MILLISECONDS)
        self._detections = len(pick.detections)
        self._seen += 1

    def save(self, path: Path, end: str) -> None:
        """Write an animated GIF that ends with how it ended."""
        frames = [frame.quantize(_COLORS, dither=Image.Dither.NONE) for frame in self._ending(end)]
        times = [*self._times[:-1], _LAST_MILLISECONDS]
        data = io.BytesIO()
        frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
        atomic_write(path, data.getvalue())

    def save_filmstrip(self, path: Path, end: str) -> None:
        """Write images from the first to the last, side by side, as a PNG."""
        frames = self._ending(end)
        rows = np.unique(np.linspace(0, len(frames) - 1, _STRIP).round().astype(int))
        width, height = frames[0].size
        strip = Image.new("RGB", (len(rows) * width, height))
        for n, row in enumerate(rows):
            strip.paste(frames[row], (n * width, 0))
        data = io.BytesIO()
        strip.resize((strip.width * _STRIP_HEIGHT // height, _STRIP_HEIGHT), Image.Resampling.LANCZOS).save(data, "PNG")
        atomic_write(path, data.getvalue())

    def _ending(self, end: str) -> list[Image.Image]:
        """Return all images, with how it ended in the last."""
        last = self._frames[-1].copy()
        color = (70, 190, 90) if end == "success" else (220, 70, 60)
        ImageDraw.Draw(last).text((2 * _SIDE - 8, _HEADER - 20), end, color, _font(), anchor="ra")
        return [*self._frames[:-1], last]


def _frame(observation: Mapping[str, NDArray[Any]], pick: EpisodeState, detected: bool) -> Image.Image:
    canvas = Image.new("RGB", (2 * _SIDE, _SIDE + _HEADER), (24, 26, 30))
    hand = observation["hand_rgb"].astype(float)
    if detected:
        said = pick.detections[-1]
        heatmap = said.heatmap / max(float(said.heatmap.max()), 1e-12)
        hand = hand + 0.6 * heatmap[..., None] * (_HOT - hand)
        hand[_edge(said.mask)] = 255
    for n, pixels in enumerate((observation["base_rgb"], hand)):
        image = Image.fromarray(np.asarray(pixels, np.uint8)).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        canvas.paste(image, (n * _SIDE, _HEADER))
    draw = ImageDraw.Draw(canvas)
    draw.text((8, 4), decode_instruction(observation["instruction"]), (235, 235, 235), _font())
    if pick.detections:
        doing = "it is not there" if pick.absent else pick.phase.value
        scores = " and ".join(f"{said.score:.2f}" for said in pick.detections)
        words = f"{doing}; score {scores}, there from {pick.detections[-1].threshold:.2f}"
        draw.text((8, _HEADER - 20), words, (170, 175, 185), _font(12))
    return canvas


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
