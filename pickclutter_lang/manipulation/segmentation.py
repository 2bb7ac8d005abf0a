"""Class-agnostic segmentation of an RGB-D image or a photo, and the choice of the target's segments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes, binary_opening, label, median
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from pickclutter_lang.manipulation.point_cloud import TABLE_HEIGHT_M, unproject_depth
from pickclutter_lang.manipulation.segment_merging import merge_fragments
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

_UNSEEN_LOG_ODDS = -20.0  # of a segment outside of the student's crop
_SRGB = np.arange(256) * (1 / 255)
_LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92)  # light of a color's value
_LUMINANCE = _LINEAR * np.array([[0.212671], [0.715160], [0.072169]])  # of red, green, blue
_HEIGHT_WEIGHT_PER_M = 3000.0  # 1 mm weighs as much as 15 units of lightness, so printed labels separate no segments
_LIGHTNESS_WEIGHT = 0.2  # of 0..100
_SCALE, _BLUR_SIGMA_PX, _MIN_SEGMENT_PX = 1e5, 0.3, 20  # Felzenszwalb's; smaller segments join a neighbor
_MARGIN_PX = 4  # around all that is no background; the rest takes no time. 2 to 8 do as well on 200 scenes of X_id
_MIN_DEPTH_M = 0.1  # nearer pixels are fingers (0.05 to 0.07 m); objects on the table are farther than 0.16 m
_BACKGROUND_FRACTION = 0.5  # of table and fingers, above which a segment is background
_MAX_BORDER_STEP_M = 0.015  # of depth between segments of an object; 12 to 20 mm do as well on 150 scenes of X_id
# Minimum heat of a merged segment relative to the best one: with only the heat (chosen on 150 scenes of X_id, where
# 0.25 does as well), and with log-odds, which separate names better (chosen on 150 scenes of X_ood).
_MIN_HEAT_RATIO, _MIN_SCORED_HEAT_RATIO = 0.3, 0.1
_MIN_JOINED_LOG_ODDS = 1.0  # above every other name, by which segments are merged anywhere; 150 scenes of X_ood
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


def select_target_segments(
    segments: NDArray[np.int64],
    heatmap: FloatArray,
    depth: AnyFloatArray,
    log_odds: FloatArray | None = None,
    count: int = 1,
    labels: NDArray[np.int64] | None = None,
    join_anywhere: bool = True,
) -> list[NDArray[np.bool_]]:
    """Return masks [H, W] of up to `count` objects that the heatmap points to, the likeliest first.

    The segment with the highest mean heat is selected. Neighboring segments are merged if their heat is at least
    0.3 of it and the depth step between them is small (over-segmentation). With log-odds the heat is
    weighted by the probability of the target name against the likeliest other one, the ratio is
    0.1, and segments with clearly higher log-odds are merged anywhere (occlusion). Each further
    object is selected from the segments that are left, while one of them has positive heat.

    :param segments: [H, W], as `segment_rgbd` returns them
    :param heatmap: [H, W], >= 0
    :param depth: [H, W], meters
    :param log_odds: [C, segments] of C > 1 names, the target first, by number of the segment; NaN where unknown
    :param labels: [segments] the object that each segment is taken for, where the target may be one of several, as
        "fruit" is; segments of different objects are not merged
    :param join_anywhere: whether log-odds merge segments that do not touch
    :return: no masks where there are no segments
    """
    sizes = np.bincount(segments.ravel())
    heat, min_ratio = np.bincount(segments.ravel(), heatmap.ravel()) / np.maximum(sizes, 1), _MIN_HEAT_RATIO
    unambiguous = np.zeros(len(heat), bool)
    if log_odds is not None:
        target, *others = np.where(np.isnan(log_odds), _UNSEEN_LOG_ODDS, log_odds)
        margin = target - np.max(others, axis=0)
        heat, min_ratio = heat * expit(margin), _MIN_SCORED_HEAT_RATIO
        unambiguous = (margin >= _MIN_JOINED_LOG_ODDS) & join_anywhere
    available = sizes > 0
    available[0] = False
    pairs, steps = _borders(segments, np.asarray(depth))
    smooth = steps < _MAX_BORDER_STEP_M
    masks: list[NDArray[np.bool_]] = []
    while available.any() and len(masks) < count:
        seed = int(np.where(available, heat, -np.inf).argmax())
        if masks and heat[seed] <= 0:
            break
        joined = pairs[:, smooth & (available[pairs] & (heat[pairs] >= min_ratio * heat[seed])).all(axis=0)]
        graph = coo_array((np.ones(joined.shape[1]), joined), (len(heat), len(heat)))
        parts = connected_components(graph, directed=False)[1]
        alike = True if labels is None else labels == labels[seed]
        selected = available & alike & ((parts == parts[seed]) | unambiguous)
        masks.append(np.asarray(selected[segments]))
        available &= ~selected
    return masks


def _borders(segments: NDArray[np.int64], depth: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the pairs of neighboring segments, [2, B], and the median depth step along each border, [B], meters."""
    count = int(segments.max()) + 1
    keys, steps = [], []
    for first_side, second_side in (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]):
        first, second = segments[first_side], segments[second_side]
        border = first != second
        keys.append((np.minimum(first, second) * count + np.maximum(first, second))[border])
        steps.append(np.abs(depth[first_side] - depth[second_side])[border])
    key = np.concatenate(keys)
    pair_keys = np.unique(key)
    medians = median(np.concatenate(steps), key, pair_keys) if len(pair_keys) else []
    return np.stack(np.divmod(pair_keys, count)), np.asarray(medians, float)
