r"""Fit what teaching by example stands on, from piles of kinds: weights of segment merging, and the metric of crops.

    pickclutter collect-scenes objects=kinds split=teacher seed=92000 scenes=200 image_size=256 out=runs/kinds
    pickclutter collect-scenes objects=kinds instances=2 split=teacher seed=93000 scenes=400 image_size=256 \
        out=runs/pairs
    python scripts/fit_teaching.py runs/kinds runs/pairs crop_metric.safetensors

It is run again for another crop encoder. Memories of taught policies name theirs, and are taught again then.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from scipy.optimize import minimize

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION, object_crop
from pickclutter_lang.manipulation import segment_merging, segmentation
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.policy.example_memory import normalized
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.teachers.pocket import load_pocket_teacher
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.progress import track

DIMENSIONS, SHRINKAGE = 128, 0.3


def scenes_of(folder: str) -> Iterator[tuple[dict[str, Any], NDArray[Any], list[tuple[int, int]]]]:
    """Yield the observation, the true segmentation and the (label, instance) of each object, by slot, of each scene."""
    store = SceneStore.open(folder)
    scenes = SceneDataset(store, SceneDataConfig(cameras=["hand"], crop_size=None, target_label="visible"))
    for row in track(range(len(store)), Path(folder).name):
        scene = store.scene(row)
        owners = list(zip(scene["actors"].tolist(), scene["instances"].tolist(), strict=True))
        yield scene_to_observation(scenes, row), scene["hand_segmentation"], owners


def fit_merging(folder: str) -> tuple[NDArray[Any], float]:
    """Return weights and bias of a logistic regression of pairs of neighboring segments: are they one object?"""
    merge, features, same = segmentation.merge_fragments, [], []
    segmentation.merge_fragments = lambda segments, *_: segments
    for seen, truth, owners in scenes_of(folder):
        segments, rng = segment_observation(seen), np.random.default_rng(len(features))
        points = np.zeros((*segments.shape, 3))
        cloud = unproject_depth(*(seen[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world")))
        points[tuple(cloud.pixels.T)] = cloud.points
        rgb, depth, camera = seen["hand_rgb"], seen["hand_depth"], seen["hand_cam2world"][:3, 3]
        found = segment_merging.measure(segments, rgb, depth, points, camera)
        votes = np.zeros((int(segments.max()) + 1, 256))
        np.add.at(votes, (segments.ravel(), truth.ravel()), 1)
        owner = votes.argmax(axis=1)
        pure = (votes.max(axis=1) > 0.7 * votes.sum(axis=1)) & (owner > 0) & (owner <= len(owners))
        for _ in range(3):  # as they are, and with some of the true fragments joined
            first, second = np.nonzero(np.triu(found.border) * pure[:, None] * pure)
            features.append(segment_merging.pair_features(found, first, second, segments.size))
            same.append(owner[first] == owner[second])
            for one, other in zip(first[same[-1]], second[same[-1]], strict=True):
                if rng.random() < 0.5 and found.pixels[one] and found.pixels[other]:
                    segment_merging.join(found, one, other)
    segmentation.merge_fragments = merge
    x, y = np.concatenate(features), np.concatenate(same).astype(float)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - mean) / spread

    def loss(w: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        odds = z @ w[1:] + w[0]
        rest = 1 / (1 + np.exp(-odds)) - y
        value = (np.logaddexp(0, odds) - y * odds).mean() + 1e-3 * (w[1:] ** 2).sum()
        return value, np.append(rest.mean(), z.T @ rest / len(y) + 2e-3 * w[1:])

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True).x
    weights = found[1:] / spread
    return weights, found[0] - mean @ weights


def features_of(folder: str, student: StudentRuntime) -> tuple[NDArray[Any], list[tuple[int, int, bool]]]:
    """Return features of crops of true objects and of the segments that are theirs, and whose they are."""
    features, owners_of = [], []
    for seen, truth, owners in scenes_of(folder):
        segments = segment_observation(seen)
        objects = [(truth == slot + 1, owner) for slot, owner in enumerate(owners) if owner[0] >= 0]
        objects = [(mask, owner) for mask, owner in objects if mask.sum() >= MIN_AREA_FRACTION * mask.size]
        masks = list(objects)
        for part in (segments == number for number in range(1, int(segments.max()) + 1)):
            masks += [(part, owner) for mask, owner in objects if (part & mask).sum() > 0.5 * (part | mask).sum()]
        if masks:
            crops = np.stack([object_crop(seen["hand_rgb"], mask) for mask, _ in masks]).transpose(0, 3, 1, 2)
            features.append(student.networks.encode_crops(np.ascontiguousarray(crops)))
            owners_of += [(*owner, number < len(objects)) for number, (_, owner) in enumerate(masks)]
    return np.concatenate(features), owners_of


def fit_metric(features: NDArray[Any], owners: Sequence[tuple[int, int]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and projection of a linear discriminant analysis of instances, with a shrunk covariance."""
    owner = np.unique(owners, axis=0, return_inverse=True)[1].reshape(-1)
    means = np.stack([features[owner == one].mean(axis=0) for one in range(owner.max() + 1)])
    within = np.cov((features - means[owner]).T, bias=True)
    width = len(within)
    values, axes = np.linalg.eigh(within + SHRINKAGE * np.trace(within) / width * np.eye(width))
    white = axes / np.sqrt(values)
    between = np.linalg.eigh(white.T @ np.cov(means.T) @ white)[1]
    return features.mean(axis=0), white @ between[:, ::-1][:, :DIMENSIONS]


if __name__ == "__main__":
    kinds, pairs, out = sys.argv[1:]
    weights, bias = fit_merging(kinds)
    print(f"segment_merging: _WEIGHTS = {np.round(weights, 2).tolist()}, _BIAS = {bias:.2f}")
    student = StudentRuntime.load("open")
    features, owners = features_of(pairs, student)
    mean, projection = fit_metric(features, [owner[:2] for owner in owners])
    rivals, owners = features_of(kinds, student)
    keys = normalized((rivals[[whole for *_, whole in owners]] - mean) @ projection)
    tensors = {"mean": mean, "projection": projection, "rivals": keys}
    half = {name: np.ascontiguousarray(value, np.float16) for name, value in tensors.items()}
    atomic_write(Path(out), save(half, {"encoder": load_pocket_teacher().fingerprint}))
    print(f"{out}: {len(keys)} rivals, {len({owner[:2] for owner in owners})} instances")
