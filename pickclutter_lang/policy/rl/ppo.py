"""`pickclutter train-ppo`: PPO of stable-baselines3 on a student's features, as a working example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.wrappers import FilterObservation
from matplotlib.figure import Figure
from safetensors.torch import save_model

from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import MissingExtraError
from pickclutter_lang.objects.object_sets import is_kinds, own_sources
from pickclutter_lang.policy.rl.config import PPOConfig
from pickclutter_lang.policy.rl.extractor import StudentFeaturesExtractor, check_hand_rgb
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.score_wrappers import InstructionEmbedding, TargetScoreObservation
from pickclutter_lang.utils.io import TEMPORARY_SUFFIX, create_dir
from pickclutter_lang.utils.locks import dir_lock

try:
    from stable_baselines3 import PPO
    from stable_baselines3.common.monitor import Monitor, load_results
except ImportError as error:
    raise MissingExtraError("stable_baselines3", "rl") from error

_SMOOTHED = 10
_KEYS = (
    "hand_rgb", "qpos", "qvel", "base_pose", "tcp_pose", "goal_pos",
    "instruction_embedding", "target_score", "target_map",
)  # fmt: skip
"""What the agent observes."""


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
        camera=config.camera,
        appearance=config.appearance,
        split="train" if is_kinds(config.objects) else "ood",
        obs_mode="rgbd",
        control_mode="pd_ee_delta_pose",
        reward_mode="normalized_dense",
        absent_probability=0.0,
        max_episode_steps=config.episode_steps,
        base_camera=False,
        camera_cfgs={"hand_camera": {"width": side, "height": side}},
    )
    env = InstructionEmbedding(FlatObservation(env), student.config.teacher.load())
    return FilterObservation(TargetScoreObservation(env, student), _KEYS)


def train_ppo(config: PPOConfig) -> Path:
    """Train PPO on the student's features; write the agent, its episodes and their curves; return the figure.

    :raises PickClutterError: CheckpointError for the policy folder, LockedError, what the environment raises
    """
    torch.set_num_threads(config.num_threads)
    student = StudentRuntime.load(config.policy, config.trust_code)
    folder = Path(config.out)
    create_dir(folder)
    with dir_lock(folder):
        return _train(config, student, folder)


def _train(config: PPOConfig, student: StudentRuntime, folder: Path) -> Path:
    env = Monitor(make_environment(config, student), str(folder / "episodes"), info_keywords=("success",))
    agent = PPO(
        "MultiInputPolicy",
        env,
        n_steps=min(256, config.steps),
        batch_size=min(64, config.steps),
        n_epochs=4,
        learning_rate=3e-4,
        seed=config.seed,
        device="cpu",
        policy_kwargs={
            "features_extractor_class": StudentFeaturesExtractor,
            "features_extractor_kwargs": {"student": student, "frozen": config.frozen},
        },
    )
    agent.learn(config.steps, progress_bar=True)
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
