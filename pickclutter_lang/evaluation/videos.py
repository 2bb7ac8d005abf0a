"""Videos of episodes: the views of base and hand camera, the outline of what was detected, and its scores."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from pickclutter_lang.errors import DatasetError, MismatchError
from pickclutter_lang.evaluation.drawing import draw_outline
from pickclutter_lang.evaluation.instructions import DRAWN
from pickclutter_lang.evaluation.metrics import went_right
from pickclutter_lang.evaluation.rollout import RolloutRunner
from pickclutter_lang.language.instructions import decode_instruction
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.io import atomic_write

FOLDER = "videos"
SIDE = 512
"""Pixels of the view of a camera."""
_HEADER = 88
_SIZE = 2 * SIDE, SIDE + _HEADER
_FRAMES_PER_SECOND = 15
_EVERY = 2  # steps
_DETECTION_FRAMES = 24
_LAST_FRAMES = 36
_QUESTION_FRAMES = 60
_GROUND = 24, 26, 30
_BRIGHT = 245, 245, 245
_DIM = 190, 195, 205
_font = lru_cache(ImageFont.load_default)


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
    runner = None
    names = []
    for episode in _first_outcomes(episodes, count):
        names.append(video_name(episode))
        path = folder / names[-1]
        if path.is_file():
            continue
        runner = runner or make_runner()
        recorder = VideoRecorder()
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
        self._frames: list[Callable[..., Image.Image]] = []
        self._steps = 0
        self._detections = 0

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take a frame at every second step, and a longer one at each step with a detection; a `RolloutCallback`."""
        count = len(state.detections) if state is not None else 0
        detected = count > self._detections
        if detected or self._steps % _EVERY == 0:
            self._frames += [_frame(observation, state, detected)] * (_DETECTION_FRAMES if detected else 1)
        self._detections = count
        self._steps += 1

    def begin_with_question(self, picture: NDArray[np.uint8], answer: str) -> None:
        """Show first the picture [H, W, 3] that a large model was asked about, and its answer."""
        self._frames[:0] = [partial(_draw_question, picture, answer)] * _QUESTION_FRAMES

    def mp4(self, outcome: str) -> bytes:
        """Return an MP4 video (H.264) with the outcome in its last frames.

        :raises DatasetError: when ffmpeg fails
        """
        last = partial(self._frames[-1], outcome=outcome)
        return encode_video((draw() for draw in self._frames + [last] * _LAST_FRAMES), _SIZE)


def encode_video(frames: Iterable[Image.Image], size: tuple[int, int]) -> bytes:
    """Return frames, RGB, 15 a second, as an MP4 video (H.264); they are drawn as it takes them.

    :param size: of all frames, (width, height), both even
    :raises DatasetError: when ffmpeg fails
    """
    import imageio_ffmpeg

    sides = "{}x{}".format(*size)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mp4"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", sides, "-r", str(_FRAMES_PER_SECOND), "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
        command += ["-preset", "veryfast", "-crf", "25", "-movflags", "+faststart", str(video)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as done:
            with suppress(BrokenPipeError):  # it ended, and says why
                for frame in frames:
                    done.stdin.write(frame.tobytes())  # type: ignore[union-attr]
            said = done.communicate()[1].decode(errors="replace").strip().rpartition("\n")[2]
        if done.returncode != 0:
            raise DatasetError(f"cannot encode a video of {sides} pixels: ffmpeg ended with {done.returncode}: {said}")
        return video.read_bytes()


def _frame(
    observation: Mapping[str, NDArray[Any]], state: EpisodeState | None, detected: bool
) -> Callable[..., Image.Image]:
    """Return what draws a frame: a hundred that are drawn take 180 MB."""
    hand = observation["hand_rgb"]
    said = ""
    if state is not None and state.detections:
        last = state.detections[-1]
        phase = "predicted absent" if state.absent else state.phase
        scores = " and ".join(f"{detection.score:.2f}" for detection in state.detections)
        # A policy that declares nothing has no threshold; a picker of one's own may have no phases.
        said = "; ".join(filter(None, (phase, f"score {scores}")))
        said += f", threshold {last.threshold:.2f}" if last.threshold > 0 else ""
        hand = draw_outline(hand, last.mask) if detected else hand
    views = [np.array(view, np.uint8) for view in (observation["base_rgb"], hand)]
    return partial(_draw, views, decode_instruction(observation["instruction"]), said)


def _draw_question(picture: NDArray[np.uint8], answer: str) -> Image.Image:
    """Draw a picture [H, W, 3], as large as it fits, under who was asked and the answer, in lines of their own."""
    canvas = Image.new("RGB", _SIZE, _GROUND)
    fitted = ImageOps.contain(Image.fromarray(picture), (2 * SIDE, SIDE), Image.Resampling.LANCZOS)
    canvas.paste(fitted, ((2 * SIDE - fitted.width) // 2, _HEADER + (SIDE - fitted.height) // 2))
    who, _, named = answer.partition(": ")
    draw = ImageDraw.Draw(canvas)
    draw.text((16, 8), who, _BRIGHT, _font(30))
    size = next((size for size in range(26, 10, -1) if draw.textlength(named, _font(size)) <= 2 * SIDE - 32), 10)
    draw.text((16, _HEADER - 40), named, _DIM, _font(size))
    return canvas


def _draw(views: Sequence[NDArray[np.uint8]], instruction: str, said: str, outcome: str = "") -> Image.Image:
    """Draw the views [H, W, 3] of base and hand camera side by side under two lines; a success is green."""
    canvas = Image.new("RGB", _SIZE, _GROUND)
    for n, view in enumerate(views):
        canvas.paste(Image.fromarray(view).resize((SIDE, SIDE), Image.Resampling.BICUBIC), (n * SIDE, _HEADER))
    draw = ImageDraw.Draw(canvas)
    draw.text((16, 8), instruction, _BRIGHT, _font(30))
    draw.text((16, _HEADER - 40), said, _DIM, _font(26))
    color = (90, 210, 110) if outcome == "success" else (240, 100, 90)
    draw.text((2 * SIDE - 16, _HEADER - 40), outcome, color, _font(26), anchor="ra")
    return canvas
