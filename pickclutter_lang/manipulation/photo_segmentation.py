"""Objects of a photo: what differs from a plain ground, or is cut out of any."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes, binary_opening, label

from pickclutter_lang.errors import MissingExtraError

_PLAIN = 6.0  # three quarters of a ground differ by less from its median, in CIELAB with a third of the lightness
_PHOTO_SIDE = 320  # pixels, at which the objects of a photo are cut out
_CONTEXT = 0.5  # of a box's sides, on each side, from which GrabCut learns the ground
_CORE, _CORE_AT_POINT = 0.3, 0.1  # of a box's sides: the ellipse in its middle, or at a point, that is object
_REACH = 0.15  # of a photo's longer side: how far from a point of it an object is looked for


def segment_photo(rgb: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """Return the parts of a photo [H, W, 3] that differ from its ground, [H, W]: 1, 2, ..., and 0 for the ground.

    The ground is what lies along the border of the image, or around the box. What differs from it by more than the
    threshold of Otsu, in CIELAB's lightness, at a third, and colors, is an object.

    :param inside: [H, W], true in the box; all of the photo where there is none
    :return: None where the ground has many colors
    """
    from skimage.color import rgb2lab
    from skimage.filters import threshold_otsu

    height, width = rgb.shape[:2]
    small = _small(rgb)
    size = small.shape[1], small.shape[0]
    within = np.asarray(Image.fromarray(inside).resize(size, Image.Resampling.NEAREST))
    lab = rgb2lab(small) * [1 / 3, 1.0, 1.0]
    around = ~within
    if not around.any():
        edge = max(min(size) // 32, 1)
        around[:edge] = around[-edge:] = around[:, :edge] = around[:, -edge:] = True
    ground = lab[around]
    center = np.median(ground, axis=0)
    if np.quantile(np.linalg.norm(ground - center, axis=1), 0.75) > _PLAIN:
        return None
    spread = np.maximum(np.median(np.abs(ground - center), axis=0) * 1.5, 1.0)
    distance = np.minimum(np.linalg.norm((lab - center) / spread, axis=2), 40.0)
    values = distance[within]
    threshold = max(threshold_otsu(values) if np.unique(values).size > 1 else np.inf, 4.0)  # type: ignore[no-untyped-call]
    parts, _ = label(binary_fill_holes(binary_opening((distance > threshold) & within, iterations=1)))
    return np.asarray(Image.fromarray(parts.astype(np.int32)).resize((width, height), Image.Resampling.NEAREST)).astype(
        np.int64
    )


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image with at most `_PHOTO_SIDE` pixels a side."""
    height, width = rgb.shape[:2]
    scale = min(_PHOTO_SIDE / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def cut_out(rgb: NDArray[np.uint8], box: Sequence[int], point: Sequence[float] | None = None) -> NDArray[np.bool_]:
    """Return the pixels [H, W] of the object in a box of a photo [H, W, 3], on any ground.

    GrabCut (Rother et al., 2004) in CIELAB. Outside of the box is ground, a small ellipse in its middle object; its
    corners begin as ground. What is joined to that ellipse is taken, without holes. Equal input gives equal pixels.

    :param box: (left, top, right, bottom), with at least one pixel
    :param point: (u, v), a pixel of the object in the box, in place of its middle
    :raises MissingExtraError: without OpenCV
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError(f"OpenCV, which cuts objects out of photos ({error}),", "train") from error
    left, top, right, bottom = box
    across, down = round(_CONTEXT * (right - left)), round(_CONTEXT * (bottom - top))
    rows, columns = slice(max(top - down, 0), bottom + down), slice(max(left - across, 0), right + across)
    part = rgb[rows, columns]
    small = _small(part)
    u = columns.start + (np.arange(small.shape[1]) + 0.5) * part.shape[1] / small.shape[1]
    v = rows.start + (np.arange(small.shape[0]) + 0.5) * part.shape[0] / small.shape[0]
    width, height = (right - left) / 2, (bottom - top) / 2
    middle = left + width, top + height
    x, y = np.meshgrid((u - middle[0]) / width, (v - middle[1]) / height)  # -1..1 in the box
    labels = np.where(x**2 + y**2 < 1, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[np.maximum(abs(x), abs(y)) > 1] = cv2.GC_BGD
    if (labels != cv2.GC_BGD).all():  # the box is the photo
        edge = max(min(labels.shape) // 32, 1)
        labels[:edge] = labels[-edge:] = labels[:, :edge] = labels[:, -edge:] = cv2.GC_BGD
    start, radius = (middle, _CORE) if point is None else (point, _CORE_AT_POINT)
    x, y = np.meshgrid((u - start[0]) / width, (v - start[1]) / height)
    distance = np.hypot(x, y)
    core = distance <= max(radius, distance.min())
    labels[core] = cv2.GC_FGD
    if not core.all():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), labels, (0, 0, 0, 0), *models, 5, cv2.GC_INIT_WITH_MASK)
    parts, _ = label(binary_fill_holes((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)))
    found = np.isin(parts, parts[core])
    mask = np.zeros(rgb.shape[:2], bool)
    mask[rows, columns] = Image.fromarray(found).resize((part.shape[1], part.shape[0]), Image.Resampling.NEAREST)
    return mask


def box_at(rgb: NDArray[np.uint8], point: Sequence[float]) -> tuple[int, int, int, int]:
    """Return where in a photo [H, W, 3] an object at a pixel (u, v) is looked for: (left, top, right, bottom)."""
    height, width = rgb.shape[:2]
    reach = round(_REACH * max(height, width)) + 1
    u, v = map(int, point)
    return max(u - reach, 0), max(v - reach, 0), min(u + reach, width), min(v + reach, height)
