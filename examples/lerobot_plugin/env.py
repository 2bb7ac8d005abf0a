"""PickClutter by name for LeRobot 0.6: an environment of its EnvHub, and `--env.type=pickclutter` of `lerobot-eval`.

LeRobot needs Python 3.12, and so ManiSkill 3:

    python3.12 -m venv lerobot
    lerobot/bin/pip install 'lerobot[dataset]>=0.6,<0.7' -e '.[sim3]'
    PYTHONPATH=examples lerobot/bin/lerobot-eval --env.discover_packages_path=lerobot_plugin --env.type=pickclutter \
        --policy.path=POLICY --policy.device=cpu --eval.n_episodes=10 --eval.batch_size=1

Observation, state and action are those of `pickclutter export-lerobot`, so what LeRobot trains on demonstrations runs.
Success is the object at the goal, and an object that is named is always in the pile. On EnvHub this file is `env.py` of
a repository: `lerobot.envs.make_env("me/pickclutter", trust_remote_code=True)`.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.envs.configs import EnvConfig
from mani_skill.utils.wrappers import CPUGymWrapper
from numpy.typing import NDArray

import pickclutter_lang.envs  # noqa: F401  # registers the environments
from pickclutter_lang.demonstrations.trajectories import ACTIONS, STATE
from pickclutter_lang.envs.wrappers import FlatObservation

CONTROL_MODE = "pd_ee_delta_pose"
FPS = 20
"""Steps of the arm in a second."""
MORE = ("hand_depth", "hand_intrinsic", "hand_cam2world", "base_pose")
_STATE = tuple(name.rpartition("/")[2] for name in STATE)
_NUMBERS = sum(map(len, STATE.values()))


@EnvConfig.register_subclass("pickclutter")
@dataclass
class PickClutterConfig(EnvConfig):
    """An environment of this package, by its id, such as `PickClutterLang/YCB-v3`."""

    task: str | None = "PickClutterLang/Proxy-v3"
    fps: int = FPS
    split: str = "ood"
    image_size: int = 128
    control_mode: str = CONTROL_MODE
    features: dict[str, PolicyFeature] = field(default_factory=dict)
    features_map: dict[str, str] = field(
        default_factory=lambda: {
            "pixels/hand": "observation.images.hand",
            "agent_pos": "observation.state",
            "action": "action",
        }
    )

    def __post_init__(self) -> None:
        """Say what an observation and an action are."""
        image = (self.image_size, self.image_size, 3)
        self.features = {
            "pixels/hand": PolicyFeature(FeatureType.VISUAL, image),
            "agent_pos": PolicyFeature(FeatureType.STATE, (_NUMBERS,)),
            "action": PolicyFeature(FeatureType.ACTION, (len(ACTIONS[self.control_mode]),)),
        }

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        """Arguments of the environment."""
        return {
            "obs_mode": "rgbd",
            "control_mode": self.control_mode,
            "split": self.split,
            "absent_probability": 0.0,
            "sensor_configs": {"width": self.image_size, "height": self.image_size},
            "base_camera": False,
            "sim_backend": "physx_cpu",
        }

    def create_envs(self, n_envs: int, use_async_envs: bool = False) -> Any:
        """Return `{suite: {task: vector}}`: one task, piles of the split, each with an instruction of its own."""
        makers = [lambda: LeRobotEnv(gymnasium.make(str(self.task), **self.gym_kwargs))] * n_envs
        if use_async_envs and n_envs > 1:
            return {"pickclutter": {0: gymnasium.vector.AsyncVectorEnv(makers, context="spawn")}}
        return {"pickclutter": {0: gymnasium.vector.SyncVectorEnv(makers)}}


class LeRobotEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Observations as LeRobot has them: `pixels`, a dictionary of images, and `agent_pos`, joints, TCP and goal.

    Depth, camera and the base's pose come along by the names of `FlatObservation`, for policies that want them.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": FPS}

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(FlatObservation(CPUGymWrapper(env)))
        flat: Any = self.env.observation_space
        state = spaces.Box(-np.inf, np.inf, (_NUMBERS,), np.float32)
        more = {name: flat[name] for name in MORE}
        self.observation_space = spaces.Dict(
            {"pixels": spaces.Dict({"hand": flat["hand_rgb"]}), "agent_pos": state, **more}
        )
        self._max_episode_steps = 200
        self._seen: NDArray[np.uint8] | None = None

    @property
    def task_description(self) -> str:
        """The instruction."""
        return str(self.unwrapped.instruction)  # type: ignore[attr-defined]

    task = task_description

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; LeRobot's own options are not the environment's."""
        observation, info = self.env.reset(seed=seed)
        return self._as_lerobot(observation), {"is_success": bool(info.get("is_success", False))}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        success = {"is_success": bool(info["is_success"])}
        return self._as_lerobot(observation), float(reward), bool(terminated), bool(truncated), success

    def render(self) -> Any:
        """Return what the hand camera sees."""
        return self._seen

    def _as_lerobot(self, observation: dict[str, Any]) -> dict[str, Any]:
        self._seen = observation["hand_rgb"]
        numbers = np.concatenate([np.ravel(observation[name]) for name in _STATE]).astype(np.float32)
        more = {name: observation[name] for name in MORE}
        return {"pixels": {"hand": self._seen}, "agent_pos": numbers, **more}


def make_env(n_envs: int = 1, use_async_envs: bool = False, cfg: Any = None) -> Any:
    """Return the environments, as EnvHub asks for them."""
    config = cfg if isinstance(cfg, PickClutterConfig) else PickClutterConfig()
    return config.create_envs(n_envs, use_async_envs)
