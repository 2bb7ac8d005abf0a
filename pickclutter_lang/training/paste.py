"""Objects of some pictures pasted into others: Ghiasi et al., CVPR 2021 (arXiv 2012.07177)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.scenes.schema import ROBOT_SEGMENT

_MOST = 3
_HIDDEN = 0.4  # with no more of it left than that share, an object does not count as there


class Shown(NamedTuple):
    """What n pictures show: `places`, uint8 [n, S, S], as of `SceneSet.places`, and `origins`: for each picture its
    objects' label columns, and of which (source, row) the object is.
    """

    places: NDArray[np.uint8]
    origins: list[dict[int, tuple[int, int]]]

    @classmethod
    def of(cls, scenes: Sequence[tuple[int, int]], places: NDArray[np.uint8]) -> Shown:
        """Return what pictures of n scenes (source, row) show."""
        seen = [np.unique(own).tolist() for own in places]
        return cls(
            places,
            [
                {value - 1: scene for value in values if 0 < value < ROBOT_SEGMENT}
                for scene, values in zip(scenes, seen, strict=True)
            ],
        )


class _Cut(NamedTuple):
    """An object cut out: `mask` [h, w] and `pixels` [K, h, w] of the box around it."""

    column: int
    origin: tuple[int, int]
    mask: NDArray[np.bool_]
    pixels: Tensor


def paste_objects(images: Tensor, targets: Tensor, shown: Shown, share: float, key: Sequence[int]) -> NDArray[np.bool_]:
    """Paste one to three objects into each of some pictures: anywhere, by quarter turns, before all but the robot.

    What is pasted are objects with a label, of the pictures of the last source. What is hidden then loses its label.

    :param images: float32 [n, K, S, S], changed in place, as are the others
    :param targets: bool [n, C] of all label columns
    :param shown: of the same pictures
    :param share: of the pictures, in 0..1, rounded down
    :param key: numbers >= 0 that what is drawn depends on
    :return: into which, [n]
    """
    rng = np.random.default_rng(list(key))
    cuts = _cuts(images, targets, shown)
    changed = np.zeros(len(images), bool)
    changed[rng.permutation(len(images))[: int(share * len(images))]] = bool(cuts)
    for n in np.flatnonzero(changed).tolist():
        sizes = np.bincount(shown.places[n].ravel(), minlength=256)
        for _ in range(int(rng.integers(1, _MOST + 1))):
            cut = cuts[int(rng.integers(len(cuts)))]
            _paste(images[n], shown.places[n], cut, rng)
            shown.origins[n][cut.column] = cut.origin
            targets[n, cut.column] = True
            sizes[cut.column + 1] = max(sizes[cut.column + 1], cut.mask.sum())
        left = np.bincount(shown.places[n].ravel(), minlength=256)
        hidden = (sizes > 0) & (left <= _HIDDEN * sizes)
        targets[n] &= torch.from_numpy(~hidden[1 : targets.shape[1] + 1])
    return changed


def _cuts(images: Tensor, targets: Tensor, shown: Shown) -> list[_Cut]:
    """Cut out the objects with a label in the pictures of the last source."""
    last = max((source for own in shown.origins for source, _ in own.values()), default=0)
    cuts = []
    for n, own in enumerate(shown.origins):
        for column, origin in own.items():
            mask = shown.places[n] == column + 1
            if origin[0] == last and bool(targets[n, column]) and mask.any():
                rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
                down, across = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
                cuts.append(_Cut(column, origin, mask[down, across], images[n, :, down, across].clone()))
    return cuts


def _paste(image: Tensor, places: NDArray[np.uint8], cut: _Cut, rng: np.random.Generator) -> None:
    """Paste an object into a picture [K, S, S] with `places` [S, S]."""
    turn = int(rng.integers(4))
    mask, pixels = np.rot90(cut.mask, turn), torch.rot90(cut.pixels, turn, (1, 2))
    top, left = (int(rng.integers(whole - part + 1)) for whole, part in zip(places.shape, mask.shape, strict=True))
    down, across = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
    over = mask & (places[down, across] != ROBOT_SEGMENT)
    places[down, across][over] = cut.column + 1
    image[:, down, across] = torch.where(torch.from_numpy(over), pixels, image[:, down, across])
