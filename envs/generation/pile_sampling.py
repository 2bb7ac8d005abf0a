"""Sampling of piles: which objects, dropped from where; it depends on (seed, split, index) only."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.randomization import ViewConfig, changes
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject
from pickclutter_lang.objects.object_sets import ObjectSet, check_share
from pickclutter_lang.utils.constants import MAX_ACTORS
from pickclutter_lang.utils.typing import FloatArray
from pickclutter_lang.utils.validation import above, at_least, check_values, one_of, within

# Which objects may lie in the piles of a split; `teacher` piles train only the pocket teacher.
SPLIT_OBJECTS = {
    "train": ("id",),
    "id": ("id",),
    "ood": ("id", "ood"),
    "fewshot": ("id", "ood"),
    "teacher": ("id", "ood"),
}
FEWEST_LABELED = 2
"""Labeled objects of a pile at least, where its `min_objects` allow it, so that one can be asked for beside another."""


@dataclass(frozen=True)
class PileConfig(ViewConfig):
    """Piles, cameras and labels. Lengths in meters, angles in radians."""

    min_objects: int = 4
    """Minimum number of objects in a pile."""
    max_objects: int = MAX_ACTORS
    """Maximum number of objects in a pile."""
    cameras: tuple[str, ...] = ("hand",)
    """[hand], [base] or [hand, base]."""
    image_size: Annotated[int, within, 16, 1024] = 128
    """Side of the images in pixels."""
    visible_share: Annotated[float, within, 0.0, 1.0] = 0.25
    """Label `visible`: minimum fraction of an object's surface points on its own pixels of the hand camera."""
    visible_pixels: Annotated[int, at_least, 1] = 6
    """Label `visible`: minimum number of an object's pixels in the hand camera."""
    graspable: bool = True
    """Compute the label `graspable`, which takes about a quarter of the time of a scene."""
    spread: tuple[float, float] = (0.10, 0.14)
    """Half the extent in x and y of where objects fall, meters."""
    reach: tuple[float, float] = (0.20, 0.25)
    """Half the extent in x and y of where objects may come to rest, meters."""
    distractors: float = 0.0
    """Share of a pile's objects that are instances of kinds without a label, from 0 to below 1: each object is one with
    this probability, but two objects have a label in any case. `kinds` and `instances` say which."""
    arm_noise: Annotated[float, within, 0.0, 1.0] = 0.02
    """Standard deviation of the arm's joint angles at rest, radians."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        if not 1 <= self.min_objects <= self.max_objects <= MAX_ACTORS:
            raise InvalidArgumentError(
                f"expected 1 <= min_objects <= max_objects <= {MAX_ACTORS}, "
                f"but got min_objects={self.min_objects} and max_objects={self.max_objects}"
            )
        if not self.cameras or not set(self.cameras) <= {"hand", "base"} or len(set(self.cameras)) < len(self.cameras):
            raise InvalidArgumentError(f"expected cameras out of 'hand' and 'base', but got {list(self.cameras)}")
        check_values(self)
        for name, low in (("spread", 0.0), ("reach", 0.01)):
            lengths = getattr(self, name)
            if len(lengths) != 2:
                raise InvalidArgumentError(f"expected {name} to be two lengths in meters, but got {list(lengths)}")
            for length in lengths:
                within(name, length, low, 1.0)
        check_share(self.distractors)
        ViewConfig.validate(self)
        above("visible_share", self.visible_share, 0.0)

    def settings(self) -> dict[str, Any]:
        """Return what a manifest records: `distractors`, `camera` and `appearance` where they are not the defaults.

        Stores whose settings lack these three keys have the defaults; they stay comparable, and can be resumed.
        """
        own = {
            "distractors": self.distractors,
            "camera": changes(self.camera),
            "appearance": changes(self.appearance),
        }
        rest = {item.name: getattr(self, item.name) for item in fields(PileConfig) if item.name not in own}
        return rest | {name: changed for name, changed in own.items() if changed}


@dataclass(frozen=True)
class Pile:
    """Objects: label indices [n], models [n], poses [n, 7] (x y z qw qx qy qz, meters, world frame).

    Indices from the number of labels on are those of distractors, see `ObjectSet.distractors`.
    """

    label_indices: NDArray[np.int64]
    models: tuple[CatalogObject, ...]
    poses: FloatArray


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the random generator of one scene."""
    one_of("split", split, list(SPLIT_OBJECTS))
    at_least("seed", seed, 0)
    at_least("index", index, 0)
    return np.random.default_rng([seed, zlib.crc32(split.encode()), index])


