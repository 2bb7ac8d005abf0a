"""Where the centre of mass of an object lies that one camera saw from above."""

from __future__ import annotations

import itertools

import numpy as np

from pickclutter_lang.manipulation.gripper import FloatArray

_SLICES = 12
_THINNEST_M = 0.003


def center_of_mass(points: FloatArray) -> FloatArray:
    """Guess the centre of mass [3] of an object of one material that stands or lies on the table.

    The object is cut into slices along its longest horizontal axis. A slice is as thick as it is wide, or as high as it
    reaches where that is less; so a hammer is heaviest at its head.

    :param points: [N, 3], what is seen of it, N > 0, in the world, metres
    """
    flat = points[:, :2]
    middle = flat.mean(0)
    axes = np.linalg.eigh(np.cov((flat - middle).T))[1].T[::-1] if len(points) > 2 else np.eye(2)
    along, across = (flat - middle) @ axes.T[:, 0], (flat - middle) @ axes.T[:, 1]
    ends = np.percentile(along, [2, 98])
    edges = np.linspace(ends[0], ends[1], _SLICES + 1)
    places, volumes = [], []
    for low, high in itertools.pairwise(edges):
        inside = (along >= low) & (along <= high)
        if inside.any():
            width = max(float(np.ptp(np.percentile(across[inside], [5, 95]))), _THINNEST_M)
            places.append(0.5 * (low + high))
            volumes.append(width * min(width, float(np.percentile(points[inside, 2], 80))))
    balance = np.average(places, weights=volumes) if places else 0.5 * ends.sum()
    at = middle + axes.T @ np.array([balance, 0.5 * np.percentile(across, [2, 98]).sum()])
    return np.array([*at, 0.5 * np.percentile(points[:, 2], 98)])
