r"""Fit what teaching by example stands on, from piles of kinds: weights of segment merging, and the metric of crops.

    pickclutter collect-scenes objects=kinds split=teacher seed=92000 scenes=200 image_size=256 out=runs/kinds
    pickclutter collect-scenes objects=kinds instances=2 split=teacher seed=93000 scenes=400 image_size=256 \
        out=runs/pairs
    pickclutter collect-scenes objects=kinds split=teacher seed=94000 scenes=200 image_size=256 out=runs/held
    python scripts/fit_teaching.py runs/kinds runs/pairs runs/held

It writes `imagenet.safetensors` and `crop_metric.safetensors` into the assets, and prints the other constants.

It is run again for another crop encoder. Memories of taught policies name theirs, and are taught again then.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION
from pickclutter_lang.manipulation import segment_merging, segmentation
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.policy import example_memory
from pickclutter_lang.policy.example_memory import CropMetric, ExampleMemory
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.teachers.efficientnet_lite import IMAGENET_FILE, write_imagenet_stages
from pickclutter_lang.teachers.pocket import load_pocket_teacher
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.progress import track

DIMENSIONS = 128
SHRINKAGE = 0.3
REFUSED = 0.96
"""Share of the absent names that are refused at a probability of 0.5: of YCB objects in piles that is 95%."""


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
    merge = segmentation.merge_fragments
    features = []
    same = []
    segmentation.merge_fragments = lambda segments, *_: segments
    for seen, truth, owners in scenes_of(folder):
        segments = segment_observation(seen)
        rng = np.random.default_rng(len(features))
        points = np.zeros((*segments.shape, 3))
        cloud = unproject_depth(*(seen[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world")))
        points[tuple(cloud.pixels.T)] = cloud.points
        rgb = seen["hand_rgb"]
        depth = seen["hand_depth"]
        camera = seen["hand_cam2world"][:3, 3]
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
    x = np.concatenate(features)
    y = np.concatenate(same).astype(float)
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


class Crops(NamedTuple):
    """Features [n, F] of crops, and of each its scene, its (label, instance), -1 for nothing, and if it is whole."""

    features: NDArray[Any]
    scenes: NDArray[Any]
    owners: NDArray[Any]
    whole: NDArray[Any]


def crops_of(folder: str, student: StudentRuntime) -> Crops:
    """Return crops of true objects, which are whole, and of all segments."""
    features, rows = [], []
    for scene, (seen, truth, owners) in enumerate(scenes_of(folder)):
        segments = segment_observation(seen)
        smallest = MIN_AREA_FRACTION * truth.size
        objects = [(truth == slot + 1, owner) for slot, owner in enumerate(owners) if owner[0] >= 0]
        objects = [(mask, owner) for mask, owner in objects if mask.sum() >= smallest]
        masks = [(mask, owner, True) for mask, owner in objects]
        for part in (segments == number for number in range(1, int(segments.max()) + 1)):
            if part.sum() >= smallest:
                whose = [owner for mask, owner in objects if (part & mask).sum() > 0.5 * (part | mask).sum()]
                masks.append((part, *(whose or [(-1, -1)])[:1], False))
        if masks:
            features.append(student.encode_crops(seen["hand_rgb"], [mask for mask, *_ in masks])[0])
            rows += [(scene, *owner, whole) for _, owner, whole in masks]
    table = np.array(rows)
    return Crops(np.concatenate(features), table[:, 0], table[:, 1:3], table[:, 3] > 0)


def fit_projection(features: NDArray[Any], owners: NDArray[Any]) -> NDArray[Any]:
    """Return the projection of a linear discriminant analysis of instances, with a shrunk covariance."""
    owner = np.unique(owners, axis=0, return_inverse=True)[1].reshape(-1)
    means = np.stack([features[owner == one].mean(axis=0) for one in range(owner.max() + 1)])
    within = np.cov((features - means[owner]).T, bias=True)
    width = len(within)
    values, axes = np.linalg.eigh(within + SHRINKAGE * np.trace(within) / width * np.eye(width))
    white = axes / np.sqrt(values)
    between = np.linalg.eigh(white.T @ np.cov(means.T) @ white)[1]
    return np.asarray(white @ between[:, ::-1][:, :DIMENSIONS])


def fit_metric(pairs: Crops, kinds: Crops, out: Path) -> CropMetric:
    """Write the metric, whose rivals are objects of `kinds`, into a folder, and return it."""
    teacher = load_pocket_teacher()
    width = teacher.embed_dim
    owned = pairs.owners[:, 0] >= 0
    features, owners = pairs.features[owned], pairs.owners[owned]
    tensors = {
        "mean": features.mean(axis=0),
        "teacher": fit_projection(features[:, :width], owners),
        "imagenet": fit_projection(features[:, width:], owners),
    }
    half = {name: np.ascontiguousarray(value, np.float16) for name, value in tensors.items()}
    encoder = sha256(teacher.fingerprint.encode() + (out / IMAGENET_FILE).read_bytes() + save(half)).hexdigest()
    mean, *projections = (value.astype(np.float32) for value in half.values())
    metric = CropMetric(encoder, teacher.fingerprint, mean, tuple(projections), np.zeros((0, 0), np.float32))
    rivals = metric.keys(kinds.features[kinds.whole]).astype(np.float16)
    atomic_write(
        out / "crop_metric.safetensors",
        save(half | {"rivals": rivals}, {"encoder": encoder, "teacher": teacher.fingerprint}),
    )
    return replace(metric, rivals=rivals.astype(np.float32))


def fit_threshold(crops: Crops, metric: CropMetric) -> tuple[float, float]:
    """Return slope and bias of log odds by score, where at 0.5 `REFUSED` of the absent names are refused.

    Objects of the first half of the piles are taught by one or five segments, and all are asked for in the others.
    """
    keys = metric.keys(crops.features)
    shown = np.unique(crops.scenes)[: len(np.unique(crops.scenes)) // 2]
    early = np.isin(crops.scenes, shown)
    scores, present = [], []
    for shots in (1, 5):
        memory = ExampleMemory(metric.encoder)
        for label in np.unique(crops.owners[early & (crops.owners[:, 0] >= 0), 0]):
            rows = np.flatnonzero(early & ~crops.whole & (crops.owners[:, 0] == label))[:shots]
            if len(rows):
                memory = memory.add(str(label), keys[rows], keys[:0])
        asked = np.array([int(name) for name in memory.taught])
        for scene in np.unique(crops.scenes[~early]):
            here = crops.scenes == scene
            odds = memory.log_odds(keys[here & ~crops.whole], metric)
            scores.append((odds.max(axis=0) - example_memory._BIAS) / example_memory._SLOPE)
            present.append(np.isin(asked, crops.owners[here & crops.whole, 0]))
    x, y = np.concatenate(scores), np.concatenate(present)
    slope = float(LogisticRegression(class_weight="balanced").fit(x[:, None], y).coef_[0, 0])
    threshold = float(np.quantile(x[~y], REFUSED))
    print(f"{len(asked)} names: {(x[y] > threshold).mean():.1%} of the visible found, {REFUSED:.0%} of others refused")
    return slope, -slope * threshold


if __name__ == "__main__":
    kinds, pairs, held = sys.argv[1:]
    weights, bias = fit_merging(kinds)
    print(f"segment_merging: _WEIGHTS = {np.round(weights, 2).tolist()}, _BIAS = {bias:.2f}")
    visual: Any = load_pocket_teacher().model.visual
    write_imagenet_stages(visual.trunk)
    student = StudentRuntime.load("open")
    out = Path(str(files("pickclutter_lang.assets")))
    metric = fit_metric(crops_of(pairs, student), crops_of(kinds, student), out)
    slope, bias = fit_threshold(crops_of(held, student), metric)
    print(f"{len(metric.rivals)} rivals; example_memory: _SLOPE, _BIAS = {slope:.2f}, {bias:.2f}")
