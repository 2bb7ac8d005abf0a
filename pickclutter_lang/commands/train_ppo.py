"""Train PPO on a student's features: `pickclutter train-ppo policy=policy steps=4096 out=runs/agent`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("train_ppo")
def main(cfg: DictConfig) -> None:
    """Train, and say where the curves are."""
    from pickclutter_lang.policy.rl.ppo import PPOConfig, train_ppo

    print(f"curves: {train_ppo(parse_config(PPOConfig, cfg))}")
