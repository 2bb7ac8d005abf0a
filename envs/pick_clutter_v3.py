"""PickClutter with language on ManiSkill 3, by its conventions: sub-scenes, and tensors with one row for each.

Piles, instructions, goals and arms of a seed are those of `PickClutterLangEnv` on ManiSkill2.
"""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import sapien
import torch
from mani_skill.envs.sapien_env import BaseEnv
from mani_skill.sensors.camera import CameraConfig
from mani_skill.utils.building import actors
from mani_skill.utils.geometry.rotation_conversions import quaternion_apply
from mani_skill.utils.registration import register
from mani_skill.utils.sapien_utils import look_at
from mani_skill.utils.structs import Actor, Pose
from mani_skill.utils.structs.types import DefaultMaterialsConfig, GPUMemoryConfig, SceneConfig, SimConfig

from pickclutter_lang.envs.episodes import (
    GOAL_M,
    NOWHERE,
    EpisodeTask,
    TaskEnv,
    draw_task,
    is_picked,
    parse_options,
    pile_of,
)
from pickclutter_lang.envs.generation.pile_sampling import Pile
from pickclutter_lang.envs.generation.simulation import (
    BASE_CAMERA,
    REST_QPOS,
    ROBOT_BASE,
    PandaKinematics,
    Table,
    lights_of,
)
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.panda_v3 import HAND_CAMERA, PandaHandCamera, camera_config
from pickclutter_lang.envs.randomization import (
    AppearanceConfig,
    color_of,
    episode_view_rng,
    noisy_images,
)
from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS, OBJECTS
from pickclutter_lang.envs.renderer import (
    count_meshes,
    drop_unused_meshes,
    prepare_renderer,
    shared_engine,
)
from pickclutter_lang.envs.sapien3 import Robot, set_articulation_render_material, use_float_pictures
from pickclutter_lang.errors import InvalidArgumentError

_GOAL_LOW = (-0.15, -0.25, 0.35)
_GOAL_HIGH = (0.15, 0.25, 0.45)
_COLLECT_EVERY = 8
"""Resets between two collections of garbage, to which their scenes belong."""
_OF_MANISKILL = ("reconfigure", "env_idx")  # its `reset_to_env_states` lacks the task


