"""Class-agnostic segmentation of an RGB-D image, and the choice of the target's segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.point_cloud import DEFAULT_POINT_CLOUD_CONFIG, PointCloudConfig, unproject_depth
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

_UNSEEN_LOG_ODDS = -20.0  # of a segment outside of the student's crop
_SRGB = np.arange(256) * (1 / 255)
_LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92)  # light of a color's value
_LUMINANCE = _LINEAR * np.array([[0.212671], [0.715160], [0.072169]])  # of red, green, blue


@dataclass(frozen=True)
class SegmentationConfig:
    """Configuration of `segment_rgbd` and `select_target_segments`."""

    height_weight_per_m: float = 3000.0
    """Weight of the height: 1 mm weighs as much as 15 units of lightness, so printed labels separate no segments."""
    lightness_weight: float = 0.2
    """Weight of the lightness (0..100)."""
    scale: float = 1e5
    """Felzenszwalb's scale: larger makes larger segments."""
    blur_sigma_px: float = 0.3
    """Width of the smoothing before the segmentation."""
    min_segment_px: int = 20
    """Smaller segments join a neighbor."""
    margin_px: int | None = 4
    """Pixels around all that is no background that are segmented with it. The rest is background, which takes no time.
    2 to 8 do as well on 200 scenes of X_id. None: the full image is segmented."""
    min_depth_m: float = 0.1
    """Pixels nearer to the camera are fingers (0.05 to 0.07 m); objects on the table are farther than 0.16 m."""
    background_fraction: float = 0.5
    """Segments with a larger share of table and fingers are background."""
    max_border_step_m: float = 0.015
    """Largest depth step between segments of one object; 12 to 20 mm do as well on 150 scenes of X_id."""
    min_heat_ratio: float = 0.3
    """Minimum heat of a merged segment relative to the best one; 0.25 does as well on 150 scenes of X_id."""
    min_scored_heat_ratio: float = 0.1
    """The same with log-odds, which separate names better; chosen on 150 scenes of X_ood."""
    min_joined_log_odds: float = 1.0
    """Segments whose log-odds exceed every other name by that are merged anywhere; chosen on 150 scenes of X_ood."""
    point_cloud: PointCloudConfig = DEFAULT_POINT_CLOUD_CONFIG
    """Height of the table and range of the depth."""


DEFAULT_SEGMENTATION_CONFIG = SegmentationConfig()


def segment_rgbd(
    rgb: NDArray[np.uint8],
    depth: AnyFloatArray,
    intrinsic: AnyFloatArray,
    camera: AnyFloatArray,
    config: SegmentationConfig = DEFAULT_SEGMENTATION_CONFIG,
) -> NDArray[np.int64]:
    """Return segments [H, W], ideally one for each object: 1, 2, ..., and 0 for the background.

    Graph-based segmentation (Felzenszwalb and Huttenlocher, 2004) of lightness and height above the table. Table and
    fingers are background.

    :param rgb: [H, W, 3]; the other arguments are those of `unproject_depth`
    :raises InvalidArgumentError: for arrays of other shapes
    """
    from skimage.segmentation import felzenszwalb  # it imports matplotlib, which a policy is loaded without

    cloud = unproject_depth(depth, intrinsic, camera, config.point_cloud)
    height = np.zeros(np.shape(depth))
    height[cloud.pixels[:, 0], cloud.pixels[:, 1]] = cloud.points[:, 2]
    background = (height <= config.point_cloud.table_height_m) | (np.asarray(depth) < config.min_depth_m)
    part = np.s_[:, :] if config.margin_px is None else _surroundings(~background, config.margin_px)
    channels = np.dstack([config.lightness_weight * lightness(rgb[part]), config.height_weight_per_m * height[part]])
    segments = np.zeros(height.shape, np.int64)
    segments[part] = 1 + felzenszwalb(
        channels, config.scale, config.blur_sigma_px, config.min_segment_px, channel_axis=-1
    )
    sizes = np.bincount(segments.ravel())
    removed = np.bincount(segments.ravel(), weights=background.ravel()) > config.background_fraction * sizes
    kept = (sizes > 0) & ~removed
    kept[0] = False  # what was not segmented
    return np.asarray(np.where(kept, np.cumsum(kept), 0)[segments])


