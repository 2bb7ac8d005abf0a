"""Evaluate a policy in the environment: `pickclutter evaluate-policy run=runs/student episodes=200`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("evaluate_policy")
def main(cfg: DictConfig) -> None:
    """Run the episodes, write the result and print where it is."""
    from pickclutter_lang.policy.evaluation.evaluate import REPORT_FILE, PolicyEvalConfig, evaluate_policy

    folder = evaluate_policy(parse_config(PolicyEvalConfig, cfg))
    print(f"report: {folder / REPORT_FILE}")
