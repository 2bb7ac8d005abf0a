"""PPO of stable-baselines3 on a distilled student: a features extractor, and `pickclutter train-ppo`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
import torch
from gymnasium import spaces
from gymnasium.wrappers import FilterObservation
from matplotlib import pyplot
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.envs.simulator import require_simulator
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.objects.object_sets import is_kinds, own_sources
from pickclutter_lang.policy.config import EPISODE_STEPS, PPOConfig
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.score_wrappers import InstructionEmbedding, TargetScoreObservation
from pickclutter_lang.policy.torch_networks import TorchNetworks
from pickclutter_lang.students.student import MultiLabelStudent
from pickclutter_lang.utils.io import TEMPORARY_SUFFIX, create_dir
from pickclutter_lang.utils.locks import dir_lock

try:
    from stable_baselines3 import PPO
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.results_plotter import X_TIMESTEPS, plot_results
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
except ImportError as error:
    raise MissingExtraError("stable_baselines3", "rl") from error

_KEYS = (
    "hand_rgb", "qpos", "qvel", "base_pose", "tcp_pose", "goal_pos",
    "instruction_embedding", "target_score", "target_map",
)  # fmt: skip
"""What the agent observes."""
_STATE_WIDTH = 64
_NOT_NUMBERS = ("_rgb", "_depth", "_intrinsic", "_cam2world", "instruction", "mask")


class StudentFeaturesExtractor(BaseFeaturesExtractor):
    """The student's global feature of the hand camera's image, concatenated with a small layer on the numbers.

    For observations of `FlatObservation` and wrappers around it. Images and matrices of cameras are no such numbers,
    nor is the instruction's text. stable-baselines3 takes it as `policy_kwargs`:
    `{"features_extractor_class": StudentFeaturesExtractor, "features_extractor_kwargs": {"student": student}}`.
    """

    def __init__(self, observation_space: spaces.Dict, student: StudentRuntime, frozen: bool = True) -> None:
        """Build the extractor.

        :param observation_space: has `hand_rgb`, uint8 [3, H, W] or [H, W, 3], and numbers, such as `qpos`
        :param student: only of the hand camera's RGB; it is copied, so that training does not change it
        :param frozen: freeze the student's weights; trained along, its normalization keeps the statistics that it has
        :raises InvalidArgumentError: for another student, or observations without these keys
        """
        check_hand_rgb(student)
        numbers = [key for key in observation_space.spaces if not key.endswith(_NOT_NUMBERS)]
        if "hand_rgb" not in observation_space.spaces or not numbers:
            raise InvalidArgumentError(
                f"expected the observations of FlatObservation, but got {', '.join(observation_space.spaces)}"
            )
        count = sum(math.prod(observation_space[key].shape or ()) for key in numbers)
        networks = cast(TorchNetworks, student.networks)  # an ONNX student has no network to take
        width = networks.model.student.embed_dim
        super().__init__(observation_space, features_dim=width + _STATE_WIDTH)
        config = student.config
        model = MultiLabelStudent(
            config.network.student_config, config.camera_spec, width, use_bf16=networks.model.student.use_bf16
        )
        model.load_state_dict(networks.model.state_dict())
        self.numbers, self.model, self.frozen = numbers, model.eval(), frozen
        self.model.requires_grad_(not frozen)
        self.camera_size, self.crop_size, self.image_size = config.camera_size, config.crop_size, config.image_size
        self.state = nn.Sequential(nn.LayerNorm(count), nn.Linear(count, _STATE_WIDTH), nn.ReLU())

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Return features [N, D + 64] of observations as stable-baselines3 gives them: images float32 in 0..1."""
        images = observations["hand_rgb"]
        side = self.camera_size
        if images.shape[-2:] != (side, side):
            raise InvalidArgumentError(
                f"expected images of {side} x {side} pixels, but got {list(images.shape[-2:])}; make the environment "
                f"with camera_cfgs={{'hand_camera': {{'width': {side}, 'height': {side}}}}}"
            )
        start = (side - self.crop_size) // 2
        window = images[..., start : start + self.crop_size, start : start + self.crop_size]
        if self.crop_size != self.image_size:
            window = functional.interpolate(window, size=(self.image_size,) * 2, mode="bilinear", antialias=True)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.model.features(window).pooled.float()
        numbers = torch.cat([observations[key].flatten(1) for key in self.numbers], dim=1)
        return torch.cat([functional.normalize(features, dim=1), self.state(numbers)], dim=1)

    def train(self, mode: bool = True) -> StudentFeaturesExtractor:
        """Switch between training and evaluation; the student stays in evaluation.

        PPO compares probabilities of its updates with those of its rollouts, which run in evaluation.
        """
        super().train(mode)
        self.model.eval()
        return self

    def apply(self, fn: Callable[[nn.Module], None]) -> StudentFeaturesExtractor:
        """Apply a function to the layers of the numbers: stable-baselines3 initializes all others by it anew."""
        self.state.apply(fn)
        return self


