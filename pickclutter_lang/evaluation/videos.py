"""Videos of episodes: the views of base and hand camera, the detector's heatmap, mask and scores."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.errors import DatasetError, MismatchError
from pickclutter_lang.evaluation.instructions import DRAWN
from pickclutter_lang.evaluation.metrics import went_right
from pickclutter_lang.evaluation.rollout import RolloutRunner
from pickclutter_lang.language.instructions import decode_instruction
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.io import atomic_write

FOLDER = "videos"
SIDE = 256
"""Pixels of the view of a camera."""
_HEADER = 44
_EVERY = 4
_FRAME_MS, _DETECTION_FRAMES, _LAST_FRAMES = 200, 8, 12
_HOT = np.array([255.0, 60.0, 0.0])
_LARGE, _SMALL = ImageFont.load_default(14), ImageFont.load_default(12)


def write_videos(
    make_runner: Callable[[], RolloutRunner], episodes: Sequence[Mapping[str, Any]], count: int, folder: Path
) -> list[str]:
    """Write MP4 videos of the first successes and failures of each variant.

    The episodes are run again: equal seeds give equal episodes. Files that are there are left as they are.

    :param make_runner: makes a runner with a base camera of `SIDE` pixels; it is called where a video is missing
    :param count: how many successes, and how many failures, of each variant
    :return: the files, relative to the folder
    :raises MismatchError: when an episode has another outcome than before, as with another version of the program
    :raises DatasetError: when a video cannot be encoded or written
    """
    runner, names = None, []
    for episode in _first_outcomes(episodes, count):
        names.append(video_name(episode))
        path = folder / names[-1]
        if path.is_file():
            continue
        runner, recorder = runner or make_runner(), VideoRecorder()
        again = runner.rollout(episode["variant"], episode["seed"], episode["kind"], recorder.callback)
        if _outcome(again) != _outcome(episode):
            raise MismatchError(
                f"the episode of seed {episode['seed']} with {episode['variant']} was a {_outcome(episode)} "
                "and is none now; videos are of equal episodes: run the evaluation again in another folder"
            )
        atomic_write(path, recorder.mp4(_outcome(episode)))
    return names


def _outcome(episode: Mapping[str, Any]) -> str:
    return "success" if went_right(episode) else "failure"


def video_name(episode: Mapping[str, Any]) -> str:
    """Return the file of the video of an episode, relative to the folder of the evaluation."""
    variant = episode["variant"].replace(":", ".")  # in a link, the part before a colon is a protocol
    kind = "" if episode["kind"] == DRAWN else f"_{episode['kind']}"
    return f"{FOLDER}/{variant}{kind}_{_outcome(episode)}_seed{episode['seed']}.mp4"


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


class VideoRecorder:
    """The frames of one episode; its `callback` takes them during a rollout."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._steps = self._detections = 0

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take a frame at every fourth step, and a longer one at each step with a detection; a `RolloutCallback`."""
        count = len(state.detections) if state is not None else 0
        detected = count > self._detections
        if detected or self._steps % _EVERY == 0:
            self._frames += [_frame(observation, state, detected)] * (_DETECTION_FRAMES if detected else 1)
        self._detections = count
        self._steps += 1

    def mp4(self, outcome: str) -> bytes:
        """Return an MP4 video (H.264) with the outcome in its last frame.

        :raises DatasetError: when ffmpeg fails
        """
        last = self._frames[-1].copy()
        color = (70, 190, 90) if outcome == "success" else (220, 70, 60)
        ImageDraw.Draw(last).text((2 * SIDE - 8, _HEADER - 20), outcome, color, _LARGE, anchor="ra")
        return encode_video([*self._frames, *[last] * _LAST_FRAMES])


def encode_video(frames: Sequence[Image.Image]) -> bytes:
    """Return frames, RGB of one even size, 200 ms each, as an MP4 video (H.264).

    :raises DatasetError: when ffmpeg fails
    """
    import imageio_ffmpeg

    size = "{}x{}".format(*frames[0].size)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mp4"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", size, "-r", str(1000 / _FRAME_MS), "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
        command += ["-crf", "25", "-movflags", "+faststart", str(video)]
        done = subprocess.run(command, input=b"".join(frame.tobytes() for frame in frames), capture_output=True)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise DatasetError(f"cannot encode a video of {size} pixels: ffmpeg ended with {done.returncode}: {said}")
        return video.read_bytes()


def _frame(observation: Mapping[str, NDArray[Any]], state: EpisodeState | None, detected: bool) -> Image.Image:
    canvas = Image.new("RGB", (2 * SIDE, SIDE + _HEADER), (24, 26, 30))
    hand = observation["hand_rgb"]
    if detected and state is not None:
        hand = draw_detection(hand, state.detections[-1])
    for n, pixels in enumerate((observation["base_rgb"], hand)):
        image = Image.fromarray(np.asarray(pixels, np.uint8)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        canvas.paste(image, (n * SIDE, _HEADER))
    draw = ImageDraw.Draw(canvas)
    draw.text((8, 4), decode_instruction(observation["instruction"]), (235, 235, 235), _LARGE)
    if state is not None and state.detections:
        phase = "predicted absent" if state.absent else state.phase.value
        scores = " and ".join(f"{detection.score:.2f}" for detection in state.detections)
        threshold = state.detections[-1].threshold
        said = f", threshold {threshold:.2f}" if threshold > 0 else ""  # a policy that declares nothing has none
        draw.text((8, _HEADER - 20), f"{phase}; score {scores}{said}", (170, 175, 185), _SMALL)
    return canvas


def draw_detection(image: NDArray[np.uint8], detection: Detection) -> NDArray[np.uint8]:
    """Return an image [H, W, 3] with the heatmap of a detection in red, and its mask with a white edge."""
    heatmap = detection.heatmap / max(float(detection.heatmap.max()), 1e-12)
    drawn = image.astype(float)
    drawn += 0.6 * heatmap[..., None] * (_HOT - drawn)
    mask = np.pad(detection.mask, 1)
    around = mask[2:, 1:-1] | mask[:-2, 1:-1] | mask[1:-1, 2:] | mask[1:-1, :-2]
    drawn[around & ~detection.mask] = 255
    return drawn.astype(np.uint8)
