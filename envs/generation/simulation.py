"""Piles in SAPIEN: objects fall and come to rest, and are rendered with the arm at rest, whose kinematics is here."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from transforms3d.euler import euler2quat

from pickclutter_lang.envs.generation.pile_sampling import Pile, PileConfig, drop_poses, sample_layout
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, color_of, table_image
from pickclutter_lang.envs.renderer import count_meshes, drop_unused_meshes, sapien_names, shared_engine
from pickclutter_lang.envs.simulator import simulator
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.constants import ROBOT_SEGMENT
from pickclutter_lang.utils.typing import FloatArray

REST_QPOS = np.array([0.0, 0.0, 0.0, -np.pi * 2 / 3, 0.0, np.pi * 2 / 3, np.pi / 4, 0.04, 0.04])
TCP_LINK = "panda_hand_tcp"
HAND_LINK = "panda_hand"
_HAND_CAMERA = (0.0464982, -0.0200011, 0.0360011), (0, 0.70710678, 0, 0.70710678)
HAND_FOV = 1.57  # radians
CAMERA_RANGE = (0.01, 10)  # near and far, meters
BASE_CAMERA = (0.3, 0.0, 0.6), (-0.1, 0.0, 0.1)  # where it is, and where it looks
ROBOT_BASE = (-0.544, 0.0, 0.0)
# Of the robot, the hand camera sees nothing but these links.
_LINKS_IN_VIEW = ("panda_hand", "panda_leftfinger", "panda_rightfinger")
AMBIENT = 0.3
_MAIN_LIGHT = (225.0, float(np.rad2deg(np.arctan2(1, np.sqrt(2)))))  # azimuth and elevation in ManiSkill2
_TABLE_OBJ = """mtllib table.mtl
v -10 -10 0
v 10 -10 0
v 10 10 0
v -10 10 0
vt -9.75 -9.75
vt 10.25 -9.75
vt 10.25 10.25
vt -9.75 10.25
vn 0 0 1
usemtl table
f 1/1/1 2/2/1 3/3/1
f 1/1/1 3/3/1 4/4/1
"""
"""A square of 20 m; an image and its mirror images take 1 m, and an image lies in the middle."""
TIMESTEP_S = 1 / 120
_PHYSICS = {
    "default_dynamic_friction": 1.0,
    "default_static_friction": 1.0,
    "default_restitution": 0.0,
    "contact_offset": 0.005,
    "enable_pcm": False,
    "solver_iterations": 15,
    "disable_collision_visual": True,
}
"""Values of SAPIEN 2's `SceneConfig`."""
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
    sapien = sapien_names()
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
    engine, _ = shared_engine()
    config = sapien_names().SceneConfig()
    for name, value in _PHYSICS.items():
        setattr(config, name, value)
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


