"""Noise of the hand camera, against plain NumPy and its own statistics."""

from __future__ import annotations

import numpy as np
import pytest

from pickclutter_lang.envs.randomization import GRAZING_DEG, HandCameraConfig, image_noise, noisy_depth, steep_pixels
from pickclutter_lang.utils.typing import FloatArray

FOCAL = 64.0


def plane(degrees: float, side: int = 64) -> FloatArray:
    """Return the depth of a plane 0.5 m away that is tilted about the vertical of the image."""
    x = (np.arange(side) + 0.5 - side / 2) / FOCAL
    depth = 0.5 / (1 - x * np.tan(np.deg2rad(degrees)))
    return np.tile(np.where(depth > 0, depth, 0.0), (side, 1))


@pytest.mark.parametrize("meters", [0.3, 0.6, 1.2])
def test_depth_noise_grows_with_the_square_of_the_depth(meters: float) -> None:
    depth = np.full((200, 200), meters)
    error = noisy_depth(depth, FOCAL, HandCameraConfig(depth_noise=0.004), np.random.default_rng(0)) - depth
    assert error.std() == pytest.approx(0.004 * meters**2, rel=0.02)
    assert abs(error.mean()) < 0.004 * meters**2 / 40
    assert abs(np.corrcoef(error[:, :-1].ravel(), error[:, 1:].ravel())[0, 1]) < 0.02


def test_steep_pixels_are_those_of_a_slow_reference() -> None:
    rng = np.random.default_rng(0)
    depth = 0.4 + 0.02 * rng.random((12, 15)) + 0.2 * (rng.random((12, 15)) < 0.2)
    expected = np.zeros(depth.shape, bool)
    for (row, col), own in np.ndenumerate(depth):
        for other in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
            if 0 <= other[0] < 12 and 0 <= other[1] < 15:
                width = own / FOCAL  # of what the pixel shows, meters
                angle = np.rad2deg(np.arctan2(abs(depth[other] - own), width))
                expected[row, col] |= angle > GRAZING_DEG
    found = steep_pixels(depth, FOCAL)
    np.testing.assert_array_equal(found, expected)
    assert found.any() and not found.all()


def test_depth_is_missing_at_edges_and_grazing_angles_with_the_given_probability() -> None:
    level, grazing = plane(60)[:, 24:40], plane(85)[:, 24:40]
    camera = HandCameraConfig(depth_dropout=1.0)
    assert (noisy_depth(level, FOCAL, camera, np.random.default_rng(0)) > 0).all()
    assert not noisy_depth(grazing, FOCAL, camera, np.random.default_rng(0)).any()
    box = plane(0, 400)
    box[100:300, 100:300] -= 0.1
    whole = noisy_depth(box, FOCAL, camera, np.random.default_rng(0)) == 0
    assert whole.sum() == 4 * 200 - 4 + 4 * 200  # the box's outline, and the pixels around it
    half = noisy_depth(box, FOCAL, HandCameraConfig(depth_dropout=0.5), np.random.default_rng(0)) == 0
    assert not (half & ~whole).any() and half.sum() == pytest.approx(0.5 * whole.sum(), rel=0.1)


def test_image_noise_is_gaussian_of_the_given_width() -> None:
    noise = image_noise((200, 200, 3), HandCameraConfig(image_noise=7.0), np.random.default_rng(0))
    assert noise.std() == pytest.approx(7.0, rel=0.02) and abs(noise.mean()) < 0.1
    assert abs(noise[..., 0].ravel() @ noise[..., 1].ravel()) / noise[..., 0].size < 1.0
    assert (np.abs(noise) > 14).mean() == pytest.approx(0.0455, rel=0.1)
