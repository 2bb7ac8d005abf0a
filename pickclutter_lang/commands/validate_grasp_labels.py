"""Check the label `graspable` of a scene store against picks executed by the simulated arm."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("validate_grasp_labels")
def main(config: DictConfig) -> None:
    """Run the check and print its rates."""
    from pickclutter_lang.envs.grasp_check import GraspCheckSettings, check_grasps
    from pickclutter_lang.scenes.card import write_card

    settings = typed(GraspCheckSettings, config)
    result = check_grasps(settings)
    write_card(settings.store)
    for key in ("instances", "labelled", "picked", "agreement", "precision", "recall", "pose_success"):
        print(f"{key:>12}: {result[key]:.3f}" if isinstance(result[key], float) else f"{key:>12}: {result[key]}")
