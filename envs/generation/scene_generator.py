"""Generates labeled scenes of clutter: objects dropped, settled, rendered and labeled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.manifest import CAMERA_MATRICES
from pickclutter_lang.envs.generation.pile_sampling import FEWEST_LABELED, Pile, PileConfig, most_objects, scene_rng
from pickclutter_lang.envs.generation.simulation import (
    REST_QPOS,
    CameraFrame,
    PandaKinematics,
    SceneRenderer,
    drop_pile,
)
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, noisy_images, view_rng
from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.constants import MAX_ACTORS, REP_POINTS

_RETRIES = 20

Row = dict[str, NDArray[np.generic]]


class SceneGenerator:
    """Makes the scenes of an object set; one per process, since it keeps meshes loaded."""

    def __init__(self, objects: ObjectSet, config: PileConfig) -> None:
        config.validate()
        self.objects = objects
        self.config = config
        # Labels are those of the hand camera, so it is always there.
        self._cameras = tuple(dict.fromkeys(("hand", *config.cameras)))
        moved, shadows = config.camera.moved, config.appearance.shadows
        self.renderer = SceneRenderer(objects, self._cameras, config.image_size, shadows, whole_robot=moved or shadows)
        self.checker = GraspChecker(objects, PandaKinematics(self.renderer.robot))

    def generate(self, seed: int, split: str, index: int) -> Row:
        """Make the scene of (seed, split, index): the arrays of a store's row, without the leading axis."""
        rng = scene_rng(seed, split, index)
        pile = self._pile(split, rng)
        noise = rng.normal(0, self.config.arm_noise, 7)
        view = view_rng(seed, split, index)  # of its own, so that piles are the same with and without ranges
        camera, appearance = self.config.camera.draw(view), self.config.appearance.draw(view)
        if self.config.camera.moved or self.config.appearance != AppearanceConfig():
            self.renderer.set_view(camera, appearance)
        self.renderer.set_state(pile, REST_QPOS + np.concatenate([noise, [0.0, 0.0]]))
        images = {name: self.renderer.capture(name) for name in self._cameras}
        row = self._labels(pile, images["hand"], rng)
        if self.config.camera.moved:
            row |= zip(CAMERA_MATRICES, (images["hand"].intrinsic, images["hand"].extrinsic), strict=True)
        if camera.noisy:
            images["hand"] = noisy_frame(images["hand"], camera, view)
        row["index"] = np.asarray(index, np.int64)
        for name in self.config.cameras:
            row[f"{name}_rgb"] = images[name].rgb
            row[f"{name}_depth"] = images[name].depth
            row[f"{name}_segmentation"] = images[name].segmentation
        return row

    def _pile(self, split: str, rng: np.random.Generator) -> Pile:
        """Drop piles until enough objects of one rest in the workspace, with labels among them.

        After some tries, take what there is.
        """
        enough = self.config.min_objects
        if self.objects.instances or self.objects.own_catalog is not None:  # sets of 26 objects have more in any case
            enough = min(enough, most_objects(self.objects, split, self.config))
        for _ in range(_RETRIES):
            pile = drop_pile(self.objects, split, rng, self.config)
            labeled = int((pile.label_indices < len(self.objects.catalog)).sum())
            if len(pile.models) >= enough and labeled >= min(FEWEST_LABELED, enough):
                break
        return pile

    def _labels(self, pile: Pile, image: CameraFrame, rng: np.random.Generator) -> Row:
        count = len(pile.label_indices)
        classes = len(self.objects.catalog)
        row: Row = {
            "actors": np.full(MAX_ACTORS, -1, np.int16),
            "scales": np.zeros(MAX_ACTORS, np.float32),
            "poses": np.zeros((MAX_ACTORS, 7), np.float32),
            "pixels": np.zeros(MAX_ACTORS, np.int32),
            "rep_pts": np.full((MAX_ACTORS, REP_POINTS, 3), np.nan, np.float32),
            "grasp_poses": np.full((MAX_ACTORS, 7), np.nan, np.float32),
            **{label: np.zeros(classes, bool) for label in ("present", "visible", "graspable")},
        }
        row["actors"][:count] = pile.label_indices
        row["scales"][:count] = [model.scale for model in pile.models]
        row["poses"][:count] = pile.poses
        if self.objects.instances:
            row["instances"] = np.full(MAX_ACTORS, -1, np.int32)
            row["instances"][:count] = [self.objects.seed_of(model.model_id) for model in pile.models]
        row["pixels"][:count] = [(image.segmentation == n + 1).sum() for n in range(count)]
        labeled = pile.label_indices < classes
        row["present"][pile.label_indices[labeled]] = True
        seen = [n for n in range(count) if self._is_visible(pile, n, image, int(row["pixels"][n]))]
        for n in seen:
            row["rep_pts"][n] = rng.choice(image.points[image.segmentation == n + 1], REP_POINTS)
        seen = [n for n in seen if labeled[n]]
        row["visible"][pile.label_indices[seen]] = True
        if self.config.graspable:
            clouds = self.checker.clouds(pile)
            for n in seen:
                pose = self.checker.find(pile, n, clouds)
                if pose is not None:
                    row["grasp_poses"][n] = pose
                    row["graspable"][pile.label_indices[n]] = True
        return row

    def _is_visible(self, pile: Pile, instance_id: int, image: CameraFrame, pixels: int) -> bool:
        if pixels < self.config.visible_pixels:
            return False
        points = self.checker.geometry(pile.models[instance_id]).points
        world = points @ rotation_matrix(pile.poses[instance_id, 3:]).T + pile.poses[instance_id, :3]
        return visible_share(world, instance_id, image) >= self.config.visible_share


def noisy_frame(image: CameraFrame, camera: HandCameraConfig, rng: np.random.Generator) -> CameraFrame:
    """Return a frame as a real camera takes it; segmentation and points stay the true ones."""
    rgb, depth = noisy_images(image.rgb, image.depth, float(image.intrinsic[1, 1]), camera, rng)
    return replace(image, rgb=rgb, depth=depth)


def visible_share(points: NDArray[np.float64], instance_id: int, image: CameraFrame) -> float:
    """Return the fraction of an object's surface points [P, 3] (world) that fall on pixels of the object itself.

    Points of the far side fall on the object's own silhouette, so they count as the silhouette does: other
    objects in front, and the edge of the image, lower the fraction.
    """
    camera = points @ image.extrinsic[:, :3].T + image.extrinsic[:, 3]
    pixel = camera @ image.intrinsic.T
    x, y = np.floor(pixel[:, :2] / pixel[:, 2:]).astype(int).T
    height, width = image.segmentation.shape
    inside = (camera[:, 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    hit = image.segmentation[y[inside], x[inside]] == instance_id + 1
    return float(hit.sum()) / len(points)
