"""PickClutter with language on ManiSkill 3, by its conventions: sub-scenes, and tensors with one row for each.

Piles, instructions, goals and arms of a seed are those of `PickClutterLangEnv` on ManiSkill2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import sapien
import torch
from mani_skill.agents.controllers import PDEEPoseController, PDEEPoseControllerConfig
from mani_skill.agents.registration import register_agent
from mani_skill.agents.robots import Panda
from mani_skill.envs.sapien_env import BaseEnv
from mani_skill.render import PREBUILT_SHADER_CONFIGS
from mani_skill.sensors.camera import CameraConfig
from mani_skill.utils.building import actors
from mani_skill.utils.geometry.rotation_conversions import axis_angle_to_quaternion, quaternion_apply
from mani_skill.utils.registration import register
from mani_skill.utils.sapien_utils import look_at
from mani_skill.utils.structs import Actor, Pose
from mani_skill.utils.structs.types import DefaultMaterialsConfig, GPUMemoryConfig, SceneConfig, SimConfig

from pickclutter_lang.envs.episodes import (
    EpisodeTask,
    ResetOptions,
    TaskProperties,
    draw_task,
    open_episodes,
    parse_options,
    pile_of,
)
from pickclutter_lang.envs.generation.pile_sampling import SPLIT_OBJECTS, Pile, PileConfig
from pickclutter_lang.envs.generation.simulation import (
    CAMERA_RANGE,
    HAND_FOV,
    HAND_LINK,
    REST_QPOS,
    ROBOT_BASE,
    PandaKinematics,
    hand_camera_mount,
)
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS, OBJECTS
from pickclutter_lang.envs.renderer import prepare_renderer, shader_folder
from pickclutter_lang.envs.sapien3 import Robot, set_articulation_render_material, use_float_pictures
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.object_sets import ObjectsConfig, ObjectSource, sources_of
from pickclutter_lang.utils.validation import one_of, within

LIFTED_M = 0.05
_GOAL_LOW, _GOAL_HIGH, _GOAL_M = (-0.15, -0.25, 0.35), (0.15, 0.25, 0.45), 0.025
_NOWHERE = (0.0, 0.0, -10.0)
_NEAR, _FAR = CAMERA_RANGE
_OF_MANISKILL = ("reconfigure", "env_idx", "reset_to_env_states")


def _camera(uid: str, pose: Any, fov: float, side: int = 128, **mount: Any) -> CameraConfig:
    """Return a camera with the shaders that come nearest to those of ManiSkill2."""
    shaders = dataclasses.replace(PREBUILT_SHADER_CONFIGS["default"], shader_pack=str(shader_folder()))
    return CameraConfig(uid, pose, side, side, fov, _NEAR, _FAR, shader_config=shaders, **mount)


class _DeltaPoseController(PDEEPoseController):  # type: ignore[misc]
    """ManiSkill2's: the action turns the TCP by a rotation vector in its own axes."""

    def compute_target_pose(self, prev_ee_pose_at_base: Pose, action: torch.Tensor) -> Pose:
        """Return the poses of the TCP after an action [B, 6], meters and radians."""
        return prev_ee_pose_at_base * Pose.create_from_pq(action[:, :3], axis_angle_to_quaternion(action[:, 3:]))


@register_agent()
class PandaHandCamera(Panda):  # type: ignore[misc]
    """ManiSkill 3's Panda with hand camera and `pd_ee_delta_pose` as in ManiSkill2."""

    uid = "panda_hand_camera"

    @property
    def _sensor_configs(self) -> list[CameraConfig]:
        return [_camera("hand_camera", hand_camera_mount(), HAND_FOV, mount=self.robot.links_map[HAND_LINK])]

    @property
    def _controller_configs(self) -> dict[str, Any]:
        configs: dict[str, Any] = super()._controller_configs
        usual = configs["pd_ee_delta_pose"]["arm"]
        turned = PDEEPoseControllerConfig(
            **{name: getattr(usual, name) for name in vars(usual)}
            # ManiSkill 3 multiplies by the lower bound, which turns the other way.
            | {"rot_lower": usual.rot_upper, "frame": "body_translation:body_aligned_body_rotation"}
        )
        turned.controller_cls = _DeltaPoseController
        configs["pd_ee_delta_pose"]["arm"] = turned
        return configs


