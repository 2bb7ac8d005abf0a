"""A frame as a camera's driver gives it is the observation that the simulator gives: units, axes, the half pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench import painted_observation

from helpers.frames import frame_of
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.manipulation.point_cloud import project_points, unproject_depth

SEEN = painted_observation(64)
TILTED = np.array([[1, 0, 0, 0.1], [0, 0.8, -0.6, 0.2], [0, 0.6, 0.8, 0.4], [0, 0, 0, 1]])


def test_a_frame_is_the_observation_that_it_was_made_of() -> None:
    seen = {**SEEN, "hand_cam2world": TILTED}
    arrays = frame_of(seen).arrays()
    np.testing.assert_array_equal(arrays["hand_rgb"], seen["hand_rgb"])
    np.testing.assert_allclose(arrays["hand_depth"], seen["hand_depth"], atol=0.0005001)
    np.testing.assert_allclose(arrays["hand_intrinsic"], seen["hand_intrinsic"])
    np.testing.assert_allclose(arrays["hand_cam2world"], TILTED, atol=1e-12)
    in_meters = replace(frame_of(seen, with_pose=False), depth=seen["hand_depth"], depth_scale=None).arrays()
    assert in_meters["hand_depth"] is seen["hand_depth"] and "hand_cam2world" not in in_meters


def test_a_pose_of_opengl_stays_as_it_is() -> None:
    frame = replace(frame_of(SEEN), pose=TILTED, axes="opengl")
    np.testing.assert_array_equal(frame.arrays()["hand_cam2world"], TILTED)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"depth_scale": None}, "depth_scale=0.001"),
        ({"depth_scale": 1.0}, "depth_scale"),
        ({"axes": "ros"}, "'ros'"),
        ({"intrinsic": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}, "list"),
    ],
)
def test_what_cannot_be_meant_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named):
        replace(frame_of(SEEN), **change).arrays()


def test_points_are_projected_into_the_pixels_that_they_come_from() -> None:
    arrays = Frame(**{**vars(frame_of(SEEN)), "pose": TILTED, "axes": "opengl"}).arrays()
    depth, intrinsic = arrays["hand_depth"], arrays["hand_intrinsic"]
    cloud = unproject_depth(depth, intrinsic, TILTED)
    found = project_points(cloud.points, intrinsic, TILTED)
    np.testing.assert_allclose(found, cloud.pixels[:, ::-1] + 0.5, atol=1e-6)
    behind = TILTED[:3, 3] + TILTED[:3, 2]
    assert np.isnan(project_points(behind[None], intrinsic, TILTED)).all()
