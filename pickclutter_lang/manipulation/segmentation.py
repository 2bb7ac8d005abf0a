"""Class-agnostic segmentation of an RGB-D image or a photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes, binary_opening, label

from pickclutter_lang.manipulation.point_cloud import TABLE_HEIGHT_M, unproject_depth
from pickclutter_lang.manipulation.segment_merging import merge_fragments
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

_SRGB = np.arange(256) * (1 / 255)
_LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92)  # light of a color's value
_LUMINANCE = _LINEAR * np.array([[0.212671], [0.715160], [0.072169]])  # of red, green, blue
_HEIGHT_WEIGHT_PER_M = 3000.0  # 1 mm weighs as much as 15 units of lightness, so printed labels separate no segments
_LIGHTNESS_WEIGHT = 0.2  # of 0..100
_SCALE, _BLUR_SIGMA_PX, _MIN_SEGMENT_PX = 1e5, 0.3, 20  # Felzenszwalb's; smaller segments join a neighbor
_MARGIN_PX = 4  # around all that is no background; the rest takes no time. 2 to 8 do as well on 200 scenes of X_id
_MIN_DEPTH_M = 0.1  # nearer pixels are fingers (0.05 to 0.07 m); objects on the table are farther than 0.16 m
_BACKGROUND_FRACTION = 0.5  # of table and fingers, above which a segment is background
_PLAIN = 6.0  # three quarters of a ground differ by less from its median, in CIELAB with a third of the lightness
_PHOTO_SIDE = 320  # pixels, at which the objects of a photo are cut out


def segment_rgbd(
    rgb: NDArray[np.uint8],
    depth: AnyFloatArray,
    intrinsic: AnyFloatArray,
    camera: AnyFloatArray,
) -> NDArray[np.int64]:
    """Return segments [H, W], ideally one for each object: 1, 2, ..., and 0 for the background.

    Graph-based segmentation (Felzenszwalb and Huttenlocher, 2004) of lightness and height above the table, then
    `merge_fragments`. Table and fingers are background.

    :param rgb: [H, W, 3]; the other arguments are those of `unproject_depth`
    """
    from skimage.segmentation import felzenszwalb  # it imports matplotlib, which a policy is loaded without

    cloud = unproject_depth(depth, intrinsic, camera)
    points = np.zeros((*np.shape(depth), 3))
    points[cloud.pixels[:, 0], cloud.pixels[:, 1]] = cloud.points
    height = points[..., 2]
    background = (height <= TABLE_HEIGHT_M) | (np.asarray(depth) < _MIN_DEPTH_M)
    part = _surroundings(~background)
    channels = np.dstack([_LIGHTNESS_WEIGHT * lightness(rgb[part]), _HEIGHT_WEIGHT_PER_M * height[part]])
    segments = np.zeros(height.shape, np.int64)
    segments[part] = 1 + felzenszwalb(channels, _SCALE, _BLUR_SIGMA_PX, _MIN_SEGMENT_PX, channel_axis=-1)
    sizes = np.bincount(segments.ravel())
    removed = np.bincount(segments.ravel(), weights=background.ravel()) > _BACKGROUND_FRACTION * sizes
    kept = (sizes > 0) & ~removed
    kept[0] = False  # what was not segmented
    segments = np.where(kept, np.cumsum(kept), 0)[segments]
    segments[part] = merge_fragments(segments[part], rgb[part], np.asarray(depth)[part], points[part], camera[:3, 3])
    return np.asarray(segments)


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


def _surroundings(objects: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns of all pixels of objects, and some more on each side; all where there are none."""
    sides = []
    for axis in (1, 0):
        found = np.flatnonzero(objects.any(axis=axis)).tolist() or [0, objects.shape[1 - axis]]
        sides.append(slice(max(found[0] - _MARGIN_PX, 0), found[-1] + _MARGIN_PX + 1))
    return sides[0], sides[1]


def lightness(rgb: NDArray[np.uint8]) -> FloatArray:
    """Return CIELAB's lightness [H, W], 0..100, of an image [H, W, 3]; that of scikit-image's `rgb2lab` to rounding."""
    red, green, blue = (table[rgb[..., n]] for n, table in enumerate(_LUMINANCE))
    luminance = red + green + blue
    dark = luminance <= 0.008856
    root = np.cbrt(luminance)
    root[dark] = 7.787 * luminance[dark] + 16 / 116
    return np.asarray(116 * root - 16)
