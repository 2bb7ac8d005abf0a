"""Environment wrappers: an action that declares the object absent, and observations as one flat dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_BYTES, encode_instruction
from pickclutter_lang.manipulation.lazy_observation import LazyObservation

Action = NDArray[np.float32]
_SUCCESS_REWARD = {"dense": 10.0, "normalized_dense": 1.0, "sparse": 1.0}
_LARGEST = float(np.finfo(np.float32).max)
# Of images, cameras, and segmentation with its channel of actors: ManiSkill2's, ManiSkill 3's.
_IMAGE_KEYS = ("image", "camera_param", "Segmentation", 1), ("sensor_data", "sensor_param", "segmentation", 0)


class DeclareAbsence(gym.Wrapper[Any, Action, Any, Action], gym.utils.RecordConstructorArgs):
    """One more action dimension, in [-1, 1], with which the agent declares the object absent.

    A value above the threshold ends the episode after this step. The episode is a success when the present target was
    picked (according to the environment's `success`) or when an absent one was declared absent, which earns the reward
    of a success; a false declaration earns 0. Wrap what `gymnasium.make` returns, so that the time limit lies inside:
    the last step of an episode is then known here. `info` gains:

    - `success` and `is_success`: bool, of either kind; `declared_absent`: bool
    - `wrong_object_picked`: number of other objects that were lifted, or placed at the goal, so far
    - `false_absence`: 1 when the object was declared absent although it is in the pile
    - `missed_absence`: 1 when the episode ended without a declaration although the object is absent
    """

    COUNTS: ClassVar = ("wrong_object_picked", "false_absence", "missed_absence")

    def __init__(self, env: gym.Env[Any, Any], threshold: float = 0.5) -> None:
        """Wrap a PickClutterLang environment.

        :param threshold: in [-1, 1); the action declares absence when its last value is above
        :raises InvalidArgumentError: for another threshold, or an environment without instructions
        """
        gym.utils.RecordConstructorArgs.__init__(self, threshold=threshold)
        super().__init__(env)
        if not -1 <= threshold < 1:
            raise InvalidArgumentError(f"expected a threshold in [-1, 1), but got {threshold}")
        if not hasattr(env.unwrapped, "picked_objects"):
            raise InvalidArgumentError(f"expected a PickClutterLang environment, but got {env.unwrapped}")
        box = env.action_space
        if not isinstance(box, spaces.Box) or len(box.shape) != 1:
            raise InvalidArgumentError(f"expected an action space that is one vector, but got {box}")
        self.threshold = threshold
        self._base: Any = env.unwrapped
        low, high = (np.append(bound, end).astype(box.dtype) for bound, end in ((box.low, -1), (box.high, 1)))
        self.action_space = spaces.Box(low, high, dtype=box.dtype.type)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; no mistake has been made yet."""
        self._wrong: set[str] = set()
        observation, info = super().reset(seed=seed, options=options)
        return observation, {**info, **self._outcome(False, False, False)}

    def step(self, action: Action) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step with all but the last value of the action, and evaluate the declaration in the last.

        :raises InvalidArgumentError: for an action of another shape
        """
        action = np.asarray(action)
        if action.shape != self.action_space.shape:
            raise InvalidArgumentError(f"expected an action of shape {self.action_space.shape}, but got {action.shape}")
        observation, reward, terminated, truncated, info = self.env.step(action[:-1])
        declared = bool(action[-1] > self.threshold)
        reward = float(reward)
        if declared:
            reward = 0.0 if self._base.target_present else _SUCCESS_REWARD[self._base.reward_mode]
            terminated = True
        right = {self._base.target_name} if self._base.target_present else set()
        self._wrong |= {*self._base.picked_objects()} - right
        outcome = self._outcome(declared, terminated or truncated, bool(info["success"]))
        return observation, reward, terminated, truncated, {**info, **outcome}

    def _outcome(self, declared: bool, over: bool, picked: bool) -> dict[str, Any]:
        present = bool(self._base.target_present)
        success = not present if declared else picked
        return {
            "success": success,
            "is_success": success,
            "declared_absent": declared,
            "wrong_object_picked": len(self._wrong),
            "false_absence": int(declared and present),
            "missed_absence": int(over and not declared and not present),
        }


class FlatObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Observations of mode `rgbd` as one flat dictionary of arrays, for policies, vectors and stable-baselines3.

    Those of ManiSkill 3 are unbatched first, by its `CPUGymWrapper`.

    - `instruction`: uint8 [256], UTF-8 that ends in zeros
    - of each camera C, such as `hand`: `C_rgb`, uint8 [H, W, 3]; `C_depth`, float32 [H, W], meters, 0 without a
      measurement; `C_intrinsic`, float32 [3, 3]; `C_cam2world`, float32 [4, 4], OpenGL's axes
    - numbers of robot and task, float32: `qpos` and `qvel` [9], `base_pose` and `tcp_pose` [7], `goal_pos` [3]; not
      `obj_start_pos`, by which the simulator tells where the target is
    - `mask`, only with `mask=True`: uint8 [H, W], 1 at the pixels of the target in the hand camera's image

    `gymnasium.wrappers.FilterObservation` around it selects keys.
    """

    def __init__(self, env: gym.Env[Any, Any], mask: bool = False, lazy: bool = False) -> None:
        """Wrap a PickClutterLang environment.

        :param mask: add the simulator's segmentation of the target
        :param lazy: observations of steps are `LazyObservation`, on ManiSkill2: an image that nobody reads before the
            next step is never rendered
        :raises InvalidArgumentError: for another environment or observation mode, or `mask` without segmentation
        """
        gym.utils.RecordConstructorArgs.__init__(self, mask=mask, lazy=lazy)
        super().__init__(env)
        nested: Any = env.observation_space
        if not hasattr(env.unwrapped, "instruction"):
            raise InvalidArgumentError(f"expected a PickClutterLang environment, but got {env.unwrapped}")
        found = set(nested.spaces) if isinstance(nested, spaces.Dict) else set()
        self._keys = next((keys for keys in _IMAGE_KEYS if found >= set(keys[:2])), _IMAGE_KEYS[0])
        cameras = nested[self._keys[0]].values() if found >= set(self._keys[:2]) else ()
        if not cameras or any(not {"rgb", "depth"} <= {*images} for images in cameras):
            raise InvalidArgumentError("expected observations with images; make the environment with obs_mode='rgbd'")
        if len(nested["agent"]["qpos"].shape) > 1:
            raise InvalidArgumentError("expected observations of one pile; wrap the environment in CPUGymWrapper first")
        if mask and self._keys[2] not in nested[self._keys[0]]["hand_camera"].spaces:
            raise InvalidArgumentError("expected segmentation; make the environment with enable_segmentation=True")
        self.mask = mask
        if lazy and hasattr(env.unwrapped, "lazy_images"):
            env.unwrapped.lazy_images = True
        flat: dict[str, spaces.Space[Any]] = {"instruction": spaces.Box(0, 255, (INSTRUCTION_BYTES,), np.uint8)}
        for name, images in nested[self._keys[0]].items():
            camera = name.removesuffix("_camera")
            size = images["rgb"].shape[:2]
            flat[f"{camera}_rgb"] = spaces.Box(0, 255, (*size, 3), np.uint8)
            flat[f"{camera}_depth"] = spaces.Box(0, _LARGEST, size, np.float32)
            flat[f"{camera}_intrinsic"] = spaces.Box(-_LARGEST, _LARGEST, (3, 3), np.float32)
            flat[f"{camera}_cam2world"] = spaces.Box(-_LARGEST, _LARGEST, (4, 4), np.float32)
            if mask and camera == "hand":
                flat["mask"] = spaces.Box(0, 1, size, np.uint8)
        self._image_keys = [key for key in flat if key != "instruction"]
        for key, box in self._numbers(nested).items():
            flat[key] = spaces.Box(-_LARGEST, _LARGEST, box.shape, np.float32)
        self.observation_space = spaces.Dict(flat)

    def observation(self, observation: Any) -> Mapping[str, NDArray[Any]]:
        """Flatten one observation."""
        base: Any = self.env.unwrapped
        flat = {"instruction": encode_instruction(base.instruction)}
        flat |= {key: np.asarray(value, np.float32) for key, value in self._numbers(observation).items()}
        if self._keys[0] in observation:
            return flat | self._images(observation)
        moment = base.moment

        def render() -> dict[str, NDArray[Any]]:
            if base.moment != moment:
                raise InvalidArgumentError("expected images to be read before the next step; make lazy=False")
            return self._images(base.render_observation())

        return LazyObservation(flat, self._image_keys, render)

    def _images(self, observation: Any) -> dict[str, NDArray[Any]]:
        """Return the images of an observation, and their cameras."""
        base: Any = self.env.unwrapped
        images_key, parameters_key = self._keys[:2]
        flat: dict[str, NDArray[Any]] = {}
        for name, images in observation[images_key].items():
            camera = name.removesuffix("_camera")
            parameters = observation[parameters_key][name]
            depth = images["depth"]
            flat[f"{camera}_rgb"] = images["rgb"]
            millimeters = np.issubdtype(depth.dtype, np.integer)
            flat[f"{camera}_depth"] = depth[..., 0].astype(np.float32) * np.float32(0.001 if millimeters else 1)
            flat[f"{camera}_intrinsic"] = parameters["intrinsic_cv"].astype(np.float32)
            flat[f"{camera}_cam2world"] = parameters["cam2world_gl"].astype(np.float32)
        if self.mask:
            flat["mask"] = ((actors_of(observation) == base.target_id) & base.target_present).astype(np.uint8)
        return flat

    @staticmethod
    def _numbers(nested: Any) -> dict[str, Any]:
        """Return the numbers of robot and task of an observation, or their spaces."""
        groups = (nested[group].items() for group in ("agent", "extra"))
        return {key: value for group in groups for key, value in group if key != "obj_start_pos"}


def actors_of(observation: Mapping[str, Any]) -> NDArray[Any]:
    """Return the segmentation [H, W] of the hand camera's image by the numbers of actors, see `TaskEnv.actor_ids`.

    :param observation: of either simulator with segmentation, before `FlatObservation`
    """
    images, _, segments, channel = next(keys for keys in _IMAGE_KEYS if keys[0] in observation)
    found: NDArray[Any] = observation[images]["hand_camera"][segments][..., channel]
    return found
