"""Physics of piles: objects fall onto the table and come to rest, without a robot and without images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.generation.pile_sampling import Pile, PileConfig, drop_poses, sample_layout
from pickclutter_lang.envs.renderer import shared_engine
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.object_sets import ObjectSet

TIMESTEP_S = 1 / 120
_CHECK_EVERY = 6  # steps between two checks of the speeds
_STILL_CHECKS = 3  # checks in a row at which everything must be still
_MAX_STEPS = 480
_STILL_SPEED = 0.01  # m/s, and 0.2 rad/s
_REDROPS = 4


def drop_pile(objects: ObjectSet, split: str, rng: np.random.Generator, config: PileConfig) -> Pile:
    """Sample a pile and let it fall, in a separate physics scene.

    PhysX remembers what was in a scene before, so that a scene shared between piles would make each depend on the
    one before it; a fresh one costs 3 ms. What rolls out of the workspace is dropped again, and left out if it keeps
    rolling away (a pile may then hold fewer than `min_objects`).
    """
    layout = sample_layout(objects, split, rng, config)
    scene = _new_scene()
    actors = [_add_actor(scene, objects, model) for model in layout.models]
    _set_poses(actors, layout.poses)
    _settle(scene, actors)
    for _ in range(_REDROPS):
        away = [n for n, actor in enumerate(actors) if not _in_reach(actor, config)]
        if not away:
            break
        radii = [layout.models[n].radius for n in away]
        spread = [0.5 * s for s in config.spread]
        _set_poses([actors[n] for n in away], drop_poses(radii, rng, spread, floor=_height(actors)))
        _settle(scene, actors)
    in_reach = [n for n, actor in enumerate(actors) if _in_reach(actor, config)]
    poses = np.array([[*actors[n].pose.p, *actors[n].pose.q] for n in in_reach]).reshape(-1, 7)
    return Pile(layout.label_indices[in_reach], tuple(layout.models[n] for n in in_reach), poses)


def _add_actor(scene: Any, objects: ObjectSet, model: CatalogObject) -> Any:
    """Add the convex parts of an object, without a visual, to a physics scene."""
    builder = scene.create_actor_builder()
    builder.add_multiple_collisions_from_file(
        str(objects.model_dir(model.model_id) / "collision.obj"), scale=[model.scale] * 3, density=model.density
    )
    actor = builder.build(model.model_id)
    actor.set_damping(0.5, 4.0)  # linear, angular: as rolling resistance, without which balls never rest
    return actor


def _set_poses(actors: Sequence[Any], poses: NDArray[np.float64]) -> None:
    """Set poses [n, 7] and speeds of zero."""
    import sapien.core as sapien

    for actor, pose in zip(actors, poses, strict=True):
        actor.set_pose(sapien.Pose(pose[:3], pose[3:]))
        actor.set_velocity([0, 0, 0])
        actor.set_angular_velocity([0, 0, 0])


def _settle(scene: Any, actors: Sequence[Any]) -> None:
    """Step until everything is still, or for 4 s of simulated time: then objects may still move."""
    still = 0
    for step in range(1, _MAX_STEPS + 1):
        scene.step()
        if step % _CHECK_EVERY:
            continue
        still = 0 if any(map(_moves, actors)) else still + 1
        if still == _STILL_CHECKS:
            return


def _moves(actor: Any) -> bool:
    speed = max(np.abs(actor.velocity).max(), 0.05 * np.abs(actor.angular_velocity).max())
    return not speed < _STILL_SPEED


def _new_scene() -> Any:
    import sapien.core as sapien

    engine, _ = shared_engine()
    config = sapien.SceneConfig()
    config.default_dynamic_friction = 1.0
    config.default_static_friction = 1.0
    config.default_restitution = 0.0
    config.contact_offset = 0.005
    config.enable_pcm = False
    config.solver_iterations = 15
    config.disable_collision_visual = True
    scene = engine.create_scene(config)
    scene.set_timestep(TIMESTEP_S)
    scene.add_ground(0.0, render=False)
    return scene


def _in_reach(actor: Any, config: PileConfig) -> bool:
    x, y, z = actor.pose.p
    return bool(abs(x) <= config.reach[0] and abs(y) <= config.reach[1] and z > 0)


def _height(actors: Sequence[Any]) -> float:
    """Return a height 5 cm above the highest center at the middle of the table; what falls from there may touch it."""
    return max((float(a.pose.p[2]) for a in actors if np.abs(a.pose.p[:2]).max() < 0.3), default=0.0) + 0.05
