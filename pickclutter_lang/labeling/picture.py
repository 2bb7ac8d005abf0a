"""The picture that a large model sees: an image, and beside it the same one with numbered segments.

This is set-of-mark prompting (J. Yang et al., arXiv 2310.11441).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt, minimum_filter

from pickclutter_lang.utils.images import png_bytes

_SIDE = 720
"""Longest side of each half, pixels; side by side a little less than two tiles of 768."""
_GAP = 8
_AROUND = 0.06
_MIN_AROUND = 12
_OUTLINE, _EDGE = (255, 255, 0), (20, 20, 20)
_FONTS = tuple(ImageFont.load_default(size) for size in (22, 18, 15))
_PAD = 3
"""Pixels of black around a number."""


@dataclass(frozen=True, eq=False)
class NumberedPicture:
    """A picture with numbers 1, 2, ... in segments.

    - `pixels`: uint8 [H, W, 3], what the model sees
    - `segments`: position of the segment of each number among the masks that were given
    """

    pixels: NDArray[np.uint8]
    segments: tuple[int, ...]

    @cached_property
    def sha256(self) -> str:
        """Hash of the pixels and their shape."""
        return hashlib.sha256(repr(self.pixels.shape).encode() + self.pixels.tobytes()).hexdigest()

    @cached_property
    def png(self) -> bytes:
        """The picture as a PNG file."""
        return png_bytes(Image.fromarray(self.pixels))


def draw_numbered(rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> NumberedPicture:
    """Draw an image [H, W, 3], cropped to its segments, and beside it the same with their outlines and numbers.

    Numbers run from top to bottom. Each lies inside its segment where it has room there; else its middle does. Segments
    that are smaller than a number are left out.

    :param masks: bool [H, W] of each segment
    """
    left, top, right, bottom = _around(rgb, masks)
    scale = _SIDE / max(right - left, bottom - top)
    size = round((right - left) * scale), round((bottom - top) * scale)
    plain = Image.fromarray(rgb[top:bottom, left:right]).resize(size, Image.Resampling.BICUBIC)
    enlarged = [
        np.asarray(Image.fromarray(mask[top:bottom, left:right]).resize(size, Image.Resampling.NEAREST))
        for mask in masks
    ]
    order = sorted(range(len(masks)), key=lambda n: _middle(enlarged[n]))
    drawn = np.array(plain)
    taken = np.zeros(drawn.shape[:2], bool)
    labels: list[tuple[int, tuple[int, int], ImageFont.FreeTypeFont | ImageFont.ImageFont]] = []
    for segment in order:
        place = _place(enlarged[segment], str(len(labels) + 1), taken)
        if place is not None:
            labels.append((segment, *place))
    for segment, _, _ in labels:
        inner = enlarged[segment] & ~binary_erosion(enlarged[segment], iterations=2)
        drawn[binary_dilation(inner, iterations=1) & ~enlarged[segment]] = _EDGE
        drawn[inner] = _OUTLINE
    numbered = Image.fromarray(drawn)
    pen = ImageDraw.Draw(numbered)
    for number, (_, (x, y), font) in enumerate(labels, 1):
        width, height = _box(str(number), font)
        corner = x - width // 2, y - height // 2
        pen.rectangle((*corner, corner[0] + width - 1, corner[1] + height - 1), "black")
        pen.text((corner[0] + width / 2, corner[1] + height / 2), str(number), "white", font, "mm")
    picture = Image.new("RGB", (2 * size[0] + _GAP, size[1]), "white")
    picture.paste(plain, (0, 0))
    picture.paste(numbered, (size[0] + _GAP, 0))
    return NumberedPicture(np.asarray(picture), tuple(segment for segment, _, _ in labels))


def _around(rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> tuple[int, int, int, int]:
    """Return the part of an image, left, top, right and bottom, that has all segments, with some ground around."""
    height, width = rgb.shape[:2]
    everything = np.any(masks, axis=0) if masks else np.ones((height, width), bool)
    rows, columns = (np.flatnonzero(everything.any(axis=axis)) for axis in (1, 0))
    more = max(round(_AROUND * max(np.ptp(rows), np.ptp(columns))), _MIN_AROUND)
    ends = columns[0] - more, rows[0] - more, columns[-1] + 1 + more, rows[-1] + 1 + more
    return max(int(ends[0]), 0), max(int(ends[1]), 0), min(int(ends[2]), width), min(int(ends[3]), height)


def _middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean row and column of a segment."""
    rows, columns = np.nonzero(mask)
    return (float(rows.mean()), float(columns.mean())) if len(rows) else (0.0, 0.0)


def _box(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    """Return width and height of the black box of a number, pixels."""
    left, top, right, bottom = font.getbbox(text, anchor="lt")
    return round(right - left) + 2 * _PAD, round(bottom - top) + 2 * _PAD


def _place(
    mask: NDArray[np.bool_], text: str, taken: NDArray[np.bool_]
) -> tuple[tuple[int, int], ImageFont.FreeTypeFont | ImageFont.ImageFont] | None:
    """Return where the middle (x, y) of a number goes and its font, and mark its box as taken; None: no room.

    :param taken: [H, W], pixels of the numbers so far
    """
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    for font in _FONTS:
        width, height = _box(text, font)
        fits = minimum_filter(mask & ~taken, size=(height, width), mode="constant") > 0
        if fits.any():
            return _mark(np.where(fits, depth, 0), (width, height), taken), font
    if mask.sum() < width * height:
        return None
    free = minimum_filter(~taken, size=(height, width), mode="constant") > 0
    room = np.where(free & mask, depth, 0)
    return (_mark(room, (width, height), taken), font) if room.any() else None


def _mark(room: NDArray[np.float64], size: tuple[int, int], taken: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the place (x, y) with most room, and mark a box of `size` around it as taken."""
    y, x = np.unravel_index(int(room.argmax()), room.shape)
    left, top = int(x) - size[0] // 2, int(y) - size[1] // 2
    taken[max(top - 1, 0) : top + size[1] + 1, max(left - 1, 0) : left + size[0] + 1] = True
    return int(x), int(y)
