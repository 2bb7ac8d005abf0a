"""Environment wrappers: an action that declares the object absent, and observations for stable-baselines3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError

Action = NDArray[np.float32]
_SUCCESS_REWARD = {"dense": 10.0, "normalized_dense": 1.0, "sparse": 1.0}


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
            right = not self._present
            reward = _SUCCESS_REWARD[self.env.unwrapped.reward_mode] if right else 0.0  # type: ignore[attr-defined]
            terminated = True
        picked = set(self.env.unwrapped.picked_objects())  # type: ignore[attr-defined]
        self._wrong |= picked - ({self._target} if self._present else set())
        outcome = self._outcome(declared, terminated or truncated, bool(info["success"]))
        return observation, reward, terminated, truncated, {**info, **outcome}

    def _outcome(self, declared: bool, over: bool, picked: bool) -> dict[str, Any]:
        present = self._present
        success = not present if declared else picked
        return {
            "success": success,
            "is_success": success,
            "declared_absent": declared,
            "wrong_object_picked": len(self._wrong),
            "false_absence": int(declared and present),
            "missed_absence": int(over and not declared and not present),
        }

    @property
    def _present(self) -> bool:
        return bool(self.env.unwrapped.target_present)  # type: ignore[attr-defined]

    @property
    def _target(self) -> str:
        return str(self.env.unwrapped.target_name)  # type: ignore[attr-defined]


class FlatObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Observations of mode `rgbd` as a dictionary of one level, as stable-baselines3's policies take them.

    - `state`: float32 [n], the numbers of robot, task and wrappers, in the order of the original; without the cameras'
      matrices, which are of other sizes, and without `obj_start_pos`, by which the simulator tells where the target is
    - `{camera}_rgb`: uint8 [H, W, 3]
    - `{camera}_depth`: uint8 [H, W, 1]; 255 is `depth_limit` meters or more
    - `{camera}_robot_seg`: uint8 [H, W, 1], 255 on the robot, in mode `rgbd_robot_seg`
    """

    def __init__(self, env: gym.Env[Any, Any], depth_limit: float = 1.0, privileged: bool = False) -> None:
        """Wrap an environment.

        :param depth_limit: meters; the pile lies within 0.7 m of the hand camera at rest
        :param privileged: keep `obj_start_pos` in the state, a point of the target that no robot is told
        :raises InvalidArgumentError: for a limit that is not above 0, or another observation mode
        """
        gym.utils.RecordConstructorArgs.__init__(self, depth_limit=depth_limit, privileged=privileged)
        super().__init__(env)
        mode = getattr(env.unwrapped, "obs_mode", None)
        if mode not in ("rgbd", "rgbd_robot_seg"):
            raise InvalidArgumentError(f"expected obs_mode 'rgbd' or 'rgbd_robot_seg', but got {mode!r}")
        if not depth_limit > 0:
            raise InvalidArgumentError(f"expected a depth_limit above 0, but got {depth_limit}")
        self.depth_limit, self.privileged = depth_limit, privileged
        self.observation_space = self._space(env.observation_space)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Flatten one observation."""
        vectors = _flatten_arrays(self._numbers(observation))
        flat: dict[str, Any] = {"state": np.concatenate(vectors).astype(np.float32)}
        for camera, images in observation["image"].items():
            for kind, image in images.items():
                if kind in ("rgb", "depth", "robot_seg"):
                    flat[f"{camera}_{kind}"] = self._image(kind, image)
        return flat

    def _numbers(self, nested: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of an observation, or of its space, that `state` holds."""
        kept = {key: value for key, value in nested.items() if key not in ("image", "camera_param")}
        if not self.privileged:
            kept["extra"] = {key: value for key, value in kept["extra"].items() if key != "obj_start_pos"}
        return kept

    def _image(self, kind: str, image: NDArray[Any]) -> NDArray[np.uint8]:
        if kind == "depth":
            image = np.clip(image / self.depth_limit, 0, 1) * 255
        elif kind == "robot_seg":
            image = image * 255
        return np.asarray(image, np.uint8)

    def _space(self, nested: Any) -> spaces.Dict:
        size = sum(int(np.prod(box.shape)) for box in _boxes(self._numbers(nested)))
        largest = float(np.finfo(np.float32).max)
        flat: dict[str, spaces.Space[Any]] = {"state": spaces.Box(-largest, largest, (size,), np.float32)}
        for camera, images in nested["image"].items():
            for kind, box in images.items():
                if kind in ("rgb", "depth", "robot_seg"):
                    flat[f"{camera}_{kind}"] = spaces.Box(0, 255, box.shape, np.uint8)
        return spaces.Dict(flat)


def _flatten_arrays(tree: dict[str, Any]) -> list[NDArray[Any]]:
    """Return the arrays of a nested dictionary as vectors, in order."""
    return [
        vector
        for value in tree.values()
        for vector in (_flatten_arrays(value) if isinstance(value, dict) else [np.ravel(value)])
    ]


def _boxes(tree: Any) -> list[spaces.Box]:
    return [box for value in tree.values() for box in (_boxes(value) if isinstance(value, Mapping) else [value])]
