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
from pickclutter_lang.training.augment import Draw
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

    `slots` has for each scene the values of its objects in the segmentation, `first` [N] the row in
    `features` [M, D] of the first of them; the others follow.
    """

    slots: list[list[int]]
    first: list[int]
    features: Tensor

    def of(self, row: int) -> Tensor:
        """Return the features [n, D] of the objects of a scene, in the order of `slots[row]`."""
        return self.features[self.first[row] : self.first[row] + len(self.slots[row])]


def teacher_crops(teacher: Teacher, scenes: SceneSet, cache: FeatureCache) -> Crops:
    """Return the teacher's features of all objects that are seen in the hand camera's pictures.

    :raises StoreError: when the store holds no segmentation of the hand camera
    """
    slots: list[list[int]] = []
    windows: list[tuple[int, float, float, float]] = []
    first = []
    for row in range(len(scenes)):
        segments = scenes.segments([row])[0]
        seen = np.flatnonzero(np.bincount(segments.ravel()) >= SMALLEST_SHARE * segments.size)
        own = [slot for slot in seen.tolist() if 0 < slot < ROBOT_SEGMENT]
        first.append(len(windows))
        slots.append(own)
        windows += [(row, *square_around(segments == slot)) for slot in own]

    def batches() -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(windows), _AT_ONCE):
            yield _cut(scenes, windows[start : start + _AT_ONCE])

    view = f"hand crops view={scenes.view} share={SMALLEST_SHARE} margin={MARGIN} side={_SIDE}"
    features = cache.get_or_compute(teacher, batches, len(windows), scenes.content, view)
    return Crops(slots, first, features)


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


def object_covers(
    scenes: SceneSet, crops: Crops, rows: Sequence[int], draws: Sequence[Draw], cells: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return where the objects of some scenes lie on a map of features, as their pictures are shown.

    :param rows: n scenes
    :param draws: what is done to each picture
    :param cells: height h and width w of the map
    :return: which of the n pictures each object is in, int64 [R]; how much of it lies in each cell, [R, h * w] with
        sum 1; and the teacher's features [R, D]. Objects that were moved out of the picture are left out
    """
    segments = torch.from_numpy(scenes.segments(rows, draws))
    owners = torch.tensor([n for n, row in enumerate(rows) for _ in crops.slots[row]], dtype=torch.int64)
    slots = torch.tensor([slot for row in rows for slot in crops.slots[row]], dtype=torch.uint8)
    masks = (segments[owners] == slots[:, None, None]).float()
    covers = functional.adaptive_avg_pool2d(masks[:, None], cells).flatten(1)
    total = covers.sum(dim=1, keepdim=True)
    seen = total[:, 0] > 0
    features = torch.cat([crops.of(row) for row in rows])
    return owners[seen], (covers / total.clamp(min=1e-9))[seen], features[seen]


def label_covers(
    scenes: SceneSet, rows: Sequence[int], draws: Sequence[Draw], columns: Sequence[int], cells: tuple[int, int]
) -> Tensor:
    """Return how much of each cell of a map the objects of some labels cover, as the pictures of scenes are shown.

    :param columns: C label columns; the others as in `object_covers`
    :return: [n, C, h * w] in 0..1
    :raises StoreError: when the store holds no segmentation of the hand camera, or not which objects are in a scene
    """
    segments, slots = torch.from_numpy(scenes.segments(rows, draws)), torch.from_numpy(scenes.slots(rows, columns))
    covers = torch.zeros(*slots.shape, cells[0] * cells[1])
    pictures, labels = slots.nonzero(as_tuple=True)
    masks = (segments[pictures] == slots[pictures, labels][:, None, None]).float()
    covers[pictures, labels] = functional.adaptive_avg_pool2d(masks[:, None], cells).flatten(1)
    return covers
