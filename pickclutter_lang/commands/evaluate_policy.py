"""Have a student pick by name in the environment: `pickclutter evaluate-policy run=runs/student episodes=200`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("evaluate_policy")
def main(config: DictConfig) -> None:
    """Play the episodes, write the result and say where it is."""
    from pickclutter_lang.trials.evaluate import REPORT_FILE, TrialSettings, evaluate_policy

    folder = evaluate_policy(typed(TrialSettings, config))
    print(f"report: {folder / REPORT_FILE}")
