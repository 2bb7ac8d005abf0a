"""Train PPO on a student's features: `python scripts/train_agent.py policy=policy steps=4096 out=runs/agent`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("train_agent")
def main(config: DictConfig) -> None:
    """Train, and say where the curves are."""
    from pickclutter_lang.trials.learning import AgentSettings, train_agent

    print(f"curves: {train_agent(typed(AgentSettings, config))}")


if __name__ == "__main__":
    main()
