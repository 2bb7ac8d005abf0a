"""Train PPO (stable-baselines3) in the environment on a student's features. Needs the extras sim and rl.

    pickclutter train-ppo policy=policy steps=4096 out=runs/agent

This is an example of the interface, not a solution of the task.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.policy.rl.config import PPOConfig


@hydra_main(PPOConfig)
def main(config: PPOConfig) -> None:
    """Train, and print the path of the curves."""
    from pickclutter_lang.policy.rl.ppo import train_ppo

    print(f"curves: {train_ppo(config)}")