@dataclass(frozen=True)
class CameraFrame:
    """What a camera sees: `rgb` uint8 [S, S, 3], `depth` uint16 [S, S] in millimeters (0 = nothing),
    `segmentation` uint8 [S, S] (0 background, k = object k-1 of the pile, 255 robot), `points` float32 [S, S, 3]
    in the world frame in meters, and the camera's OpenCV matrices `intrinsic` [3, 3], `extrinsic` [3, 4].
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.uint16]
    segmentation: NDArray[np.uint8]
    points: NDArray[np.float32]
    intrinsic: NDArray[np.float64]
    extrinsic: NDArray[np.float64]


class SceneRenderer:
    """Renders piles of an object set as PickClutter's cameras see them before the arm moves.

    Lights, ground, robot and cameras are those of mani_skill2's `PickClutterEnv`. Objects are loaded once and hidden
    while they are not in the pile. Where labels have many instances, a pile's are loaded anew, in its order: which of
    two surfaces at the same depth is seen depends on that order, so it must not depend on the piles before.
    """

    def __init__(
        self,
        objects: ObjectSet,
        cameras: tuple[str, ...] = ("hand",),
        image_size: int = 128,
        shadows: bool = False,
        whole_robot: bool = False,
    ) -> None:
        """Load what every scene shows.

        :param whole_robot: show all links to the hand camera too: one that was moved may see them, or their shadows
        """
        self.objects = objects
        engine, renderer = shared_engine()
        self._scene = engine.create_scene()
        self._ground = add_lights_and_ground(self._scene, renderer, shadows)
        self._table: Table | None = None
        self._background: NDArray[np.uint8] | None = None
        self.robot = _load_robot(self._scene)
        self._cameras = {name: _add_camera(self._scene, self.robot, name, image_size) for name in cameras}
        if cameras == ("hand",) and not whole_robot:
            for link in self.robot.get_links():
                if link.name not in _LINKS_IN_VIEW:
                    link.hide_visual()
        self._robot_ids = [link.id for link in self.robot.get_links()]
        self._actors: dict[str, Any] = {}
        if not objects.instances:
            self._load(list(objects.catalog))
        self._visible_actors: list[Any] = []
        self._scene.update_render()
        for camera in self._cameras.values():
            camera.take_picture()  # see `drop_unused_meshes`

    def set_state(self, pile: Pile, qpos: NDArray[np.float64] = REST_QPOS) -> None:
        """Show the objects of a pile at their poses, and the arm at joint angles [9] (radians; fingers meters)."""
        sapien = sapien_names()
        drop_unused_meshes()
        for actor in self._visible_actors:
            actor.hide_visual()
        if self.objects.instances:
            self._unload()
            self._load(pile.models)
        self._visible_actors = [self._actors[model.model_id] for model in pile.models]
        for actor, pose in zip(self._visible_actors, pile.poses, strict=True):
            actor.unhide_visual()
            actor.set_pose(sapien.Pose(pose[:3], pose[3:]))
        self.robot.set_qpos(qpos)
        self._scene.update_render()

    def set_view(self, camera: HandCameraConfig, appearance: AppearanceConfig) -> None:
        """Show the next scenes by a camera, lights and a table that were drawn; `set_state` comes after."""
        hand = self._cameras["hand"]
        hand.set_local_pose(camera_pose(hand_camera_mount(), camera))
        hand.set_fovy(HAND_FOV if camera.fov is None else np.deg2rad(camera.fov))
        set_lights(self._scene, appearance)
        if self._table is not None:
            self._scene.remove_actor(self._table.actor)
            self._table = None
            self._ground.unhide_visual()
        if appearance.table is not None:
            self._ground.hide_visual()
            self._table = Table(self._scene.create_actor_builder(), appearance.table)
        self._background = None if appearance.background is None else color_of(appearance.background)

    def capture(self, name: str) -> CameraFrame:
        """Return the frame of a camera in the current state."""
        camera = self._cameras[name]
        camera.take_picture()
        color = camera.get_float_texture("Color")[..., :3]
        position = camera.get_float_texture("Position")[..., :3]
        rgb = np.clip(color * 255, 0, 255).astype(np.uint8)
        depth = np.clip(np.rint(-position[..., 2] * 1000), 0, 65535).astype(np.uint16)
        if self._background is not None:
            rgb[depth == 0] = self._background
        to_world = camera.get_model_matrix()
        points = (position @ to_world[:3, :3].T + to_world[:3, 3]).astype(np.float32)
        segmentation = self._instance_ids(camera.get_uint32_texture("Segmentation")[..., 1])
        return CameraFrame(
            rgb, depth, segmentation, points, camera.get_intrinsic_matrix(), camera.get_extrinsic_matrix()[:3]
        )

    def _instance_ids(self, ids: NDArray[np.uint32]) -> NDArray[np.uint8]:
        ids = ids.astype(np.int64)
        instance_id_of = np.zeros(
            max(int(ids.max()), *self._robot_ids, *(a.id for a in self._visible_actors)) + 1, np.uint8
        )
        instance_id_of[self._robot_ids] = ROBOT_SEGMENT
        for instance_id, actor in enumerate(self._visible_actors):
            instance_id_of[actor.id] = instance_id + 1
        return np.asarray(instance_id_of[ids])

    def _load(self, models: Sequence[CatalogObject]) -> None:
        for model in models:
            builder = self._scene.create_actor_builder()
            builder.add_visual_from_file(
                str(self.objects.model_dir(model.model_id) / "textured.obj"), scale=[model.scale] * 3
            )
            actor = builder.build_kinematic(model.model_id)
            actor.hide_visual()
            self._actors[model.model_id] = actor

    def _unload(self) -> None:
        count_meshes(len(self._actors))
        for actor in self._actors.values():
            self._scene.remove_actor(actor)
        self._actors = {}


def add_lights_and_ground(scene: Any, renderer: Any, shadows: bool = False) -> Any:
    """Light the scene and add the table as `BaseEnv._setup_lighting` and `BaseEnv._add_ground` do; return its actor."""
    scene.set_ambient_light([AMBIENT] * 3)
    scene.add_directional_light([1, 1, -1], [1, 1, 1], shadow=shadows, scale=5, shadow_map_size=2048)
    scene.add_directional_light([0, 0, -1], [1, 1, 1])
    material = renderer.create_material()
    material.base_color = [0.06, 0.08, 0.12, 1]
    material.metallic = 0.0
    material.roughness = 0.9
    material.specular = 0.8
    return scene.add_ground(0.0, render=True, render_material=material)


def _load_robot(scene: Any) -> Any:
    """Load the Panda of PickClutter with its base where `PickClutterEnv` puts it."""
    robot = scene.create_urdf_loader().load(str(simulator().panda_file()))  # its base is fixed
    import_module(simulator().utilities).set_articulation_render_material(robot, specular=0.9, roughness=0.3)
    robot.set_pose(sapien_names().Pose(ROBOT_BASE))
    robot.set_qpos(REST_QPOS)
    return robot


def hand_camera_mount() -> Any:
    """Return the pose of ManiSkill2's hand camera on its link."""
    return sapien_names().Pose(*_HAND_CAMERA)


