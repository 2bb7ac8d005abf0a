"""Segments of an image with depth, and which of them a name's map selects."""

from __future__ import annotations

import numpy as np
import pytest
from bench import painted_observation
from numpy.typing import NDArray
from scipy.sparse import coo_array

from helpers.grasping import ABOVE, INTRINSIC
from pickclutter_lang.manipulation import segmentation
from pickclutter_lang.manipulation.segmentation import lightness, segment_rgbd, select_target_segments
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.utils.typing import FloatArray


def select_one(
    segments: NDArray[np.int64], heatmap: FloatArray, depth: FloatArray, log_odds: FloatArray | None = None
) -> NDArray[np.bool_]:
    (mask,) = select_target_segments(segments, heatmap, depth, log_odds)
    return mask


def test_separate_objects_are_segments() -> None:
    rgb, depth = np.full((160, 160, 3), 90, np.uint8), np.full((160, 160), 0.5)
    depth[30:60, 40:80], depth[60:90, 40:80] = 0.45, 0.42  # one stands higher than the other beside it
    depth[110:140, 20:60], rgb[110:140, 40:60] = 0.46, 250  # equally high, of two colors
    depth[140:, 110:130] = 0.06  # a finger
    segments = segment_rgbd(rgb, depth, INTRINSIC, ABOVE)
    regions = [np.s_[30:60, 40:80], np.s_[60:90, 40:80], np.s_[110:140, 20:40], np.s_[110:140, 40:60]]
    values = [int(np.bincount(segments[region].ravel()).argmax()) for region in regions]
    assert len(set(values)) == 3 and values[2] == values[3] and 0 not in values  # the colors are fragments of one
    values[3] = segments.max() + 1
    segments[110:140, 40:60] = values[3]
    for value, region in zip(values, regions, strict=True):
        expected = np.zeros((160, 160), bool)
        expected[region] = True
        result = segments == value
        assert (result & expected).sum() > 0.8 * (result | expected).sum()
    assert not segments[:, 100:].any()
    heatmap = np.zeros((160, 160))
    heatmap[115:120, 25:30] = 1.0
    assert (select_one(segments, heatmap, depth) == (segments == values[2])).all()  # its neighbor is cold
    heatmap[110:140, 20:60] = 1.0
    both = (segments == values[2]) | (segments == values[3])
    assert (select_one(segments, heatmap, depth) == both).all()  # of two colors, but hot and without a step between
    heatmap[30:60, 40:80] = heatmap[60:90, 40:80] = 2.0
    heatmap[32, 42] = 3.0
    assert (select_one(segments, heatmap, depth) == (segments == values[0])).all()  # the other one is 3 cm higher
    assert select_target_segments(np.zeros((4, 4), int), heatmap[:4, :4], depth[:4, :4]) == []
    assert select_one(np.ones((4, 4), int), heatmap[:4, :4], depth[:4, :4]).all()


def test_hot_neighbors_without_a_depth_step_are_merged() -> None:
    segments = np.repeat([[1, 2, 3, 4, 0, 5]], 9, axis=0).repeat(4, axis=1)
    heat = np.array([0, 1.0, 0.4, 0.35, 0.25, 0.9])
    depth = np.full(segments.shape, 0.4)
    depth[4, 4:8] = 0.3  # a single row does not separate the first from the second
    assert (
        select_one(segments, heat[segments], depth) == np.isin(segments, [1, 2, 3])
    ).all()  # 4 is cold, 5 not connected
    depth[:, 4:] = 0.42
    assert (select_one(segments, heat[segments], depth) == (segments == 1)).all()


def test_log_odds_of_names_decide_which_segments_are_merged() -> None:
    segments = np.repeat([[1, 2, 0, 3, 0, 4, 5]], 9, axis=0).repeat(4, axis=1)
    heat = np.array([0, 0.5, 0.2, 0.7, 0.0, 0.08])[segments]
    depth = np.full(segments.shape, 0.4)
    log_odds = np.array([[0.0, 2, 1, -1, 3, -2], [0, -2, 0, 2, 1.5, 0], [0, 0, 1.5, 0, -3, -9]])
    # 3 is the hottest, but has another name; 2 is merged with 1; 4 is cold, but clearly the target; 5 is neither.
    assert (select_one(segments, heat, depth) == (segments == 3)).all()
    assert (select_one(segments, heat, depth, log_odds) == np.isin(segments, [1, 2, 4])).all()
    labels = np.array([0, 7, 7, 7, 8, 7])  # 4 is another object that the name may mean
    (of_one,) = select_target_segments(segments, heat, depth, log_odds, labels=labels)
    assert (of_one == np.isin(segments, [1, 2])).all()
    depth[:, 4:] = 0.42
    assert (select_one(segments, heat, depth, log_odds) == np.isin(segments, [1, 4])).all()
    result = [
        sorted(set(segments[mask].tolist()))
        for mask in select_target_segments(segments, heat, depth, log_odds, count=4)
    ]
    assert result == [[1, 4], [2], [3], [5]]  # each without the segments of the earlier ones, the coldest last
    assert len(select_target_segments(segments, heat, depth, count=2)) == 2
    assert select_target_segments(0 * segments, heat, depth, log_odds, count=2) == []
    log_odds[:, 4:] = np.nan
    assert (select_one(segments, heat, depth, log_odds) == (segments == 1)).all()


@pytest.mark.parametrize("side", [176, 256])
def test_surroundings_alone_give_the_objects_of_a_pile(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several looks at a painted pile: nearly each segment is one of the full image."""
    looks = [painted_observation(side, seed) for seed in range(3)]
    parts = [segment_observation(look) for look in looks]
    monkeypatch.setattr(segmentation, "_MARGIN_PX", side)
    for look, part in zip(looks, parts, strict=True):
        full = segment_observation(look)
        common = coo_array((np.ones(full.size), (full.ravel(), part.ravel()))).toarray()
        overlap = common / (common.sum(axis=1, keepdims=True) + common.sum(axis=0) - common)
        assert overlap.shape[0] > 4 and np.average(overlap.max(axis=1), weights=common.sum(axis=1)) > 0.98


def test_lightness_is_that_of_scikit_image() -> None:
    from skimage.color import rgb2lab

    rgb = np.random.default_rng(0).integers(0, 256, (97, 131, 3)).astype(np.uint8)
    rgb[0, :16] = np.arange(16)[:, None]  # the linear part of the curve
    found = lightness(rgb)
    np.testing.assert_allclose(found, rgb2lab(rgb)[..., 0], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(lightness(rgb[::-1, ::-1])[::-1, ::-1], found)  # of a color alone, to the bit