def check_hand_rgb(student: StudentRuntime) -> None:
    """Raise InvalidArgumentError for a student that takes other images than the hand camera's RGB."""
    if student.student_input != ["hand_rgb"]:
        raise InvalidArgumentError(
            f"expected a student of the hand camera's RGB, but this one takes {', '.join(student.student_input)}; "
            "distill one with data=hand_rgb"
        )


def make_environment(config: PPOConfig, student: StudentRuntime) -> gym.Env[Any, Any]:
    """Return the environment as an agent sees it: an image, numbers of robot and task, instruction and scores.

    Of kinds, piles are those of the split `train`: an agent does not learn from instances to evaluate on.
    """
    check_hand_rgb(student)
    side = student.config.camera_size
    own: dict[str, Any] = {"objects": found} if (found := own_sources(config.objects)) else {}
    env: gym.Env[Any, Any] = gym.make(
        environment_id(config.objects),
        **own,
        objects_root=config.objects_root,
        kinds=config.kinds,
        instances=config.instances,
        distractors=config.distractors,
        camera=config.camera,
        appearance=config.appearance,
        split="train" if is_kinds(config.objects) else "ood",
        obs_mode="rgbd",
        control_mode="pd_ee_delta_pose",
        reward_mode="normalized_dense",
        absent_probability=0.0,
        max_episode_steps=EPISODE_STEPS,
        base_camera=False,
        camera_cfgs={"hand_camera": {"width": side, "height": side}},
    )
    env = InstructionEmbedding(FlatObservation(env), student.config.teacher.load())
    return FilterObservation(TargetScoreObservation(env, student), _KEYS)


def train_ppo(config: PPOConfig) -> Path:
    """Train PPO on the student's features; write the agent, its episodes and their returns; return the figure.

    :raises PickClutterError: CheckpointError for the policy folder, LockedError, what the environment raises
    """
    require_simulator("maniskill2", "train-ppo")
    prepare_renderer()  # there is a simulator
    torch.set_num_threads(config.num_threads)
    student = StudentRuntime.load(config.policy, config.trust_code)
    folder = Path(config.out)
    create_dir(folder)
    with dir_lock(folder):
        env = Monitor(make_environment(config, student), str(folder / "episodes"), info_keywords=("success",))
        agent = PPO(
            "MultiInputPolicy",
            env,
            n_steps=min(256, config.steps),
            batch_size=64,
            n_epochs=4,
            learning_rate=3e-4,
            seed=config.seed,
            device="cpu",
            policy_kwargs={
                "features_extractor_class": StudentFeaturesExtractor,
                "features_extractor_kwargs": {"student": student},
            },
        )
        agent.learn(config.steps, progress_bar=True)
        unfinished = folder / f".agent{TEMPORARY_SUFFIX}"
        save_model(agent.policy, str(unfinished))
        unfinished.replace(folder / "agent.safetensors")
        env.close()
        plot_results([str(folder)], None, X_TIMESTEPS, "Return of an episode")
        pyplot.savefig(folder / "curves.png", dpi=120)
    return folder / "curves.png"