class PickClutterLangEnvV3(TaskEnv, BaseEnv):  # type: ignore[misc]
    """A pile, an arm and an instruction in each sub-scene, as `PickClutterLangEnv` has them on ManiSkill2.

    **Task Description:** pick the object that the instruction names out of a pile, and bring it to the goal.

    **Randomizations:** the objects of the pile and their poses, which one is named and in which words, whether it is
    there, the goal, and the arm's joints; on request camera, lights, table and distractors.

    **Success Conditions:** the object's center is within 25 mm of the goal, and the arm rests. An absent object cannot
    be picked: with `DeclareAbsence` it is a success to declare that it is not there.

    Rewards are those of ManiSkill2's PickClutter. `info` has its keys for each sub-scene: tensors, and lists of texts.
    `CPUGymWrapper` makes one sub-scene an environment of Gymnasium, which `DeclareAbsence` and `FlatObservation` wrap.

    :param base_camera: whether there is a camera besides the hand's
    :param num_envs: sub-scenes; more than one needs a GPU
    :param reconfiguration_freq: resets after which piles change; by default each with one sub-scene, never with more
    :param kwargs: those of `TaskConfig`, and further ones of ManiSkill 3's `BaseEnv`. Its `sensor_configs` win over the
        camera; of ranges, all sub-scenes have the draws of the first one
    :raises InvalidArgumentError: for a value outside its range
    :raises MissingAssetsError: where objects are not there
    :raises DatasetError: for an episode file that is not there or holds no episodes
    """

    SUPPORTED_ROBOTS: ClassVar = [PandaHandCamera.uid]
    SUPPORTED_REWARD_MODES: ClassVar = ["normalized_dense", "dense", "sparse", "none"]

    def __init__(
        self,
        *args: Any,
        base_camera: bool = True,
        num_envs: int = 1,
        robot_uids: str = PandaHandCamera.uid,
        robot_init_qpos_noise: float = 0.02,
        reconfiguration_freq: int | None = None,
        **kwargs: Any,
    ) -> None:
        if num_envs > 1 and not torch.cuda.is_available():
            raise InvalidArgumentError(
                f"expected num_envs=1 without a GPU, but got {num_envs}; gymnasium.make_vec makes several processes"
            )
        if not base_camera and "base_camera" in (kwargs.get("sensor_configs") or {}):
            raise InvalidArgumentError("expected no sensor_configs of the base camera with base_camera=False")
        self._noise, self._has_base_camera = robot_init_qpos_noise, base_camera
        kwargs = self._take(kwargs)
        shared_engine()  # so that meshes can be dropped
        self._cleared = 0
        self.tasks: list[EpisodeTask] = []
        """The task of each sub-scene."""
        if reconfiguration_freq is None:
            reconfiguration_freq = int(num_envs == 1)
        given: dict[str, Any] = {
            "num_envs": num_envs,
            "robot_uids": robot_uids,
            "reconfiguration_freq": reconfiguration_freq,
        }
        given["render_backend"] = "cpu" if prepare_renderer().startswith("software") else "gpu"
        # Episodes without a seed shall differ in their instructions too, which have the episode's seed.
        super().__init__(*args, **{**given, "enhanced_determinism": True, **kwargs})

    @property
    def _task(self) -> EpisodeTask:  # type: ignore[override]
        return self.tasks[0]

    @property
    def instructions(self) -> list[str]:
        """The instruction of each sub-scene."""
        return [task.instruction for task in self.tasks]

    @property
    def episode(self) -> Mapping[str, Any]:
        """The episode of the first sub-scene, in ManiSkill2's form."""
        return self._chosen[0]

    @property
    def objs(self) -> list[Actor]:
        """The objects of the first sub-scene."""
        return self._objs[0]

    @property
    def actor_ids(self) -> list[int]:
        """The number of each object of the first sub-scene in segmentations, in the order of the pile."""
        return [int(actor.per_scene_id[0]) for actor in self.objs]

    def pile(self, scene: int = 0) -> Pile:
        """Return the pile of a sub-scene as it lies now."""
        actors = self._chosen[scene]["actors"]
        poses = [actor.pose.raw_pose[0].cpu().numpy() for actor in self._objs[scene]]
        scales = [actor["scale"] for actor in actors]
        return pile_of([actor["model_id"] for actor in actors], np.array(poses, float), self.object_set, scales)

    def picked_objects(self, scene: int = 0) -> list[str]:
        """Return the names of the objects of a sub-scene that are at the goal, or held 5 cm above their start."""
        goal = self.goal_pos[scene].cpu().numpy()
        chosen = self._chosen[scene]["actors"]

        def held(actor: Actor) -> bool:
            return bool(self.agent.is_grasping(actor, max_angle=60)[0])

        return [
            self.object_set.model(item["model_id"]).name
            for item, actor, start in zip(chosen, self._objs[scene], self._rests[scene][:, 2], strict=True)
            if is_picked(_centers(actor)[0].cpu().numpy(), start, goal, partial(held, actor))
        ]

    # The scene --------------------------------------------------------------------------------------------------

    @property
    def _default_sim_config(self) -> SimConfig:
        return SimConfig(
            gpu_memory_config=GPUMemoryConfig(max_rigid_contact_count=2**21, max_rigid_patch_count=2**19),
            scene_config=SceneConfig(solver_position_iterations=25),
            default_materials_config=DefaultMaterialsConfig(1.0, 1.0, 0.0),
        )

    @property
    def _default_sensor_configs(self) -> list[CameraConfig]:
        usual = camera_config("base_camera", look_at(*BASE_CAMERA), np.pi / 2)
        return [usual] if self._has_base_camera else []

    @property
    def _default_human_render_camera_configs(self) -> CameraConfig:
        return camera_config("render_camera", look_at([0.3, 0, 1.0], [0.0, 0.0, 0.5]), 1, 512)

    def _load_agent(self, options: dict[str, Any]) -> None:
        super()._load_agent(options, sapien.Pose(ROBOT_BASE))
        self.agent.camera = self.camera
        for robot in self.agent.robot._objs:
            set_articulation_render_material(Robot(robot), specular=0.9, roughness=0.3)

    def _reconfigure(self, options: dict[str, Any] = {}) -> None:  # noqa: B006 - as ManiSkill 3 has it
        """Choose the episodes first: piles that are dropped have physics of their own, which SAPIEN 3 keeps global."""
        wanted = self._request.episode
        draws = [int(rng.randint(len(self.episodes))) for rng in self._batched_episode_rng.rngs]
        chosen = [draw if wanted is None else wanted for draw in draws]
        self._chosen = [self.episodes[one] if isinstance(one, int) else one for one in chosen]
        self._draw_view(int(self._episode_seed[0]), chosen[0] if isinstance(chosen[0], int) else None)
        super()._reconfigure(options)

    def _clear(self) -> None:
        """Let go of the scene, and of meshes that no scene has."""
        for name in ("_objs", "_all_objects", "_sites", "_table", "obj"):
            self.__dict__.pop(name, None)
        # ManiSkill 3 collects garbage in each reset. That goes through all modules, and takes most of a reset's time.
        self._cleared += 1
        kept = self._cleared % _COLLECT_EVERY != 0 and gc.get_freeze_count() == 0
        if kept:
            gc.freeze()
        try:
            super()._clear()
        finally:
            if kept:
                gc.unfreeze()
        drop_unused_meshes()

    def close(self) -> None:
        """Let go of the scene, and collect the garbage."""
        self._cleared = -1
        super().close()

    def _setup_sensors(self, options: dict[str, Any]) -> None:
        use_float_pictures()
        super()._setup_sensors(options)

    def _load_lighting(self, options: dict[str, Any]) -> None:
        if self.appearance == AppearanceConfig():
            super()._load_lighting(options)
            return
        ambient, color, direction = lights_of(self.appearance)
        self.scene.set_ambient_light(ambient)
        shadow = {"shadow": self.enable_shadow or self.appearance.shadows, "shadow_scale": 5, "shadow_map_size": 2048}
        self.scene.add_directional_light(direction, color, **shadow)
        self.scene.add_directional_light([0, 0, -1], color)

    def _load_scene(self, options: dict[str, Any]) -> None:
        self._add_ground()
        if self.object_set.instances:
            count_meshes(sum(len(episode["actors"]) for episode in self._chosen))
        self._objs = [
            [self._add_object(f"{scene}_{n}", scene, actor) for n, actor in enumerate(episode["actors"])]
            for scene, episode in enumerate(self._chosen)
        ]
        self._all_objects = Actor.merge([actor for objects in self._objs for actor in objects], name="objects")
        self._sites = []
        for name, color in (("target_site", [1, 1, 0, 1]), ("goal_site", [0, 1, 0, 1])):
            look = {"radius": 0.01, "color": color, "body_type": "kinematic", "add_collision": False}
            self._sites.append(actors.build_sphere(self.scene, name=name, initial_pose=sapien.Pose(NOWHERE), **look))
        self._hidden_objects.extend(self._sites)
        self.goal_pos = torch.zeros((self.num_envs, 3), device=self.device)
        self.obj_start_pos = torch.zeros((self.num_envs, 3), device=self.device)
        self.tasks = []

    def _add_ground(self) -> None:
        material = sapien.render.RenderMaterial()
        material.base_color = [0.06, 0.08, 0.12, 1]
        material.metallic, material.roughness, material.specular = 0.0, 0.9, 0.8
        builder = self.scene.create_actor_builder()
        pose = sapien.Pose([0, 0, 0], [0.7071068, 0, -0.7071068, 0])
        builder.add_plane_collision(pose)
        builder.initial_pose = sapien.Pose()
        if self.appearance.table is None:
            builder.add_plane_visual(pose, [10, 10, 10], material)
        builder.build_static("ground")
        if self.appearance.table is not None:
            table = self.scene.create_actor_builder()
            table.initial_pose = sapien.Pose()
            self._table = Table(table, self.appearance.table)

    def _add_object(self, name: str, scene: int, actor: Mapping[str, Any]) -> Actor:
        model = self.object_set.model(actor["model_id"])
        scale = [actor["scale"]] * 3
        folder = self.object_set.model_dir(model.model_id)
        pose = np.asarray(actor["pose"], np.float32)
        builder = self.scene.create_actor_builder()
        builder.add_multiple_convex_collisions_from_file(
            str(folder / "collision.obj"), scale=scale, density=model.density
        )
        builder.add_visual_from_file(str(folder / "textured.obj"), scale=scale)
        builder.initial_pose = sapien.Pose(pose[:3], pose[3:])
        builder.set_scene_idxs([scene])
        built = builder.build(name=f"{name}_{model.model_id}")
        for body in built._bodies:
            body.linear_damping = body.angular_damping = 0.1
        return built

    # Episodes ---------------------------------------------------------------------------------------------------

    def reset(
        self, seed: int | list[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start episodes; the options are ManiSkill 3's and those of `PickClutterLangEnv.reset`, for all sub-scenes.

        :raises InvalidArgumentError: for an unknown option or a value outside its range
        :raises UnknownObjectError: for a target that the catalog does not have, with near names
        """
        options = options or {}
        own = {key: value for key, value in options.items() if key not in _OF_MANISKILL}
        self._request = parse_options(own, self.catalog, len(self.episodes))
        options = {key: value for key, value in options.items() if key in _OF_MANISKILL}
        if self._request.episode is not None:
            options["reconfigure"] = True
        return super().reset(seed=seed, options=options)  # type: ignore[no-any-return]

    def _initialize_episode(self, env_idx: torch.Tensor, options: dict[str, Any]) -> None:
        moved = torch.isin(self._all_objects._scene_idxs, env_idx.to(self._all_objects._scene_idxs))
        self._all_objects.pose = self._all_objects.initial_pose[moved]
        centers = _centers(self._all_objects).cpu().numpy()
        counts = [len(objects) for objects in self._objs]
        self._rests = np.split(centers, np.cumsum(counts)[:-1])
        scenes = env_idx.tolist()
        drawn = []
        goals = []
        qpos = []
        for scene in scenes:
            rng = np.random.RandomState(self._episode_seed[scene])
            qpos.append(REST_QPOS + np.append(rng.normal(0, self._noise, 7), [0.0, 0.0]))
            drawn.append(self._draw(scene, rng))
            goals.append(rng.uniform(_GOAL_LOW, _GOAL_HIGH))
        starts = [task.start for task in drawn]
        self.tasks = self.tasks or drawn
        for scene, task in zip(scenes, drawn, strict=True):
            self.tasks[scene] = task
        self.agent.reset(self._tensor(qpos))
        self.agent.robot.set_pose(sapien.Pose(ROBOT_BASE))
        self.goal_pos[env_idx], self.obj_start_pos[env_idx] = self._tensor(goals), self._tensor(starts)
        self._show_tasks(env_idx)

    def _draw(self, scene: int, rng: np.random.RandomState) -> EpisodeTask:
        task = draw_task(
            self.object_set,
            self.config,
            self._chosen[scene]["actors"],
            lambda instance_id: self._rests[scene][instance_id],
            self._request,
            int(self._episode_seed[scene]),
            rng,
        )
        if not task.visible:
            return task
        checker = GraspChecker(self.object_set, PandaKinematics(self.agent.robot._objs[0]))
        return dataclasses.replace(task, graspable=checker.find(self.pile(scene), task.shown) is not None)

    def _show_tasks(self, env_idx: torch.Tensor) -> None:
        """Take what rewards and observations need of the tasks."""
        shown = [self._objs[scene][task.shown] for scene, task in enumerate(self.tasks)]
        self.obj = Actor.merge(shown, name="target")
        self.present = torch.tensor([task.instance_id is not None for task in self.tasks], device=self.device)
        sizes = []
        for episode, task in zip(self._chosen, self.tasks, strict=True):
            actor = episode["actors"][task.shown]
            sizes.append(actor["scale"] * np.linalg.norm(self.object_set.model(actor["model_id"]).size))
        self._sizes = self._tensor(sizes)
        targets = torch.where(self.present[:, None], self.obj_start_pos, self._tensor(NOWHERE))
        for site, positions in zip(self._sites, (targets, self.goal_pos), strict=True):
            site.set_pose(Pose.create_from_pq(positions[env_idx]))

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.tensor(np.array(values), dtype=torch.float32, device=self.device)

    # What a step returns ------------------------------------------------------------------------------------------

    def evaluate(self) -> dict[str, torch.Tensor]:
        """Evaluate the state; without a target nothing is placed, and picking is no success."""
        offset = self.goal_pos - _centers(self.obj)
        placed = (torch.linalg.norm(offset, dim=1) <= GOAL_M) & self.present
        static = self.agent.is_static(0.2)
        found = {"obj_to_goal_pos": offset, "is_obj_placed": placed, "is_robot_static": static}
        return {**found, "success": placed & static, "is_success": placed & static}

    def get_info(self) -> dict[str, Any]:
        """Return ManiSkill 3's info with `instruction` and `target_{name,present,visible,graspable}`."""
        info: dict[str, Any] = super().get_info()
        rows = [task.info() for task in self.tasks]
        for key in rows[0]:
            values = [row[key] for row in rows]
            texts = isinstance(values[0], str)
            info[key] = np.array(values) if texts else torch.tensor(values, device=self.device)
        return info

    def compute_dense_reward(self, obs: Any, action: torch.Tensor, info: dict[str, Any]) -> torch.Tensor:
        """Return ManiSkill2's rewards in [0, 10], 0 for an absent target."""
        distance = torch.linalg.norm(self.agent.tcp_pos - _centers(self.obj), dim=1)
        reaching = 1 - torch.tanh(3 * torch.clamp(distance - self._sizes, min=0))
        grasped = self.agent.is_grasping(self.obj, max_angle=60)
        bringing = 3 * (1 - torch.tanh(3 * torch.linalg.norm(info["obj_to_goal_pos"], dim=1)))
        reward = reaching + grasped * (3 + bringing)
        return torch.where(info["success"], torch.full_like(reward, 10.0), reward) * self.present

    def compute_normalized_dense_reward(self, obs: Any, action: torch.Tensor, info: dict[str, Any]) -> torch.Tensor:
        """Return rewards in [0, 1]."""
        return self.compute_dense_reward(obs=obs, action=action, info=info) / 10

    def _get_obs_sensor_data(self, apply_texture_transforms: bool = True) -> dict[str, Any]:
        found: dict[str, Any] = super()._get_obs_sensor_data(apply_texture_transforms)
        for name, images in found.items():
            noisy = self.camera.noisy and name == HAND_CAMERA
            if not apply_texture_transforms or not (noisy or self.appearance.background is not None):
                continue
            only_depth = {"rgb": False, "position": False, "segmentation": False}
            depth = images["depth"] if "depth" in images else self._sensors[name].get_obs(**only_depth)["depth"]
            if "rgb" in images:
                back = torch.tensor(color_of(self.appearance.background), device=self.device)
                images["rgb"] = torch.where(depth == 0, back, images["rgb"])
            if noisy:
                self._add_noise(images, depth)
        return found

    def _add_noise(self, images: dict[str, torch.Tensor], depth: torch.Tensor) -> None:
        """Add noise that depends on episode and step only to what there is of the hand camera's images."""
        rgb = images.get("rgb", torch.zeros((*depth.shape[:3], 3), dtype=torch.uint8)).cpu().numpy()
        true = depth[..., 0].cpu().numpy()
        focal = self._sensors[HAND_CAMERA].get_params()["intrinsic_cv"][:, 1, 1]
        pairs = []
        for scene, seed in enumerate(self._episode_seed):
            rng = episode_view_rng(int(seed), int(self._elapsed_steps[scene]))
            pairs.append(noisy_images(rgb[scene], true[scene], float(focal[scene]), self.camera, rng))
        noisy, measured = (self._tensor(one) for one in zip(*pairs, strict=True))
        share = (measured / depth[..., 0].clamp(min=1))[..., None]
        given = {"rgb": noisy, "depth": measured[..., None], "position": images.get("position", depth) * share}
        images.update({key: given[key].to(value.dtype) for key, value in images.items() if key in given})

    def _get_obs_agent(self) -> dict[str, Any]:
        return {**super()._get_obs_agent(), "base_pose": self.agent.robot.pose.raw_pose}

    def _get_obs_extra(self, info: dict[str, Any]) -> dict[str, torch.Tensor]:
        tcp = self.agent.tcp_pose
        found = {"tcp_pose": tcp.raw_pose, "goal_pos": self.goal_pos, "obj_start_pos": self.obj_start_pos}
        if self.obs_mode_struct.use_state:
            center = _centers(self.obj)
            found |= {
                "tcp_to_goal_pos": self.goal_pos - tcp.p,
                "obj_pose": torch.cat([center, self.obj.pose.q], dim=1),
                "tcp_to_obj_pos": center - tcp.p,
                "obj_to_goal_pos": self.goal_pos - center,
            }
        return found


def _centers(actor: Actor) -> torch.Tensor:
    """Return the centers of mass [N, 3] of an actor of ManiSkill 3."""
    local = np.array([body.cmass_local_pose.p for body in actor._bodies])
    pose = actor.pose
    center: torch.Tensor = pose.p + quaternion_apply(pose.q, torch.tensor(local, device=pose.p.device))
    return center


for _name, _of in OBJECTS.items():  # in ManiSkill 3's own list too; Gymnasium has them, see `registration`
    register(f"PickClutterLang/{_name}-v3", PickClutterLangEnvV3, MAX_EPISODE_STEPS, default_kwargs={"objects": _of})
