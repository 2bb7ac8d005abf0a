"""The flat faces of an object of which one camera saw points."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from pickclutter_lang.manipulation.gripper import FloatArray

_NEIGHBOURS, _MOST_POINTS = 16, 400
_FLAT = 0.15  # deviation across a patch over that along its shorter side
_ALIKE, _APART = np.cos(np.deg2rad([12.0, 25.0]))
_SHARE, _MOST_FACES = 0.1, 3


def planar_normals(points: FloatArray) -> FloatArray:
    """Return the outward normals [F, 3] of an object's flat faces, the largest first.

    A face is where at least a tenth of the patches of neighbouring points are flat and alike in their normals. What
    the camera sees from above points upwards.

    :param points: [N, 3], what is seen of the object, in the world, metres
    """
    if len(points) < 2 * _NEIGHBOURS:
        return np.zeros((0, 3))
    seeds = points[np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int)]
    patches = points[cKDTree(points).query(seeds, _NEIGHBOURS)[1]]
    patches = patches - patches.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.einsum("pni,pnj->pij", patches, patches))
    normals = axes[:, :, 0][np.sqrt(np.abs(variances[:, 0])) < _FLAT * np.sqrt(np.abs(variances[:, 1]))]
    normals *= np.where(normals[:, 2:] < 0, -1.0, 1.0)
    found: list[FloatArray] = []
    while len(normals) >= _SHARE * len(seeds) and len(found) < _MOST_FACES:
        alike = normals @ normals.T > _ALIKE
        most = int(alike.sum(axis=1).argmax())
        if alike[most].sum() < _SHARE * len(seeds):
            break
        mean = normals[alike[most]].mean(axis=0)
        found.append(mean / np.linalg.norm(mean))
        normals = normals[normals @ found[-1] < _APART]
    return np.array(found).reshape(-1, 3)
