"""PickClutter with language: mani_skill2's `PickClutterEnv` whose episodes carry an instruction.

Objects come from object sets, hand camera, lights and table are settings, and all observation modes are in one
environment.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from mani_skill2.envs.pick_and_place.pick_clutter import PickClutterEnv, PickClutterYCBEnv
from mani_skill2.utils.wrappers.observation import (
    PointCloudObservationWrapper,
    RGBDObservationWrapper,
    RobotSegmentationObservationWrapper,
)
from sapien.core import Pose

from pickclutter_lang.envs.episodes import GOAL_M, NOWHERE, TaskEnv, draw_task, is_picked, parse_options, pile_of
from pickclutter_lang.envs.generation.pile_sampling import Pile
from pickclutter_lang.envs.generation.simulation import (
    PandaKinematics,
    Table,
    camera_pose,
    set_lights,
)
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.randomization import (
    AppearanceConfig,
    color_of,
    episode_view_rng,
    image_noise,
    noisy_depth,
)
from pickclutter_lang.envs.renderer import (
    count_meshes,
    drop_unused_meshes,
    prepare_renderer,
    shader_folder,
    shared_engine,
)
from pickclutter_lang.errors import InvalidArgumentError, RendererError
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.validation import one_of

_HAND_CAMERA = "hand_camera"
_PLAIN_MODES = ("state", "state_dict", "none", "image")
OBS_MODES = (*_PLAIN_MODES, "rgbd", "pointcloud", "image_robot_seg", "rgbd_robot_seg", "pointcloud_robot_seg")
_LARGEST = float(np.finfo(np.float32).max)


def renderer_options() -> dict[str, Any]:
    """Return the arguments with which mani_skill2's environments render off screen and start fast."""
    prepare_renderer()
    return {"renderer_kwargs": {"offscreen_only": True}, "shader_dir": str(shader_folder())}


class ObjectSetEnv(PickClutterYCBEnv):  # type: ignore[misc]
    """`PickClutterYCBEnv` of given episodes, not of files; each model comes from its folder in an object set."""

    def __init__(self, object_set: ObjectSet, episodes: Sequence[Mapping[str, Any]], **kwargs: Any) -> None:
        """Make the environment; further arguments are those of mani_skill2's `BaseEnv`."""
        self.object_set = object_set
        self.episodes = episodes
        # as `PickClutterEnv.__init__`, which reads files, sets them
        self.episode_idx = -1
        self.goal_thresh = GOAL_M
        super(PickClutterEnv, self).__init__(**{**renderer_options(), **kwargs})

    def _load_actors(self) -> None:
        self.model_db = self.object_set.model_db([actor["model_id"] for actor in self.episode["actors"]])
        super()._load_actors()
        if self.object_set.instances:
            count_meshes(len(self.objs))
        drop_unused_meshes(self)

    def _load_model(self, model_id: str, model_scale: float = 1.0) -> Any:
        self.asset_root = self.object_set.model_dir(model_id).parent.parent
        return super()._load_model(model_id, model_scale)


