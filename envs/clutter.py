"""One labelled scene of clutter: dropped, settled, seen and judged; a row of the scene store."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.grasps import GraspChecker
from pickclutter_lang.envs.kinematics import PandaKinematics
from pickclutter_lang.envs.physics import Pile, drop_pile
from pickclutter_lang.envs.sampling import MAX_ACTORS, ClutterSettings, scene_rng
from pickclutter_lang.envs.world import REST_QPOS, ClutterWorld, Picture
from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.objects.sets import ObjectSet

REP_POINTS = 16
_RETRIES = 20

Row = dict[str, NDArray[np.generic]]


class SceneMaker:
    """Makes the scenes of an object set; one per process, since it keeps every mesh loaded."""

    def __init__(self, objects: ObjectSet, settings: ClutterSettings) -> None:
        settings.validate()
        self.objects = objects
        self.settings = settings
        # Labels are those of the hand camera, so it is always there.
        cameras = tuple(dict.fromkeys(("hand", *settings.cameras)))
        self.world = ClutterWorld(objects, cameras, settings.image_size)
        self.checker = GraspChecker(objects, PandaKinematics(self.world.robot))

    def make(self, seed: int, split: str, index: int) -> Row:
        """Make the scene of (seed, split, index): the arrays of a store's row, without the leading axis."""
        rng = scene_rng(seed, split, index)
        pile = self._pile(split, rng)
        noise = rng.normal(0, self.settings.arm_noise, 7)
        self.world.show(pile, REST_QPOS + np.concatenate([noise, [0.0, 0.0]]))
        pictures = {name: self.world.capture(name) for name in dict.fromkeys(("hand", *self.settings.cameras))}
        row = self._labels(pile, pictures["hand"], rng)
        row["index"] = np.asarray(index, np.int64)
        for name in self.settings.cameras:
            row[f"{name}_rgb"] = pictures[name].rgb
            row[f"{name}_depth"] = pictures[name].depth
            row[f"{name}_segmentation"] = pictures[name].segmentation
        return row

    def _pile(self, split: str, rng: np.random.Generator) -> Pile:
        """Drop piles until one keeps at least the least number of objects in reach."""
        for _ in range(_RETRIES):
            pile = drop_pile(self.objects, split, rng, self.settings)
            if len(pile.columns) >= self.settings.min_objects:
                break
        return pile

    def _labels(self, pile: Pile, picture: Picture, rng: np.random.Generator) -> Row:
        count, classes = len(pile.columns), len(self.objects.catalogue)
        row: Row = {
            "actors": np.full(MAX_ACTORS, -1, np.int16),
            "scales": np.zeros(MAX_ACTORS, np.float32),
            "poses": np.zeros((MAX_ACTORS, 7), np.float32),
            "pixels": np.zeros(MAX_ACTORS, np.int32),
            "rep_pts": np.full((MAX_ACTORS, REP_POINTS, 3), np.nan, np.float32),
            "grasp_poses": np.full((MAX_ACTORS, 7), np.nan, np.float32),
            **{label: np.zeros(classes, bool) for label in ("present", "visible", "graspable")},
        }
        row["actors"][:count] = pile.columns
        row["scales"][:count] = [self.objects.catalogue[int(c)].scale for c in pile.columns]
        row["poses"][:count] = pile.poses
        row["pixels"][:count] = [(picture.segmentation == n + 1).sum() for n in range(count)]
        row["present"][pile.columns] = True
        seen = [n for n in range(count) if self._is_visible(pile, n, picture, int(row["pixels"][n]))]
        row["visible"][pile.columns[seen]] = True
        for n in seen:
            row["rep_pts"][n] = rng.choice(picture.points[picture.segmentation == n + 1], REP_POINTS)
        if self.settings.graspable:
            for n, pose in self.checker.find_all(pile, seen).items():
                row["grasp_poses"][n] = pose
                row["graspable"][pile.columns[n]] = True
        return row

    def _is_visible(self, pile: Pile, slot: int, picture: Picture, pixels: int) -> bool:
        if pixels < self.settings.visible_pixels:
            return False
        points = self.checker.geometry(int(pile.columns[slot])).points
        world = points @ rotation_matrix(pile.poses[slot, 3:]).T + pile.poses[slot, :3]
        return visible_share(world, slot, picture) >= self.settings.visible_share


def visible_share(points: NDArray[np.float64], slot: int, picture: Picture) -> float:
    """Return the share of an object's surface points [P, 3] (world) that fall on pixels of the object itself.

    Points of the far side fall on the object's own silhouette, so they count as the silhouette does: what lowers
    the share is other things in front, and the edge of the picture.
    """
    camera = points @ picture.extrinsic[:, :3].T + picture.extrinsic[:, 3]
    pixel = camera @ picture.intrinsic.T
    column, row = np.floor(pixel[:, :2] / pixel[:, 2:]).astype(int).T
    height, width = picture.segmentation.shape
    inside = (camera[:, 2] > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    hit = picture.segmentation[row[inside], column[inside]] == slot + 1
    return float(hit.sum()) / len(points)