def _add_camera(scene: Any, robot: Any, name: str, image_size: int) -> Any:
    """Add the `hand_camera` (mounted) or `base_camera` of PickClutter with square images."""
    if name == "hand":
        link = next(link for link in robot.get_links() if link.name.endswith(HAND_LINK))
        view = HAND_FOV, *CAMERA_RANGE
        return scene.add_mounted_camera(name, link, hand_camera_mount(), image_size, image_size, *view)
    if name != "base":
        raise InvalidArgumentError(f"expected a camera 'hand' or 'base', but got {name!r}")
    camera = scene.add_camera(name, image_size, image_size, np.pi / 2, *CAMERA_RANGE)
    camera.set_local_pose(import_module(simulator().utilities).look_at(*BASE_CAMERA))
    return camera


class PandaKinematics:
    """Inverse kinematics of a Panda in a scene; the robot itself is not moved."""

    def __init__(self, robot: Any) -> None:
        self._model = robot.create_pinocchio_model()
        self._base = robot.get_root_pose()
        self._tcp = next(n for n, link in enumerate(robot.get_links()) if link.name.endswith(TCP_LINK))
        self._limits = np.asarray(robot.get_qlimits(), float)
        self._arm = np.array([1] * 7 + [0] * (len(self._limits) - 7))

    def solve(self, tcp_pose: FloatArray, start: FloatArray) -> FloatArray | None:
        """Return joint angles [9] that bring the TCP to a pose (x y z qw qx qy qz, world), or None if out of reach.

        :param start: joint angles [9] from which the search starts; the solution stays near them where it can
        """
        target = self._base.inv() * sapien_names().Pose(tcp_pose[:3], tcp_pose[3:])
        qpos, success, _ = self._model.compute_inverse_kinematics(
            self._tcp, target, initial_qpos=start, active_qmask=self._arm, max_iterations=100
        )
        qpos = np.asarray(qpos, float)
        qpos[:7] = (qpos[:7] + np.pi) % (2 * np.pi) - np.pi
        qpos[7:] = start[7:]
        inside = (qpos >= self._limits[:, 0]) & (qpos <= self._limits[:, 1])
        return qpos if success and bool(inside[:7].all()) else None


def camera_pose(mount: Any, camera: HandCameraConfig) -> Any:
    """Return the pose of the hand camera on its link, from ManiSkill2's mount; SAPIEN's axes (forward, left, up)."""
    pitch, yaw, roll = np.deg2rad([camera.pitch, camera.yaw, camera.roll])
    turn = euler2quat(roll, -pitch, -yaw, "sxyz")
    return mount * sapien_names().Pose([camera.z, -camera.x, -camera.y], turn)


def set_lights(scene: Any, appearance: AppearanceConfig) -> None:
    """Set strength, tint and main direction of the lights of ManiSkill2's scenes."""
    ambient, color, direction = lights_of(appearance)
    scene.set_ambient_light(ambient)
    main, *others = scene.get_all_lights()
    for light in (main, *others):
        light.set_color(color)
    main.set_direction(direction)


def lights_of(appearance: AppearanceConfig) -> tuple[list[float], list[float], list[float]]:
    """Return ambient light [3], color of both lights [3], and direction of the main one [3]; the other shines down."""
    warmth = 0.3 * appearance.light_warmth
    tint = appearance.light_strength * np.array([1 + warmth, 1.0, 1 - warmth])
    wanted = appearance.light_azimuth, appearance.light_elevation
    angles = [usual if value is None else value for value, usual in zip(wanted, _MAIN_LIGHT, strict=True)]
    azimuth, elevation = np.deg2rad(angles)
    level = np.cos(elevation)
    direction = [-np.cos(azimuth) * level, -np.sin(azimuth) * level, -np.sin(elevation)]
    return (AMBIENT * tint).tolist(), tint.tolist(), direction


class Table:
    """The visible surface of a table, without collisions: its `actor`, and files until this object ends.

    SAPIEN reads them when it first renders the actor. Its image goes by way of a file, as those of objects do, since
    SAPIEN never frees a texture that is made of an array.
    """

    def __init__(self, builder: Any, table: str) -> None:
        """Add the surface to the scene of a builder of actors.

        :param table: as a drawn `AppearanceConfig` has it
        :raises InvalidArgumentError: for a file that is no image
        """
        image = table_image(table)
        image = np.concatenate([image, image[:, ::-1]], axis=1)  # tiles that mirror each other have no seams
        image = np.concatenate([image, image[::-1]], axis=0)
        folder = Path(tempfile.mkdtemp(prefix="pickclutter_table_"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        Image.fromarray(image).save(folder / "table.png", compress_level=1)
        (folder / "table.mtl").write_text("newmtl table\nKd 1 1 1\nmap_Kd table.png\n")
        (folder / "table.obj").write_text(_TABLE_OBJ)
        count_meshes(1)
        builder.add_visual_from_file(str(folder / "table.obj"))
        self.actor = builder.build_static("table")
