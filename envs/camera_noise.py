"""Noise of a real hand camera: Gaussian noise of the image, and the depth noise of a stereo camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.randomization import HandCameraConfig
from pickclutter_lang.utils.typing import FloatArray

GRAZING_DEG = 75.0
"""A surface that is seen at a larger angle to its normal may have no depth."""


def image_noise(shape: tuple[int, ...], camera: HandCameraConfig, rng: np.random.Generator) -> FloatArray:
    """Return the noise of an image, in steps of 255."""
    return np.asarray(rng.normal(0.0, 1.0, shape) * camera.image_noise)


def noisy_depth(
    depth: FloatArray, focal_length: float, camera: HandCameraConfig, rng: np.random.Generator
) -> FloatArray:
    """Return a depth image [H, W] as a stereo camera measures it; meters, 0 = no measurement.

    The error is Gaussian, and its standard deviation is `camera.depth_noise` times the square of the depth. This is
    the error of triangulation. By A. Grunnet-Jepsen, J. N. Sweetser and J. Woodfill (Best-Known-Methods for Tuning
    Intel RealSense D400 Depth Cameras for Best Performance, Intel, 2018) it is the depth squared times the error of
    the disparity (0.08 px), over focal length (424 px) and baseline (0.05 m): 0.0038 per meter for a D435 of 848 px.
    A. Chatterjee and V. M. Govindu (arXiv:1505.01936) measure the same law for the Kinect.

    A pixel has no depth, with probability `camera.depth_dropout`, where the depth changes to a neighbor by more than
    on a plane seen at 75 degrees: at edges, where one of the two cameras does not see the surface, and at grazing
    angles, at which C. V. Nguyen, S. Izadi and D. Lovell (Modeling Kinect Sensor Noise for Improved 3D
    Reconstruction and Tracking, 3DIMPVT 2012) see the noise grow without bound. Noise of neighboring pixels is
    independent here; that of real cameras is not.

    :param depth: true depth [H, W], meters, 0 = nothing
    :param focal_length: of the image, pixels
    """
    missing = steep_pixels(depth, focal_length) & (rng.random(depth.shape) < camera.depth_dropout)
    measured = depth + rng.normal(0.0, 1.0, depth.shape) * camera.depth_noise * depth**2
    return np.where(missing | (depth <= 0), 0.0, np.maximum(measured, 0.0))


def steep_pixels(depth: FloatArray, focal_length: float) -> NDArray[np.bool_]:
    """Return the pixels [H, W] at edges of the depth and on surfaces at grazing angles."""
    step = np.zeros(depth.shape)
    for axis in (0, 1):
        change = np.abs(np.diff(depth, axis=axis))
        before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        before[axis], after[axis] = (1, 0), (0, 1)
        step = np.maximum(step, np.maximum(np.pad(change, before), np.pad(change, after)))
    return np.asarray(step > depth / focal_length * np.tan(np.deg2rad(GRAZING_DEG)))
