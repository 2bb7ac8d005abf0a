"""The objects of a store's scenes, each cut out of the hand camera's picture on its own, with its mask and label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.training.crops import MARGIN, square_around
from pickclutter_lang.training.data import SceneSet
from pickclutter_lang.training.windows import Windows, cut_labels, cut_rgb, relight

_SMALLEST_SIDE = 24.0
"""Pixels of the picture that a cut-out shows at least, side of the square."""
_FEWEST_PIXELS = 30
_AT_ONCE = 64
_SHIFT, _LARGER, _SMALLER = 0.08, 0.25, 0.2  # shares of the side; logarithms of the factors


class CutOuts:
    """The objects in the scenes of a store of which enough is seen, with their labels."""

    def __init__(self, scenes: SceneSet, columns: Sequence[int]) -> None:
        """Find them.

        :param columns: label columns; what is none of these is left out
        :raises StoreError: when the store holds no segmentation of the hand camera, or not which objects are in a scene
        """
        self._scenes = scenes
        scenes.segments([0])  # from then on in memory, where they fit
        rows: list[int] = []
        slots: list[int] = []
        labels: list[int] = []
        squares: list[tuple[float, float, float]] = []
        for first in range(0, len(scenes), _AT_ONCE):
            chosen = range(first, min(first + _AT_ONCE, len(scenes)))
            segments, there = self._pictures("segmentation", chosen), scenes.slots(chosen, columns)
            for row, picture, own in zip(chosen, segments, there, strict=True):
                pixels = np.bincount(picture.ravel(), minlength=256)
                for label in np.flatnonzero((own > 0) & (pixels[own] >= _FEWEST_PIXELS)).tolist():
                    rows.append(row)
                    slots.append(int(own[label]))
                    labels.append(label)
                    squares.append(square_around(picture == own[label]))
        self._rows, self._slots = np.array(rows, int), np.array(slots, np.uint8)
        self._squares = np.array(squares, float).reshape(-1, 3)
        self.labels = torch.tensor(labels, dtype=torch.int64)
        """The label of each object [M], a position in `columns`."""

    def __len__(self) -> int:
        return len(self._rows)

    def show(self, objects: Sequence[int], size: int, rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return pictures [n, 3, S, S] in 0..1 of objects and where they are on them, [n, S, S] of 0 and 1.

        :param size: side S
        :param rng: turns, mirrors, moves, resizes and relights them; None: as they are
        """
        chosen = np.array(objects, int)
        windows = windows_around(self._squares[chosen])
        if rng is not None:
            windows = _varied(windows, rng)
        rows = self._rows[chosen].tolist()
        pictures = cut_rgb(self._pictures("rgb", rows), windows, size)
        cut = cut_labels(self._pictures("segmentation", rows), windows, size)
        masks = (cut == torch.from_numpy(self._slots[chosen])[:, None, None]).float()
        return (pictures if rng is None else relight(pictures, rng)), masks

    def _pictures(self, kind: str, rows: Sequence[int]) -> NDArray[np.uint8]:
        return self._scenes.pictures("hand", kind, rows).astype(np.uint8, copy=False)


def windows_around(squares: NDArray[np.float64]) -> Windows:
    """Return what is shown of objects: upright windows around their squares [N, 3] (x, y, side) with some margin."""
    upright = np.zeros(len(squares))
    return Windows(squares[:, :2], np.maximum(MARGIN * squares[:, 2], _SMALLEST_SIDE), upright, upright.astype(bool))


def _varied(windows: Windows, rng: np.random.Generator) -> Windows:
    count = len(windows.side)
    side = windows.side * np.exp(rng.uniform(-_SMALLER, _LARGER, count))
    centre = windows.centre + rng.uniform(-_SHIFT, _SHIFT, (count, 2)) * side[:, None]
    return Windows(centre, side, rng.uniform(-np.pi, np.pi, count), rng.random(count) < 0.5)
