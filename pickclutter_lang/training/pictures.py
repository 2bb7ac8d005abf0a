"""How pictures of cameras, stored or live, become what a student sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.training.augment import Draw, cut, relight

_FAR = 2.0  # metres; nothing of interest is further from either camera


def show_pictures(
    pictures: Mapping[tuple[str, str], NDArray[np.generic]],
    view: int,
    size: int,
    draws: Sequence[Draw] | None = None,
) -> Tensor:
    """Return pictures for a student.

    :param pictures: (camera, kind) -> n of them, in the order of the channels: `rgb` uint8 [n, S, S, 3], `depth` uint16
        [n, S, S] in millimetres (0 = nothing)
    :param view: side in pixels of the central window that is cut out, at most S
    :param size: side to which it is resized
    :param draws: what is done to each of the n; nothing where left out
    :return: float32 [n, K, size, size], channels last in memory: RGB in 0..1, depth in metres (0 = nothing, at most 2)
    """
    count = len(next(iter(pictures.values())))
    chosen = draws if draws is not None else [Draw()] * count
    widths = [3 if kind == "rgb" else 1 for _, kind in pictures]
    out = np.empty((count, view, view, sum(widths)), np.float32)
    channel = 0
    for width, ((_, kind), some) in zip(widths, pictures.items(), strict=True):
        for n, picture in enumerate(some):
            out[n, ..., channel : channel + width] = _prepare(cut(picture, view, chosen[n]), kind, chosen[n])
        channel += width
    depths = [sum(widths[:n]) for n, (_, kind) in enumerate(pictures) if kind == "depth"]
    return _resize(torch.from_numpy(out).permute(0, 3, 1, 2), size, depths)


def _prepare(picture: NDArray[np.generic], kind: str, draw: Draw) -> NDArray[np.float32]:
    """Turn a cut picture into floats [view, view, channels]."""
    if kind == "depth":
        return np.minimum(picture[..., None].astype(np.float32) / 1000, _FAR)
    return relight(picture.astype(np.float32) / 255, draw)


def _resize(images: Tensor, size: int, depths: Sequence[int]) -> Tensor:
    if size == images.shape[-1]:
        return images
    smooth = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    if depths:  # a mean over an edge is a depth at which nothing is
        near = functional.interpolate(images, size=(size, size), mode="nearest-exact")
        smooth[:, depths] = near[:, depths]
    return smooth.contiguous(memory_format=torch.channels_last)
