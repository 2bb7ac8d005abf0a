"""The teacher's features of the objects in a store's pictures, each cut out on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.scenes.schema import ROBOT_SEGMENT
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.training.data import SceneSet
from pickclutter_lang.training.windows import Windows, cut_rgb

SMALLEST_SHARE = 0.001
"""An object is cut out from this share of the picture's pixels on: 16 of 128 x 128."""
MARGIN = 1.3
"""Side of the cut over the side of the smallest square around the object."""
_SIDE = 96
_AT_ONCE = 64


@dataclass(frozen=True)
class Crops:
    """The objects that are seen in the scenes of a store, and the teacher's feature of each.

    `columns` has for each scene the label columns of its objects, `first` [N] the row in `features` [M, D] of the first
    of them; the others follow.
    """

    columns: list[list[int]]
    first: list[int]
    features: Tensor

    def of(self, row: int, column: int) -> Tensor | None:
        """Return the feature [D] of an object of a scene, None for one that is hardly or not seen."""
        own = self.columns[row]
        return self.features[self.first[row] + own.index(column)] if column in own else None


def teacher_crops(teacher: Teacher, scenes: SceneSet, cache: FeatureCache) -> Crops:
    """Return the teacher's features of all objects that are seen in the hand camera's pictures.

    :raises StoreError: when the store holds no segmentation of the hand camera
    """
    columns: list[list[int]] = []
    windows: list[tuple[int, float, float, float]] = []
    first = []
    for row in range(len(scenes)):
        segments = scenes.segments([row])[0]
        seen = np.flatnonzero(np.bincount(segments.ravel()) >= SMALLEST_SHARE * segments.size)
        own = [slot for slot in seen.tolist() if 0 < slot < ROBOT_SEGMENT]
        first.append(len(windows))
        columns.append(scenes.actors[row, np.array(own, int) - 1].tolist())
        windows += [(row, *square_around(segments == slot)) for slot in own]

    def batches() -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(windows), _AT_ONCE):
            yield _cut(scenes, windows[start : start + _AT_ONCE])

    view = f"hand crops view={scenes.view} share={SMALLEST_SHARE} margin={MARGIN} side={_SIDE}"
    features = cache.get_or_compute(teacher, batches, len(windows), scenes.content, view)
    return Crops(columns, first, features)


def square_around(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return centre x and y and side of the smallest upright square around a mask [S, S] that is not empty."""
    y, x = np.nonzero(mask)
    side = float(max(np.ptp(x), np.ptp(y)) + 1)
    return float(x.min() + x.max()) / 2, float(y.min() + y.max()) / 2, side


def _cut(scenes: SceneSet, windows: Sequence[tuple[int, float, float, float]]) -> NDArray[np.uint8]:
    return cut_squares(scenes.hand_pictures([row for row, *_ in windows]), [place for _, *place in windows])


def cut_squares(pictures: NDArray[np.uint8], squares: Sequence[Sequence[float]]) -> NDArray[np.uint8]:
    """Return a crop of each of N pictures [N, H, W, 3] around a square (see `square_around`), uint8 [N, 96, 96, 3]."""
    x, y, side = np.array(squares).T
    upright = np.zeros(len(squares))
    cuts = Windows(np.stack([x, y], axis=1), MARGIN * side, upright, upright.astype(bool))
    crops = cut_rgb(pictures, cuts, _SIDE)
    return (crops * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def label_covers(places: NDArray[np.uint8], columns: Sequence[int], cells: tuple[int, int]) -> Tensor:
    """Return how much of each cell of a map the objects of C labels cover.

    :param places: uint8 [N, S, S], as of `SceneSet.places`
    :param columns: label columns of C labels
    :param cells: height h and width w of the map
    :return: [N, C, h * w] in 0..1
    """
    values = torch.tensor(columns, dtype=torch.uint8)[:, None, None] + 1
    masks = (torch.from_numpy(places)[:, None] == values).float()
    return functional.adaptive_avg_pool2d(masks, cells).flatten(2)
