"""Estimates an object's center of mass from a point cloud of one camera above it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from pickclutter_lang.utils.typing import FloatArray


@dataclass(frozen=True)
class CenterOfMassConfig:
    """Configuration of `center_of_mass`. Percentiles instead of extremes, since depth edges are noisy."""

    n_slices: int = 12
    """Slices along the longest horizontal axis."""
    min_width_m: float = 0.003
    """Minimum width of a slice, so that one with a single point has a volume."""
    extent_percentiles: tuple[float, float] = (2, 98)
    """Ends of the object along and across its longest axis."""
    width_percentiles: tuple[float, float] = (5, 95)
    """Sides of a slice."""
    slice_height_percentile: float = 80
    """Top of a slice."""
    object_height_percentile: float = 98
    """Top of the object; its center is taken to lie at half of that height."""


DEFAULT_CENTER_OF_MASS_CONFIG = CenterOfMassConfig()


def center_of_mass(points: FloatArray, config: CenterOfMassConfig = DEFAULT_CENTER_OF_MASS_CONFIG) -> FloatArray:
    """Estimate the center of mass [3] of an object of uniform density that rests on the table.

    The object is cut into slices along its longest horizontal axis. The cross-section of a slice is its width times
    the lesser of width and height. So a hammer is heaviest at its head.

    :param points: [N, 3], the visible points, N > 0, in the world, meters
    """
    horizontal = points[:, :2]
    center = horizontal.mean(0)
    axes = np.linalg.eigh(np.cov((horizontal - center).T))[1].T[::-1] if len(points) > 2 else np.eye(2)
    along, across = (horizontal - center) @ axes.T[:, 0], (horizontal - center) @ axes.T[:, 1]
    extent = np.percentile(along, config.extent_percentiles)
    edges = np.linspace(extent[0], extent[1], config.n_slices + 1)
    positions, volumes = [], []
    for low, high in itertools.pairwise(edges):
        inside = (along >= low) & (along <= high)
        if inside.any():
            sides = np.percentile(across[inside], config.width_percentiles)
            width = max(float(np.ptp(sides)), config.min_width_m)
            height = float(np.percentile(points[inside, 2], config.slice_height_percentile))
            positions.append(0.5 * (low + high))
            volumes.append(width * min(width, height))
    balance = np.average(positions, weights=volumes) if positions else 0.5 * extent.sum()
    lateral = 0.5 * np.percentile(across, config.extent_percentiles).sum()
    top = np.percentile(points[:, 2], config.object_height_percentile)
    return np.array([*(center + axes.T @ np.array([balance, lateral])), 0.5 * top])
