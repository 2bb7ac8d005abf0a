"""Camera, lights and noise in the environment: drawn for each episode, true in the observation's matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence

from helpers.environments import make
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, view_rng
from pickclutter_lang.manipulation.point_cloud import unproject_depth

pytestmark = pytest.mark.sim
RANGES: dict[str, Any] = {
    "camera": {"x": [-0.02, 0.02], "pitch": [-6, 6], "fov": [70, 95]},
    "appearance": {"table": "random", "light_strength": [0.6, 1.4]},
}
MOVED = {"x": 0.02, "y": -0.01, "z": 0.01, "pitch": 5, "yaw": -4, "roll": 20, "fov": 75}


@pytest.fixture(scope="module")
def usual() -> Any:
    return make(obs_mode="rgbd", base_camera=False)


def hand(observation: Any) -> tuple[Any, Any]:
    return observation["image"]["hand_camera"], observation["camera_param"]["hand_camera"]


def test_the_matrices_are_those_of_the_moved_camera(usual: Any) -> None:
    """Points that are unprojected by them are where the unmoved camera sees them: on the table, and on the target."""
    moved = make(obs_mode="rgbd", base_camera=False, camera=MOVED, enable_segmentation=True)
    first, second = usual.reset(seed=2)[0], moved.reset(seed=2)[0]
    images, matrices = hand(second)
    assert not np.allclose(matrices["cam2world_gl"], hand(first)[1]["cam2world_gl"], atol=0.005)
    assert matrices["intrinsic_cv"][1, 1] == pytest.approx(64 / np.tan(np.deg2rad(75) / 2), rel=1e-5)
    cloud = unproject_depth(images["depth"][..., 0], matrices["intrinsic_cv"], matrices["cam2world_gl"])
    ids = images["Segmentation"][..., 1][cloud.pixels[:, 0], cloud.pixels[:, 1]]
    ground = next(actor for actor in moved.get_actors() if actor.name == "ground")
    table = cloud.points[ids == ground.id]
    assert len(table) > 1000 and np.abs(table[:, 2]).max() < 1e-3
    target = cloud.points[ids == moved.obj.id]
    box = moved.bbox_size
    center = moved.obj_pose.p
    assert len(target) > 10 and np.linalg.norm(target - center, axis=1).max() < np.linalg.norm(box)
    for name in ("target_name", "target_graspable", "instruction"):
        assert getattr(moved, name) == getattr(usual, name)
    for one, other in zip(moved.objs, usual.objs, strict=True):
        np.testing.assert_array_equal([*one.pose.p, *one.pose.q], [*other.pose.p, *other.pose.q])


def test_dropped_pile_k_has_the_camera_and_the_table_of_scene_k() -> None:
    env = make(obs_mode="rgbd", base_camera=False, pile_seed=4, **RANGES)
    first = [env.reset(seed=seed, options={"episode": 7})[0] for seed in (0, 1)]
    rng = view_rng(4, "ood", 7)
    assert env.camera == HandCameraConfig(**RANGES["camera"]).draw(rng)
    assert env.appearance == AppearanceConfig(**RANGES["appearance"]).draw(rng)
    assert hand(first[0])[1]["intrinsic_cv"][0, 0] == hand(first[1])[1]["intrinsic_cv"][0, 0]
    seen = {(env.reset(seed=seed)[0], env.camera.fov, env.appearance.table)[1:] for seed in range(3)}
    assert len(seen) == 3


def test_other_episodes_draw_by_the_seed_of_the_reset() -> None:
    env = make(obs_mode="rgbd", base_camera=False, **RANGES)
    env.reset(seed=0)
    pile = dict(env.episode)
    cameras = []
    for seed in (5, 6, 5):
        env.reset(seed=seed, options={"episode": pile})
        cameras.append(env.camera)
    assert cameras[0] == cameras[2] != cameras[1]


def test_noise_depends_on_seed_and_step_alone(usual: Any) -> None:
    noisy = {"image_noise": 8, "depth_noise": 0.02, "depth_dropout": 1.0}
    env = make(obs_mode="rgbd", base_camera=False, camera=noisy)
    true = hand(usual.reset(seed=2)[0])[0]
    first = env.reset(seed=2)[0]
    assert data_equivalence(first, env.get_obs(), exact=True)
    later = env.step(np.zeros(env.action_space.shape, np.float32))[0]
    assert data_equivalence(first, env.reset(seed=2)[0], exact=True)
    assert data_equivalence(later, env.step(np.zeros(env.action_space.shape, np.float32))[0], exact=True)
    found, after = hand(first)[0], hand(later)[0]
    assert env.observation_space.contains(first)
    missing = found["depth"] == 0
    assert 0.005 < missing.mean() < 0.3 and (true["depth"] > 0).all()
    far = ~missing & (true["depth"] > 0.35)
    error = ((found["depth"] - true["depth"]) / true["depth"] ** 2)[far]
    assert error.std() == pytest.approx(0.02, rel=0.05)
    assert not np.array_equal(after["depth"], found["depth"])
    gray = (true["rgb"] > 30) & (true["rgb"] < 225)
    assert (found["rgb"].astype(float) - true["rgb"])[gray].std() == pytest.approx(8, rel=0.05)
