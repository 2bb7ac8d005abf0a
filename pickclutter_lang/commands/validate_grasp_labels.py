"""Check the label `graspable` of a scene store against picks executed by the simulated arm."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("validate_grasp_labels")
def main(cfg: DictConfig) -> None:
    """Run the check and print its rates."""
    from pickclutter_lang.datasets.scenes.dataset_card import write_dataset_card
    from pickclutter_lang.envs.grasp_validation import GraspValidationConfig, check_grasps

    config = parse_config(GraspValidationConfig, cfg)
    result = check_grasps(config)
    write_dataset_card(config.store)
    for key in ("instances", "labelled", "picked", "agreement", "precision", "recall", "pose_success"):
        print(f"{key:>12}: {result[key]:.3f}" if isinstance(result[key], float) else f"{key:>12}: {result[key]}")
