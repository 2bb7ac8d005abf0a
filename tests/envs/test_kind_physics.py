"""Physics of every kind: dropped alone, its instances come to rest on the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")

from pickclutter_lang.envs.generation.physics import drop_pile
from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.grasp_labels import object_geometry
from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.objects.kinds import all_kinds
from pickclutter_lang.objects.kinds.kind_set import load_kind_set

pytestmark = [pytest.mark.sim, pytest.mark.slow]
CONFIG = PileConfig(min_objects=1, max_objects=1)


@pytest.mark.parametrize("name", [kind.name for kind in all_kinds()])
def test_instances_rest_on_the_table(name: str, tmp_path: Path) -> None:
    objects = load_kind_set(tmp_path, kinds=[name])
    for seed in range(2):
        pile = drop_pile(objects, "teacher", np.random.default_rng(seed), CONFIG)
        assert len(pile.models) == 1, "it does not stay where the arm reaches"
        geometry = object_geometry(objects.model_dir(pile.models[0].model_id) / "collision.obj", 1.0)
        points = geometry.points @ rotation_matrix(pile.poses[0, 3:]).T + pile.poses[0, :3]
        assert -0.004 < points[:, 2].min() < 0.008, f"its lowest point is {points[:, 2].min():.4f} m above the table"
        assert np.isfinite(geometry.center_of_mass).all() and len(geometry.points) > 50
