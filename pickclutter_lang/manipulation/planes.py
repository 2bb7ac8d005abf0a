"""Detects planar faces of an object in a point cloud of one camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pickclutter_lang.utils.typing import FloatArray


@dataclass(frozen=True)
class PlaneConfig:
    """Configuration of `planar_normals`."""

    patch_size: int = 16
    """Neighboring points of a patch."""
    max_patches: int = 400
    """Patches an object is sampled at; bounds the run time."""
    max_patch_roughness: float = 0.15
    """Deviation from the plane over that along the shorter side; larger patches are curved."""
    same_plane_deg: float = 12.0
    """Normals closer than that belong to one face."""
    distinct_plane_deg: float = 25.0
    """Normals farther than that from a face may belong to another one."""
    min_patch_fraction: float = 0.1
    """Minimum fraction of the patches that make a face."""
    max_planes: int = 3
    """Maximum number of faces: a camera sees at most three of a box."""


DEFAULT_PLANE_CONFIG = PlaneConfig()


def planar_normals(points: FloatArray, config: PlaneConfig = DEFAULT_PLANE_CONFIG) -> FloatArray:
    """Return the outward normals [F, 3] of an object's planar faces, the largest first.

    A face is a set of flat patches with similar normals. Normals point upwards, towards the camera.

    :param points: [N, 3], the visible points of the object, in the world, meters
    """
    if len(points) < 2 * config.patch_size:
        return np.zeros((0, 3))
    seeds = points[np.linspace(0, len(points) - 1, min(len(points), config.max_patches)).astype(int)]
    patches = points[cKDTree(points).query(seeds, config.patch_size)[1]]
    patches = patches - patches.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.einsum("pni,pnj->pij", patches, patches))
    flat = np.sqrt(np.abs(variances[:, 0])) < config.max_patch_roughness * np.sqrt(np.abs(variances[:, 1]))
    normals = axes[:, :, 0][flat]
    normals *= np.where(normals[:, 2:] < 0, -1.0, 1.0)
    same, distinct = np.cos(np.deg2rad([config.same_plane_deg, config.distinct_plane_deg]))
    min_patches = config.min_patch_fraction * len(seeds)
    planes: list[FloatArray] = []
    while len(normals) >= min_patches and len(planes) < config.max_planes:
        similar = normals @ normals.T > same
        largest = int(similar.sum(axis=1).argmax())
        if similar[largest].sum() < min_patches:
            break
        mean = normals[similar[largest]].mean(axis=0)
        planes.append(mean / np.linalg.norm(mean))
        normals = normals[normals @ planes[-1] < distinct]
    return np.array(planes).reshape(-1, 3)
