"""Films of episodes: what a bystander and the hand see, where the object is looked for, what was said of it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.errors import StoreMismatchError
from pickclutter_lang.files import write_whole
from pickclutter_lang.policy.agent import Pick
from pickclutter_lang.policy.judges import Judgement
from pickclutter_lang.policy.observations import decoded
from pickclutter_lang.trials.episodes import Stage, Theatre

FOLDER = "films"
_SIDE, _HEADER = 256, 44
_EVERY, _COLOURS = 4, 96
_MILLISECONDS, _JUDGED_MILLISECONDS, _LAST_MILLISECONDS = 200, 1500, 2500
_HOT = np.array([255.0, 60.0, 0.0])


def write_films(stage: Stage, episodes: Sequence[Mapping[str, Any]], count: int, folder: Path) -> list[str]:
    """Film the first `count` successes and failures of each variant; return the files, relative to the folder.

    The episodes are played again: equal seeds give equal episodes. Films that are there are left as they are.

    :raises StoreMismatchError: when an episode ends otherwise than it did, as with another version of the program
    """
    theatre: Theatre | None = None
    names = []
    for episode in _chosen(episodes, count):
        end = "success" if episode["success"] else "failure"
        name = f"{FOLDER}/{episode['variant']}_{end}_seed{episode['seed']}.gif"
        names.append(name)
        if (folder / name).is_file():
            continue
        theatre = theatre or Theatre(stage, base_side=_SIDE)
        film = Film()
        again = theatre.play(episode["variant"], episode["seed"], film.watch)
        if again["success"] is not episode["success"]:
            raise StoreMismatchError(
                f"the episode of seed {episode['seed']} with {episode['variant']} was a {end} and is none now; "
                "films are of equal episodes: run the trial again in another folder"
            )
        (folder / FOLDER).mkdir(exist_ok=True)
        film.save(folder / name, end)
    return names


def _chosen(episodes: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """Return the first successes and failures of each variant, those in which the arm moved before those without."""
    chosen: list[Mapping[str, Any]] = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        for success in (True, False):
            own = [e for e in episodes if e["variant"] == variant and e["success"] is success]
            chosen += sorted(own, key=lambda e: e["steps"] <= 1)[:count]
    return chosen


class Film:
    """Pictures of one episode."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._times: list[int] = []
        self._seen = 0
        self._said: Judgement | None = None

    def watch(self, observation: Mapping[str, NDArray[Any]], pick: Pick) -> None:
        """Take a picture of every fourth step, and of those at which something was said, for longer."""
        judged = pick.judgement is not self._said
        if judged or self._seen % _EVERY == 0:
            self._frames.append(_frame(observation, pick, judged))
            self._times.append(_JUDGED_MILLISECONDS if judged else _MILLISECONDS)
        self._said = pick.judgement
        self._seen += 1

    def save(self, path: Path, end: str) -> None:
        """Write an animated GIF that ends with how it ended."""
        last = self._frames[-1].copy()
        colour = (70, 190, 90) if end == "success" else (220, 70, 60)
        ImageDraw.Draw(last).text((2 * _SIDE - 8, _HEADER - 20), end, colour, _font(), anchor="ra")
        frames = [frame.quantize(_COLOURS, dither=Image.Dither.NONE) for frame in (*self._frames[:-1], last)]
        times = [*self._times[:-1], _LAST_MILLISECONDS]
        data = io.BytesIO()
        frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
        write_whole(path, data.getvalue())


def _frame(observation: Mapping[str, NDArray[Any]], pick: Pick, judged: bool) -> Image.Image:
    canvas = Image.new("RGB", (2 * _SIDE, _SIDE + _HEADER), (24, 26, 30))
    hand = observation["hand_rgb"].astype(float)
    said = pick.judgement
    if said is not None and judged:
        heat = said.heat / max(float(said.heat.max()), 1e-12)
        hand = hand + 0.6 * heat[..., None] * (_HOT - hand)
        hand[_edge(said.mask)] = 255
    for n, picture in enumerate((observation["base_rgb"], hand)):
        image = Image.fromarray(np.asarray(picture, np.uint8)).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        canvas.paste(image, (n * _SIDE, _HEADER))
    draw = ImageDraw.Draw(canvas)
    draw.text((8, 4), decoded(observation["instruction"]), (235, 235, 235), _font())
    if said is not None:
        doing = pick.picker.doing if said.there else "it is not there"
        words = f"{doing}; score {said.score:.2f}, there from {said.threshold:.2f}"
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
