"""Segments of an image with depth."""

from __future__ import annotations

import numpy as np
import pytest
from bench import painted_observation
from scipy.sparse import coo_array

from helpers import tilted_view
from helpers.grasping import ABOVE, INTRINSIC
from helpers.tilted_view import render, tilted_camera
from pickclutter_lang.manipulation import segmentation
from pickclutter_lang.manipulation.segmentation import lab, segment_rgbd
from pickclutter_lang.manipulation.table import find_table
from pickclutter_lang.policy.observations import segment_observation


def test_separate_objects_are_segments() -> None:
    rgb = np.full((160, 160, 3), 90, np.uint8)
    depth = np.full((160, 160), 0.5)
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


@pytest.mark.parametrize("degrees", [30, 45, 65])
def test_a_box_in_a_noisy_tilted_view_is_one_segment_and_the_wall_is_none(degrees: float) -> None:
    pose = tilted_camera(degrees)
    seen = render(pose, wall=0.4, noise=0.002)
    clean = render(pose, wall=0.4)
    box = clean < render(pose, wall=0.4, box=False) - 1e-6
    rgb = np.full((*seen.shape, 3), 120, np.uint8)
    rgb[box] = 200, 40, 40
    segments = segment_rgbd(rgb, seen, tilted_view.INTRINSIC, find_table(seen, tilted_view.INTRINSIC).pose)
    overlaps = [((segments == n) & box).sum() / ((segments == n) | box).sum() for n in range(1, segments.max() + 1)]
    assert max(overlaps) > 0.75
    assert ((segments > 0) & ~box).sum() < 0.1 * box.sum()


def test_lab_is_that_of_scikit_image() -> None:
    from skimage.color import rgb2lab

    rgb = np.random.default_rng(0).integers(0, 256, (97, 131, 3)).astype(np.uint8)
    rgb[0, :16] = np.arange(16)[:, None]  # the linear part of the curve
    found = lab(rgb)
    np.testing.assert_allclose(found, rgb2lab(rgb), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(lab(rgb[::-1, ::-1])[::-1, ::-1], found)  # of a color alone, to the bit