def _surroundings(objects: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Return rows and columns of all pixels of objects, and `margin` more on each side; all where there are none."""
    sides = []
    for axis in (1, 0):
        found = np.flatnonzero(objects.any(axis=axis))
        sides.append(slice(max(int(found[0]) - margin, 0), int(found[-1]) + margin + 1) if len(found) else slice(None))
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
    config: SegmentationConfig = DEFAULT_SEGMENTATION_CONFIG,
    labels: NDArray[np.int64] | None = None,
) -> list[NDArray[np.bool_]]:
    """Return masks [H, W] of up to `count` objects that the heatmap points to, the likeliest first.

    The segment with the highest mean heat is selected. Neighboring segments are merged if their heat is at least
    `min_heat_ratio` of it and the depth step between them is small (over-segmentation). With log-odds the heat is
    weighted by the probability of the target name against the likeliest other one, the ratio is
    `min_scored_heat_ratio`, and segments with clearly higher log-odds are merged anywhere (occlusion). Each further
    object is selected from the segments that are left, while one of them has positive heat.

    :param segments: [H, W], as `segment_rgbd` returns them
    :param heatmap: [H, W], >= 0
    :param depth: [H, W], meters
    :param log_odds: [C, segments] of C names, the target first, by number of the segment; NaN where unknown
    :param labels: [segments] the object that each segment is taken for, where the target may be one of several, as
        "fruit" is; segments of different objects are not merged
    :return: no masks where there are no segments
    :raises InvalidArgumentError: for log-odds of fewer than two names
    """
    sizes = np.bincount(segments.ravel())
    heat, min_ratio = np.bincount(segments.ravel(), heatmap.ravel()) / np.maximum(sizes, 1), config.min_heat_ratio
    unambiguous = np.zeros(len(heat), bool)
    if log_odds is not None:
        margin = _margins(log_odds)
        heat, min_ratio = heat * expit(margin), config.min_scored_heat_ratio
        unambiguous = margin >= config.min_joined_log_odds
    available = sizes > 0
    available[0] = False
    pairs, steps = _borders(segments, np.asarray(depth))
    smooth = steps < config.max_border_step_m
    masks: list[NDArray[np.bool_]] = []
    while available.any() and len(masks) < count:
        seed = int(np.where(available, heat, -np.inf).argmax())
        if masks and heat[seed] <= 0:
            break
        joined = smooth & (available[pairs] & (heat[pairs] >= min_ratio * heat[seed])).all(axis=0)
        alike = True if labels is None else labels == labels[seed]
        selected = available & alike & (_connected(pairs[:, joined], seed, len(heat)) | unambiguous)
        masks.append(np.asarray(selected[segments]))
        available &= ~selected
    return masks


def _margins(log_odds: FloatArray) -> FloatArray:
    """Return how much the target's log-odds exceed those of the likeliest other name, per segment."""
    if len(log_odds) < 2:
        raise InvalidArgumentError(
            f"expected log odds of at least 2 names, [C, segments], but got {list(log_odds.shape)}"
        )
    target, *others = np.where(np.isnan(log_odds), _UNSEEN_LOG_ODDS, log_odds)
    return np.asarray(target - np.max(others, axis=0))


def _connected(pairs: NDArray[np.int64], start: int, count: int) -> NDArray[np.bool_]:
    """Return [count] which segments are connected to `start` by pairs [2, B]."""
    graph = coo_array((np.ones(pairs.shape[1]), pairs), (count, count))
    components = connected_components(graph, directed=False)[1]
    return np.asarray(components == components[start])


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
