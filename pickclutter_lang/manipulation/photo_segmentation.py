"""Objects of a photo: what differs from a plain ground, or is cut out of a busy one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes, binary_opening, label

_PLAIN = 6.0  # three quarters of a ground differ by less from its median, in CIELAB with a third of the lightness
_PHOTO_SIDE = 320  # pixels, at which the objects of a photo are cut out


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
    scale = min(_PHOTO_SIDE / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))
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
