"""Kinds in the simulator: every one comes to rest, they are asked for and picked, and their meshes are dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.environments import FEW_KINDS, KINDS, gym, make
from pickclutter_lang.envs import renderer
from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.generation.simulation import drop_pile
from pickclutter_lang.envs.grasp_labels import object_geometry
from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.kinds.kind import FAMILIES
from pickclutter_lang.kinds.kind_set import load_kind_set
from pickclutter_lang.manipulation.gripper import rotation_matrix

pytestmark = [pytest.mark.sim, pytest.mark.slow]
CONFIG = PileConfig(min_objects=1, max_objects=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_instances_rest_on_the_table(family: str, tmp_path: Path) -> None:
    for name in (kind.name for kind in all_kinds() if kind.sample.__module__.endswith(f".{family}")):
        objects = load_kind_set(tmp_path, kinds=[name])
        pile = drop_pile(objects, "teacher", np.random.default_rng(0), CONFIG)
        assert len(pile.models) == 1, f"{name} does not stay where the arm reaches"
        geometry = object_geometry(objects.model_dir(pile.models[0].model_id) / "collision.obj", 1.0)
        points = geometry.points @ rotation_matrix(pile.poses[0, 3:]).T + pile.poses[0, :3]
        assert -0.004 < points[:, 2].min() < 0.008, f"{name}: {points[:, 2].min():.4f} m"
        assert np.isfinite(geometry.center_of_mass).all() and len(geometry.points) > 50


def test_a_target_is_a_kind() -> None:
    env = make(KINDS, obs_mode="state", min_objects=6, max_objects=6)
    for seed in range(2):
        _, info = env.reset(seed=seed, options={"target": "mug", "template": "the {name}, please"})
        assert info["instruction"] == "the mug, please" and info["target_present"]
    few = make(KINDS, obs_mode="state", kinds=["apple", "mug"], absent_probability=1, min_objects=1, max_objects=1)
    _, info = few.reset(seed=0)
    assert {info["target_name"]} | {item.name for item in few._pile} == {"apple", "mug"} and not info["target_present"]


def test_one_environment_renders_after_another_dropped_meshes(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAPIEN refuses the first picture of a camera that is older than the drop."""
    options = {"obs_mode": "state", "render_mode": "rgb_array", **FEW_KINDS}
    first, second = (gym.make(KINDS, **options) for _ in range(2))
    first.reset(seed=0)
    monkeypatch.setattr(renderer, "_loaded", renderer._MOST_LOADED)
    second.reset(seed=1)
    assert renderer._loaded < renderer._MOST_LOADED  # dropped
    picture = np.asarray(first.render())
    assert np.ptp(picture) > 50 and np.ptp(np.asarray(second.render())) > 50
    first.reset(seed=0)
    assert np.array_equal(np.asarray(first.render()), picture)
    for env in (first, second):
        env.close()
