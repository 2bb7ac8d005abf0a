"""Train PPO on a student's features: `pickclutter train-ppo policy=policy steps=4096 out=runs/agent`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("train_ppo")
def main(config: DictConfig) -> None:
    """Train, and say where the curves are."""
    from pickclutter_lang.trials.learning import AgentSettings, train_agent

    print(f"curves: {train_agent(typed(AgentSettings, config))}")
