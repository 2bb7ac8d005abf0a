"""Fragments of one object are joined; objects are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.grasping import ABOVE, INTRINSIC
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.manipulation.segment_merging import merge_fragments

SIDE = 160


def scene(*boxes: tuple[slice, slice, float, tuple[int, int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return segments of boxes seen from above (rows, columns, depth in meters, color), and them merged."""
    segments = np.zeros((SIDE, SIDE), np.int64)
    depth = np.full((SIDE, SIDE), 0.5)
    rgb = np.full((SIDE, SIDE, 3), 90, np.uint8)
    for number, (rows, columns, at, color) in enumerate(boxes, 1):
        segments[rows, columns], depth[rows, columns], rgb[rows, columns] = number, at, color
    cloud = unproject_depth(depth, INTRINSIC, ABOVE)
    points = np.zeros((SIDE, SIDE, 3))
    points[cloud.pixels[:, 0], cloud.pixels[:, 1]] = cloud.points
    return segments, merge_fragments(segments, rgb, depth, points, ABOVE[:3, 3])


RED, PALE, BLUE = (200, 30, 30), (205, 60, 55), (30, 30, 200)


def test_fragments_of_one_object_are_joined_and_boxes_of_different_heights_are_not() -> None:
    segments, merged = scene(
        (np.s_[20:60], np.s_[20:40], 0.45, RED),
        (np.s_[20:60], np.s_[40:60], 0.45, PALE),  # of the same top
        (np.s_[80:110], np.s_[20:50], 0.45, RED),
        (np.s_[80:110], np.s_[50:80], 0.40, RED),  # 5 cm higher
        (np.s_[20:60], np.s_[90:120], 0.45, RED),  # touches nothing
    )
    values = [int(merged[segments == n][0]) for n in range(1, 6)]
    assert values[0] == values[1] and len(set(values)) == 4
    assert sorted(set(merged.ravel().tolist())) == [0, *sorted(set(values))] == list(range(5))
    np.testing.assert_array_equal(merged == 0, segments == 0)
    for n, value in enumerate(values, 1):
        assert (merged[segments == n] == value).all()


@pytest.mark.parametrize("parts", [2, 5])
def test_a_chain_of_fragments_becomes_one(parts: int) -> None:
    columns = [np.s_[20 + 20 * n : 40 + 20 * n] for n in range(parts)]
    _, merged = scene(*[(np.s_[40:90], column, 0.45, RED) for column in columns])
    assert set(merged.ravel().tolist()) == {0, 1}


def test_without_segments_and_with_one_nothing_changes() -> None:
    assert not scene()[1].any()
    for area in (np.s_[20:60, 20:60], np.s_[:, :], np.s_[7:8, 7:8]):
        segments, merged = scene((area[0], area[1], 0.45, BLUE))
        np.testing.assert_array_equal(segments, merged)
