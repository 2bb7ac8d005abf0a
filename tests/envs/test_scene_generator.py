"""Piles, images and labels of a scene; each depends on (seed, split, index) alone."""

from dataclasses import replace

import numpy as np
import pytest

from pickclutter_lang.envs.generation.pile_sampling import (
    PileConfig,
    drop_poses,
    sample_layout,
    scene_rng,
)
from pickclutter_lang.envs.generation.scene_generator import SceneGenerator, visible_share
from pickclutter_lang.envs.generation.simulation import CameraFrame
from pickclutter_lang.envs.randomization import AppearanceConfig
from pickclutter_lang.objects.object_sets import ObjectSet


@pytest.mark.parametrize("split", ["train", "id", "ood", "fewshot"])
def test_the_objects_of_a_split(split: str, procedural: ObjectSet) -> None:
    catalog = procedural.catalog
    config = PileConfig()
    layouts = [sample_layout(procedural, split, scene_rng(0, split, n), config) for n in range(60)]
    used = {catalog[int(index)].split for layout in layouts for index in layout.label_indices}
    assert used == ({"id"} if split in ("train", "id") else {"id", "ood"})
    assert {len(layout.label_indices) for layout in layouts} == set(range(4, 11))
    assert all(len(set(layout.label_indices.tolist())) == len(layout.label_indices) for layout in layouts)


def test_splits_seeds_and_indices_have_their_own_generators() -> None:
    draws = {
        (seed, split, index): float(scene_rng(seed, split, index).random())
        for seed in (0, 1)
        for split in ("train", "id", "ood", "fewshot")
        for index in (0, 1)
    }
    assert len(set(draws.values())) == len(draws)


def test_dropped_spheres_do_not_touch() -> None:
    radii = [0.05, 0.1, 0.03, 0.15, 0.02, 0.08]
    poses = drop_poses(radii, np.random.default_rng(0), (0.1, 0.1), floor=0.2)
    for a in range(len(radii)):
        assert poses[a, 2] > 0.2 + radii[a]
        assert np.linalg.norm(poses[a, 3:]) == pytest.approx(1)
        for b in range(a):
            assert np.linalg.norm(poses[a, :3] - poses[b, :3]) > radii[a] + radii[b]


@pytest.mark.sim
def test_hidden_links_are_out_of_the_hand_cameras_view(scene_generator: SceneGenerator, procedural: ObjectSet) -> None:
    """Nor are their shadows missing in it: light from above, and the arm casts one."""
    config = replace(scene_generator.config, appearance=AppearanceConfig(shadows=True, light_elevation=80))
    both, one = (
        SceneGenerator(procedural, replace(config, cameras=cameras)).generate(1, "ood", 0)
        for cameras in (("hand", "base"), ("hand",))
    )
    np.testing.assert_array_equal(both["hand_rgb"], one["hand_rgb"])
    assert "base_rgb" not in one


def test_the_visible_share_counts_the_points_on_own_pixels() -> None:
    segmentation = np.zeros((4, 4), np.uint8)
    segmentation[:, :2] = 1
    empty = np.zeros((4, 4))
    intrinsic = np.array([[2.0, 0, 2], [0, 2, 2], [0, 0, 1]])
    extrinsic = np.eye(4)[:3]
    image = CameraFrame(
        np.zeros((4, 4, 3), np.uint8), empty.astype(np.uint16), segmentation, np.zeros((4, 4, 3), np.float32),
        intrinsic, extrinsic,
    )  # fmt: skip
    # x = -0.5 falls on column 1 (own), 0.5 on column 3 (not), -3 outside, the last one lies behind the camera.
    points = np.array([[-0.5, 0, 1], [0.5, 0, 1], [-3, 0, 1], [-0.5, 0, -1.0]])
    assert visible_share(points, 0, image) == 0.25
