"""`pickclutter train-ppo`: reinforcement learning on the student's features, to show that they plug in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from matplotlib.figure import Figure
from safetensors.torch import save_model

from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.files import TEMPORARY_SUFFIX, make_folder
from pickclutter_lang.policy.extractor import GraspabilityExtractor, check_hand_rgb
from pickclutter_lang.policy.folder import teacher_of
from pickclutter_lang.policy.student import GraspabilityStudent
from pickclutter_lang.policy.wrappers import GraspabilityObservation, InstructionEmbedding

try:
    from stable_baselines3 import PPO
    from stable_baselines3.common.monitor import Monitor, load_results
except ImportError as error:
    raise MissingExtraError("stable_baselines3", "rl") from error

_SMOOTHED = 10


@dataclass
class AgentSettings:
    """Which student, where, how long. `policy` is a folder of `export_policy`, `out` where agent and curves go."""

    policy: str
    out: str
    steps: int
    seed: int
    objects: str
    objects_root: str | None
    frozen: bool
    episode_steps: int
    threads: int

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name, least in (("steps", 2), ("seed", 0), ("episode_steps", 1), ("threads", 1)):
            if getattr(self, name) < least:
                raise InvalidArgumentError(f"expected {name} to be at least {least}, but got {getattr(self, name)}")
        environment_id(self.objects)


def make_environment(settings: AgentSettings, student: GraspabilityStudent) -> gym.Env[Any, Any]:
    """Return the environment as an agent sees it: pictures, and one vector with instruction and scores in it."""
    check_hand_rgb(student)
    side = student.card.camera_size
    env: gym.Env[Any, Any] = gym.make(
        environment_id(settings.objects),
        objects_root=settings.objects_root,
        obs_mode="rgbd",
        control_mode="pd_ee_delta_pose",
        reward_mode="normalized_dense",
        absent_probability=0.0,
        max_episode_steps=settings.episode_steps,
        base_camera=False,
        camera_cfgs={"hand_camera": {"width": side, "height": side}},
    )
    env = InstructionEmbedding(env, teacher_of(student.card))
    return FlatObservation(GraspabilityObservation(env, student))


def train_agent(settings: AgentSettings) -> Path:
    """Train PPO on the student's features; write the agent, its episodes and their curves; return the picture.

    :raises PickClutterError: CheckpointError for the policy folder, what the environment and its wrappers raise
    """
    torch.set_num_threads(settings.threads)
    student = GraspabilityStudent.load(settings.policy)
    folder = Path(settings.out)
    make_folder(folder)
    env = Monitor(make_environment(settings, student), str(folder / "episodes"), info_keywords=("success",))
    agent = PPO(
        "MultiInputPolicy",
        env,
        n_steps=min(256, settings.steps),
        batch_size=min(64, settings.steps),
        n_epochs=4,
        learning_rate=3e-4,
        seed=settings.seed,
        device="cpu",
        policy_kwargs={
            "features_extractor_class": GraspabilityExtractor,
            "features_extractor_kwargs": {"student": student, "frozen": settings.frozen},
        },
    )
    agent.learn(settings.steps, progress_bar=True)
    unfinished = folder / f".agent{TEMPORARY_SUFFIX}"
    save_model(agent.policy, str(unfinished))
    unfinished.replace(folder / "agent.safetensors")
    env.close()
    return _draw(folder)


def _draw(folder: Path) -> Path:
    """Draw return and length of the episodes over the steps."""
    episodes = load_results(str(folder))
    steps = episodes["l"].cumsum()
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, key, title in ((axes[0], "r", "return of an episode"), (axes[1], "l", "steps of an episode")):
        ax.plot(steps, episodes[key], ".", color="0.7", label="episodes")
        if len(steps) >= _SMOOTHED:
            smooth = np.convolve(episodes[key], np.ones(_SMOOTHED) / _SMOOTHED, "valid")
            ax.plot(steps[_SMOOTHED - 1 :], smooth, label=f"mean of {_SMOOTHED}")
        ax.set(xlabel="steps", title=title)
    axes[0].legend(frameon=False)
    figure.savefig(folder / "curves.png", dpi=120)
    return folder / "curves.png"