def split_label_indices(catalog: Catalog, split: str) -> list[int]:
    """Return the catalog indices of the objects that may lie in the piles of a split."""
    return sorted(index for part in SPLIT_OBJECTS[split] for index in catalog.indices(part))  # type: ignore[arg-type]


def most_objects(objects: ObjectSet, split: str, config: PileConfig) -> int:
    """Return how many labeled objects a pile may have.

    Of one's own it leaves one out, so that a small set has absent ones.
    """
    allowed = len(split_label_indices(objects.catalog, split))
    return min(config.max_objects, allowed - int(objects.own_catalog is not None and allowed > 1))


def sample_layout(objects: ObjectSet, split: str, rng: np.random.Generator, config: PileConfig) -> Pile:
    """Draw the objects of a pile, each label and each kind of distractors once, above the table before they fall.

    :raises InvalidArgumentError: when no object may lie in the piles of the split, or the set has no distractors
    """
    allowed = split_label_indices(objects.catalog, split)
    if not allowed:
        raise InvalidArgumentError(f"expected objects of Y_id for split={split}, but there are none in {objects.name}")
    max_count = most_objects(objects, split, config)
    if config.distractors:
        label_indices = _draw_with_distractors(objects, allowed, max_count, rng, config)
    else:
        count = int(rng.integers(min(config.min_objects, max_count), max_count + 1))
        label_indices = rng.choice(allowed, size=count, replace=False).astype(np.int64)
    models = objects.draw_models(label_indices, split, rng)
    radii = [model.radius for model in models]
    return Pile(label_indices, models, drop_poses(radii, rng, config.spread))


def _draw_with_distractors(
    objects: ObjectSet, allowed: Sequence[int], max_labeled: int, rng: np.random.Generator, config: PileConfig
) -> NDArray[np.int64]:
    """Draw labels and kinds in random order, since what comes first falls lower.

    :param max_labeled: most labeled objects of a pile
    """
    kinds = len(objects.distractors)
    if not kinds:
        raise InvalidArgumentError(f"expected an object set with distractors, but {objects.name} has none")
    count = int(rng.integers(config.min_objects, config.max_objects + 1))
    fewest = min(FEWEST_LABELED, config.min_objects, max_labeled)
    others = min(int(rng.binomial(count, config.distractors)), count - fewest, kinds)
    labels = rng.choice(allowed, size=min(count - others, max_labeled), replace=False)
    drawn = len(objects.catalog) + rng.choice(kinds, size=others, replace=False)
    return rng.permutation(np.concatenate([labels, drawn])).astype(np.int64)


def drop_poses(
    radii: Sequence[float], rng: np.random.Generator, spread: Sequence[float], floor: float = 0.0
) -> FloatArray:
    """Place objects at random above the table, each as low as it can be without touching those before it.

    :param radii: of the bounding spheres, meters
    :param spread: half the extent in x and y within which the centers lie
    :param floor: height that no object may be below
    :return: poses [n, 7]
    """
    centers: list[FloatArray] = []
    poses = np.zeros((len(radii), 7))
    for n, radius in enumerate(radii):
        xy = rng.uniform(-1, 1, 2) * spread
        z = floor + radius + 0.01
        for center, other in sorted(zip(centers, radii, strict=False), key=lambda pair: float(pair[0][2])):
            gap2 = (radius + other + 0.005) ** 2 - float(np.sum((center[:2] - xy) ** 2))
            if gap2 > 0 and abs(z - center[2]) < np.sqrt(gap2):
                z = float(center[2] + np.sqrt(gap2))
        centers.append(np.array([*xy, z]))
        poses[n, :3] = centers[-1]
        quaternion = rng.normal(size=4)
        poses[n, 3:] = quaternion / np.linalg.norm(quaternion)
    return poses
