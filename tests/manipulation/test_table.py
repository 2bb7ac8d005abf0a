"""The table is found in a depth image, and a given pose is corrected by it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from helpers.tilted_view import HEIGHT, INTRINSIC, WIDTH, render, tilted_camera
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.manipulation.table import camera_pose_from_table, find_table


def heights(depth: NDArray[np.float64], found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the largest error of the heights of what lies on the table."""
    z, expected = (unproject_depth(depth, INTRINSIC, pose).points[:, 2] for pose in (found, truth))
    return float(np.abs(z - expected)[expected < 0.2].max())


def test_the_table_is_found_before_a_wall_that_is_larger() -> None:
    pose = tilted_camera(12)
    depth = render(pose, wall=-0.1, noise=0.002)
    clean = render(pose, wall=-0.1)
    points = unproject_depth(clean, INTRINSIC, pose).points
    assert (np.abs(points[:, 1] + 0.1) < 1e-3).sum() > (points[:, 2] < 1e-3).sum()
    table = find_table(depth, INTRINSIC)
    assert heights(clean, table.pose, pose) < 0.004 and 0.0005 < table.residual < 0.002
    np.testing.assert_array_equal(camera_pose_from_table(depth, INTRINSIC), table.pose)


@pytest.mark.parametrize("degrees", [25, 60, 90])
def test_a_pose_near_the_right_one_is_corrected(degrees: float) -> None:
    pose = tilted_camera(degrees)
    depth = render(pose, noise=0.001)
    wrong = np.eye(4)
    wrong[:3, :3] = Rotation.from_rotvec(np.deg2rad([1.5, -1.3, 0])).as_matrix()
    wrong[2, 3] = 0.01
    clean = render(pose)
    assert heights(clean, wrong @ pose, pose) > 0.015
    found = find_table(depth, INTRINSIC, near=wrong @ pose).pose
    assert heights(clean, found, pose) < 0.002
    assert np.linalg.norm(found[:3, 3] - pose[:3, 3]) < 0.02 and np.abs(found[:3, :3] - pose[:3, :3]).max() < 0.005
    exact = find_table(clean, INTRINSIC, near=pose)
    np.testing.assert_allclose(exact.pose, pose, rtol=0, atol=1e-6)
    assert exact.residual < 1e-3


def test_a_view_without_a_table_is_an_error() -> None:
    pose = tilted_camera(60)
    with pytest.raises(InvalidArgumentError, match="expected a table in view"):
        find_table(np.zeros((HEIGHT, WIDTH)), INTRINSIC)
    with pytest.raises(InvalidArgumentError, match="expected a table in view within"):
        find_table(render(pose), INTRINSIC, near=np.diag([1.0, -1.0, -1.0, 1.0]) @ pose)
    with pytest.raises(InvalidArgumentError, match="expected a depth image"):
        find_table(np.zeros(3), INTRINSIC)
