"""Squares around the objects of an image, and the pixels of a crop around one; needs no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_AREA_FRACTION = 0.001
"""Smallest area of an object that is cropped, as a fraction of the image: 16 pixels of 128 x 128."""
MARGIN = 1.3
"""Side of the crop over the side of the smallest square around the object."""
MIN_CROP_SIDE = 24.0
"""Smallest side of an object crop, pixels of the image."""


def bounding_square(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return center x and y and side of the smallest upright square around a mask [S, S] that is not empty."""
    y, x = np.nonzero(mask)
    side = float(max(np.ptp(x), np.ptp(y)) + 1)
    return float(x.min() + x.max()) / 2, float(y.min() + y.max()) / 2, side