class PickClutterLangEnv(TaskEnv, ObjectSetEnv):
    """A pile, an arm, and an instruction whose object is in the pile or, with a set probability, is not.

    Rewards, control modes and render modes are mani_skill2's. For an absent object the reward is 0 throughout and
    `success` never true (see `DeclareAbsence`), and object-specific observations are those of another visible
    object, drawn as the target is: absence must be seen in the pile.

    :param obs_mode: one of `OBS_MODES`, by default `state`
    :param enable_segmentation: add segmentation to the images, as `mani_skill2.make` does
    :param base_camera: whether there is a camera besides the hand's; without it images take less time
    :param renderer_kwargs: arguments of `sapien.SapienRenderer`; a process has one renderer, so they must be given in
        its first environment
    :param kwargs: those of `TaskConfig`, whose camera is moved from the mount of `camera_cfgs`, and further ones of
        mani_skill2's `PickClutterEnv`
    :raises InvalidArgumentError: for a value outside its range
    :raises MissingAssetsError: where objects are not there
    :raises DatasetError: for an episode file that is not there or holds no episodes
    :raises RendererError: for render_mode="human" without a display
    """

    metadata: ClassVar[dict[str, Any]] = {**PickClutterEnv.metadata, "render_fps": 20}
    SUPPORTED_OBS_MODES = OBS_MODES
    observation_space: Any
    lazy_images = False
    """Leave images out of the observations of steps; `render_observation` has them."""
    _renderer: Any
    _pile: list[CatalogObject]

    def __init__(
        self,
        obs_mode: str | None = None,
        enable_segmentation: bool = False,
        base_camera: bool = True,
        camera_cfgs: dict[str, Any] | None = None,
        render_mode: str | None = None,
        renderer_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        one_of("obs_mode", obs_mode or OBS_MODES[0], OBS_MODES)
        if not base_camera and "base_camera" in (camera_cfgs or {}):
            raise InvalidArgumentError("expected no camera_cfgs of the base camera with base_camera=False")
        cameras: dict[str, Any] = OrderedDict(deepcopy(camera_cfgs or {}))  # mani_skill2 removes keys from it
        if enable_segmentation or "robot_seg" in (obs_mode or ""):
            cameras["add_segmentation"] = True
        self._has_base_camera = base_camera
        engine, renderer = _start_renderer(render_mode, renderer_kwargs)  # first: making piles starts one too
        kwargs = self._take(kwargs)
        self._converter: _ObservationConverter | None = None
        self._obs_mode_name = obs_mode or OBS_MODES[0]
        raw_mode = self._obs_mode_name if self._obs_mode_name in _PLAIN_MODES else "image"
        made_of = self.object_set, self.episodes
        try:
            super().__init__(*made_of, obs_mode=raw_mode, render_mode=render_mode, camera_cfgs=cameras, **kwargs)
        finally:
            engine.set_renderer(renderer)  # else it would keep BaseEnv's, which ends with this environment
        # The first scene was created with BaseEnv's, so that one must live on too.
        self._first_renderer = self._renderer
        self._renderer = renderer
        # mani_skill2's viewer needs a display.
        modes = tuple(mode for mode in self.SUPPORTED_RENDER_MODES if mode != "human" or _has_display())
        given = {"render_modes": modes, "render_fps": self.control_freq}
        self.metadata = {**self.metadata, **given}  # type: ignore[misc]
        self._converter = _ObservationConverter(self.observation_space, self._obs_mode_name)
        self.observation_space = self._converter.space
        self._np_random = None  # seeded while the parent made itself; without a seed episodes shall differ

    # Language ---------------------------------------------------------------------------------------------------

    def pile(self) -> Pile:
        """Return the pile as it lies now."""
        poses = np.array([[*actor.pose.p, *actor.pose.q] for actor in self.objs], float)
        scales = [actor["scale"] for actor in self.episode["actors"]]
        return pile_of([item.model_id for item in self._pile], poses, self.object_set, scales)

    @property
    def actor_ids(self) -> list[int]:
        """The number of each object in segmentations, in the order of the pile."""
        return [int(actor.id) for actor in self.objs]

    def picked_objects(self) -> list[str]:
        """Return the names of the objects that are at the goal, or held more than 5 cm above their start."""
        return [
            item.name
            for actor, start, item in zip(self.objs, self._start_heights, self._pile, strict=True)
            if is_picked(_center(actor), start, self.goal_pos, partial(self.agent.check_grasp, actor, max_angle=60))
        ]

    # Gymnasium --------------------------------------------------------------------------------------------------

    @property
    def obs_mode(self) -> str:
        """The observation mode, one of `OBS_MODES`."""
        return self._obs_mode_name

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode, in a rebuilt scene (physics remembers what was in a scene before).

        :param seed: with the same seed everything is the same
        :param options: `episode` (a number, or an episode in ManiSkill2's form), `target` (an object's name or
            id, or a function that returns one, or None, once the pile lies) and `template` (a text with `{name}`, or
            the number of a template) fix what would be drawn
        :raises InvalidArgumentError: for an unknown option or a value outside its range
        :raises UnknownObjectError: for a target that the catalog does not have, with near names
        """
        self._request = parse_options(options, self.catalog, len(self.episodes))
        gym.Env.reset(self, seed=seed)
        episode_seed = int(self.np_random.integers(2**32)) if seed is None else seed % 2**32
        observation, _ = super().reset(seed=episode_seed, options={"reconfigure": True})
        return observation, self.get_info()

    @property
    def moment(self) -> tuple[int, int]:
        """The seed of the episode, and how many steps it has had."""
        return self._episode_seed, self.elapsed_steps

    def get_obs(self) -> Any:
        """Take an observation of the environment's mode; it shares nothing with other observations."""
        if self.lazy_images and self.elapsed_steps > 0:
            return OrderedDict(agent=self._get_obs_agent(), extra=self._get_obs_extra())
        return self.render_observation()

    def render_observation(self) -> Any:
        """Return what `get_obs` returns, with images in any case."""
        observation = super().get_obs()
        if self._converter is None:  # while the parent makes itself
            return observation
        return self._converter(observation, self.robot_link_ids)

    def get_info(self, **kwargs: Any) -> dict[str, Any]:
        """Return mani_skill2's info with `instruction`, `is_success`, and `target_{name,present,visible,graspable}`."""
        info: dict[str, Any] = super().get_info(**kwargs)
        return info | {"is_success": bool(info["success"])} | self._task.info()

    def evaluate(self, **kwargs: Any) -> dict[str, Any]:
        """Evaluate the state; without a target nothing is placed, and picking is no success."""
        result: dict[str, Any] = super().evaluate(**kwargs)
        if not self.target_present:
            result.update(is_obj_placed=False, success=False)
        return result

    def compute_dense_reward(self, info: dict[str, Any], **kwargs: Any) -> float:
        """Return mani_skill2's reward in [0, 10], 0 for an absent target."""
        return float(super().compute_dense_reward(info, **kwargs)) if self.target_present else 0.0

    # mani_skill2's steps of a reset ------------------------------------------------------------------------------

    def _set_episode(self, episode_idx: int | None = None) -> bool:
        wanted = self._request.episode
        if wanted is None or isinstance(wanted, int):
            super()._set_episode(wanted)
        else:
            self.episode_idx = -1
            self.episode = deepcopy(dict(wanted))
        self._draw_view(self._episode_seed, self.episode_idx if self.episode_idx >= 0 else None)
        self._pile = [self.object_set.model(actor["model_id"]) for actor in self.episode["actors"]]
        return True

    def _set_target(self) -> None:
        task = draw_task(
            self.object_set,
            self.config,
            self.episode["actors"],
            lambda instance_id: _center(self.objs[instance_id]),
            self._request,
            self._episode_seed,
            self._episode_rng,
        )
        self._task = task
        self.obj = self.objs[task.shown]
        self.obj_start_pos = np.float32(task.start)
        self.bbox_size = self.bbox_sizes[task.shown]
        self.target_site.set_pose(Pose(self.obj_start_pos if self.target_present else NOWHERE))
        self._start_heights = [_center(actor)[2] for actor in self.objs]
        if task.visible:
            checker = GraspChecker(self.object_set, PandaKinematics(self.agent.robot))
            self._task = replace(task, graspable=checker.find(self.pile(), task.shown) is not None)

    # Cameras, lights and table ------------------------------------------------------------------------------------

    def _register_cameras(self) -> Any:
        return super()._register_cameras() if self._has_base_camera else []

    def _setup_cameras(self) -> None:
        usual = self._camera_cfgs[_HAND_CAMERA]
        if self.camera.moved:
            moved = copy(usual)
            moved.pose = camera_pose(usual.pose, self.camera)
            if self.camera.fov is not None:
                moved.fov = float(np.deg2rad(self.camera.fov))
            self._camera_cfgs[_HAND_CAMERA] = moved
        try:
            super()._setup_cameras()
        finally:
            self._camera_cfgs[_HAND_CAMERA] = usual

    def _setup_lighting(self) -> None:
        self.enable_shadow |= self.appearance.shadows
        super()._setup_lighting()
        if self.appearance != AppearanceConfig():
            set_lights(self._scene, self.appearance)

    def _add_ground(self, altitude: float = 0.0, render: bool = True) -> Any:
        if self.appearance.table is None or not render:
            return super()._add_ground(altitude, render)
        self._table = Table(self._scene.create_actor_builder(), self.appearance.table)
        return super()._add_ground(altitude, render=False)

    def _get_obs_images(self) -> Any:
        observation = super()._get_obs_images()
        if self.appearance.background is not None:
            for images in observation["image"].values():
                nothing = images["Position"][..., 2] == 0
                images["Color"][nothing, :3] = color_of(self.appearance.background) / 255
        if self.camera.noisy:
            intrinsic = observation["camera_param"][_HAND_CAMERA]["intrinsic_cv"]
            self._add_noise(observation["image"][_HAND_CAMERA], float(intrinsic[1, 1]))
        return observation

    def _add_noise(self, images: dict[str, Any], focal_length: float) -> None:
        """Add noise that depends on episode and step only to raw images; the missing depth is at the origin."""
        rng = episode_view_rng(self._episode_seed, self._elapsed_steps)
        color, position = images["Color"], images["Position"]
        noisy = color[..., :3] + image_noise(color[..., :3].shape, self.camera, rng) / 255
        color[..., :3] = np.clip(noisy, 0, 1)
        depth = -position[..., 2].astype(np.float64)
        measured = noisy_depth(depth, focal_length, self.camera, rng)
        position[..., :3] *= np.where(depth > 0, measured / np.where(depth > 0, depth, 1.0), 0.0)[..., None]


def _center(actor: Any) -> Any:
    """Return the center of mass [3] of an actor."""
    return actor.pose.transform(actor.cmass_local_pose).p


class _Stage(gym.Env[Any, Any]):
    """What mani_skill2's wrappers read of an environment.

    They are not given the environment itself, as it would then hold itself: Python's garbage collector, not the
    last `del`, would choose when and in which order its scene and renderer end, and SAPIEN does not survive that.
    """

    def __init__(self, observation_space: spaces.Space[Any]) -> None:
        self.observation_space = observation_space
        self.action_space = spaces.Discrete(1)
        self.robot_link_ids: list[int] = []


class _ObservationConverter:
    """Turns raw images into the observation of a mode, by mani_skill2's own wrappers in their own order."""

    def __init__(self, raw_space: spaces.Space[Any], obs_mode: str) -> None:
        # Each wraps the stage: in a chain, Gymnasium 1 hides `robot_link_ids` from the next one.
        stage = _Stage(raw_space)
        space = deepcopy(raw_space)
        self._steps: list[Any] = []
        if "rgbd" in obs_mode:
            self._steps.append(RGBDObservationWrapper(stage))
            RGBDObservationWrapper.update_observation_space(space)
        elif "pointcloud" in obs_mode:
            self._steps.append(PointCloudObservationWrapper(stage))
            PointCloudObservationWrapper.update_observation_space(space)
        if "robot_seg" in obs_mode:
            self._steps.append(RobotSegmentationObservationWrapper(stage))
            RobotSegmentationObservationWrapper.init_observation_space(space, replace=True)
        self.space: spaces.Space[Any] = _finite(space)

    def __call__(self, observation: Any, robot_link_ids: list[int]) -> Any:
        """Convert one observation; nothing in the result is shared with another one."""
        for step in self._steps:
            if isinstance(step, RobotSegmentationObservationWrapper):
                step.robot_link_ids = robot_link_ids  # they change when the scene is rebuilt
            observation = step.observation(observation)
        return deepcopy(observation)


def _finite(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """Replace infinite bounds by the largest float32, as Gymnasium's checker takes infinity for an oversight."""
    if isinstance(space, spaces.Dict):
        # A list of pairs keeps the order of the keys; a plain dict would be sorted.
        return spaces.Dict([(key, _finite(inner)) for key, inner in space.spaces.items()])
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        low = np.maximum(space.low, -_LARGEST)
        high = np.minimum(space.high, _LARGEST)
        return spaces.Box(low.astype(space.dtype), high.astype(space.dtype), dtype=space.dtype.type)
    return space


def _start_renderer(render_mode: str | None, renderer_kwargs: dict[str, Any] | None) -> tuple[Any, Any]:
    """Return the process's engine and renderer; with render_mode="human" the renderer can open a window.

    :raises InvalidArgumentError: for a render mode that mani_skill2 does not have
    :raises RendererError: for render_mode="human" without a display
    """
    if render_mode is not None:
        one_of("render_mode", render_mode, PickClutterEnv.SUPPORTED_RENDER_MODES)
    if render_mode == "human" and not _has_display():
        raise RendererError("render_mode='human' opens a window, but there is no display; use 'rgb_array'")
    viewer_kwargs = {"offscreen_only": False} if render_mode == "human" else {}
    engine, renderer = shared_engine(**viewer_kwargs, **(renderer_kwargs or {}))
    renderer.set_log_level("error")  # else each environment would warn that the renderer is shared
    return engine, renderer


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