class PickClutterLangEnvV3(TaskProperties, BaseEnv):  # type: ignore[misc]
    """A pile, an arm and an instruction in each sub-scene, as `PickClutterLangEnv` has them on ManiSkill2.

    Rewards are those of ManiSkill2's PickClutter. `info` has its keys for each sub-scene: tensors, and lists of texts.
    `CPUGymWrapper` makes one sub-scene an environment of Gymnasium, which `DeclareAbsence` and `FlatObservation` wrap.

    :param objects: as of `PickClutterLangEnv`, and so are all arguments down to `max_objects`
    :param episode_json: piles of a file, such as `episodes.json.gz` of a scene store of either simulator
    :param base_camera: whether there is a camera besides the hand's
    :param num_envs: sub-scenes; more than one needs a GPU
    :param reconfiguration_freq: resets after which piles change; by default each with one sub-scene, never with more
    :param kwargs: further arguments of ManiSkill 3's `BaseEnv`
    :raises InvalidArgumentError: for a value outside its range
    :raises MissingAssetsError: where objects are not there
    :raises DatasetError: for an episode file that is not there or holds no episodes
    """

    SUPPORTED_ROBOTS: ClassVar = [PandaHandCamera.uid]
    SUPPORTED_REWARD_MODES: ClassVar = ["normalized_dense", "dense", "sparse", "none"]

    def __init__(
        self,
        *args: Any,
        objects: ObjectSource = "proxy",
        objects_root: str | Path | None = None,
        kinds: Sequence[str] = (),
        instances: int = 50,
        distractors: float = 0.0,
        episode_json: str | Path | None = None,
        split: str = "ood",
        object_split: int = 0,
        pile_seed: int = 0,
        absent_probability: float = 0.25,
        min_objects: int = 4,
        max_objects: int = 10,
        base_camera: bool = True,
        num_envs: int = 1,
        robot_uids: str = PandaHandCamera.uid,
        robot_init_qpos_noise: float = 0.02,
        reconfiguration_freq: int | None = None,
        **kwargs: Any,
    ) -> None:
        within("absent_probability", absent_probability, 0.0, 1.0)
        if num_envs > 1 and not torch.cuda.is_available():
            raise InvalidArgumentError(
                f"expected num_envs=1 without a GPU, but got {num_envs}; gymnasium.make_vec makes several processes"
            )
        one_of("split", split, tuple(SPLIT_OBJECTS))
        self.split, self.absent_probability = split, float(absent_probability)
        self._noise, self._has_base_camera = robot_init_qpos_noise, base_camera
        root = None if objects_root is None else str(objects_root)
        source = ObjectsConfig(sources_of(objects), root, tuple(kinds), instances, distractors)
        piles = PileConfig(min_objects, max_objects, graspable=False, distractors=distractors)
        self.object_set, self.episodes = open_episodes(episode_json, pile_seed, split, piles, source, object_split)
        self._request = ResetOptions()
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
    def target_id(self) -> int:
        """Number of the object of object-specific observations in segmentations, of the first sub-scene."""
        return int(self.obj.per_scene_id[0])

    def pile(self, scene: int = 0) -> Pile:
        """Return the pile of a sub-scene as it lies now."""
        actors = self._chosen[scene]["actors"]
        poses = [actor.pose.raw_pose[0].cpu().numpy() for actor in self._objs[scene]]
        scales = [actor["scale"] for actor in actors]
        return pile_of([actor["model_id"] for actor in actors], np.array(poses, float), self.object_set, scales)

    def picked_objects(self, scene: int = 0) -> list[str]:
        """Return the names of the objects of a sub-scene that are at the goal, or held 5 cm above their start."""
        picked, goal = [], self.goal_pos[scene].cpu().numpy()
        named = (self.object_set.model(actor["model_id"]).name for actor in self._chosen[scene]["actors"])
        for name, actor, start in zip(named, self._objs[scene], self._rests[scene][:, 2], strict=True):
            center = _centers(actor)[0].cpu().numpy()
            at_goal, lifted = np.linalg.norm(goal - center) <= _GOAL_M, center[2] - start > LIFTED_M
            if at_goal or (lifted and bool(self.agent.is_grasping(actor, max_angle=60)[0])):
                picked.append(name)
        return picked

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
        usual = _camera("base_camera", look_at([0.3, 0, 0.6], [-0.1, 0, 0.1]), np.pi / 2)
        return [usual] if self._has_base_camera else []

    @property
    def _default_human_render_camera_configs(self) -> CameraConfig:
        return _camera("render_camera", look_at([0.3, 0, 1.0], [0.0, 0.0, 0.5]), 1, 512)

    def _load_agent(self, options: dict[str, Any]) -> None:
        super()._load_agent(options, sapien.Pose(ROBOT_BASE))
        for robot in self.agent.robot._objs:
            set_articulation_render_material(Robot(robot), specular=0.9, roughness=0.3)

    def _reconfigure(self, options: dict[str, Any] = {}) -> None:  # noqa: B006 - as ManiSkill 3 has it
        """Choose the episodes first: piles that are dropped have physics of their own, which SAPIEN 3 keeps global."""
        wanted = self._request.episode
        draws = [int(rng.randint(len(self.episodes))) for rng in self._batched_episode_rng.rngs]
        chosen = [draw if wanted is None else wanted for draw in draws]
        self._chosen = [self.episodes[one] if isinstance(one, int) else one for one in chosen]
        super()._reconfigure(options)

    def _setup_sensors(self, options: dict[str, Any]) -> None:
        use_float_pictures()
        super()._setup_sensors(options)

    def _load_scene(self, options: dict[str, Any]) -> None:
        self._add_ground()
        self._objs = [
            [self._add_object(f"{scene}_{n}", scene, actor) for n, actor in enumerate(episode["actors"])]
            for scene, episode in enumerate(self._chosen)
        ]
        self._all_objects = Actor.merge([actor for objects in self._objs for actor in objects], name="objects")
        self._sites = []
        for name, color in (("target_site", [1, 1, 0, 1]), ("goal_site", [0, 1, 0, 1])):
            look = {"radius": 0.01, "color": color, "body_type": "kinematic", "add_collision": False}
            self._sites.append(actors.build_sphere(self.scene, name=name, initial_pose=sapien.Pose(_NOWHERE), **look))
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
        builder.add_plane_visual(pose, [10, 10, 10], material)
        builder.initial_pose = sapien.Pose()
        builder.build_static("ground")

    def _add_object(self, name: str, scene: int, actor: Mapping[str, Any]) -> Actor:
        model, scale = self.object_set.model(actor["model_id"]), [actor["scale"]] * 3
        folder, pose = self.object_set.model_dir(model.model_id), np.asarray(actor["pose"], np.float32)
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
        centers, counts = _centers(self._all_objects).cpu().numpy(), [len(objects) for objects in self._objs]
        self._rests = np.split(centers, np.cumsum(counts)[:-1])
        scenes, drawn, goals, qpos = env_idx.tolist(), [], [], []
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
            self.split,
            self._chosen[scene]["actors"],
            lambda instance_id: self._rests[scene][instance_id],
            self.absent_probability,
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
        targets = torch.where(self.present[:, None], self.obj_start_pos, self._tensor(_NOWHERE))
        for site, positions in zip(self._sites, (targets, self.goal_pos), strict=True):
            site.set_pose(Pose.create_from_pq(positions[env_idx]))

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.tensor(np.array(values), dtype=torch.float32, device=self.device)

    # What a step returns ------------------------------------------------------------------------------------------

    def evaluate(self) -> dict[str, torch.Tensor]:
        """Evaluate the state; without a target nothing is placed, and picking is no success."""
        offset = self.goal_pos - _centers(self.obj)
        placed = (torch.linalg.norm(offset, dim=1) <= _GOAL_M) & self.present
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
