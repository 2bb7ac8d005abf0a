"""Check the label `graspable` of a scene store against picks by the simulated arm. Needs the extra sim.

pickclutter validate-grasp-labels store=runs/scenes/ood instances=200
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.envs.config import GraspValidationConfig


@hydra_main(GraspValidationConfig)
def main(config: GraspValidationConfig) -> None:
    """Run the check and print its rates."""
    from pickclutter_lang.envs.grasp_validation import validate_grasp_labels

    result = validate_grasp_labels(config)
    for key in ("instances", "labelled", "picked", "agreement", "precision", "recall", "pose_success"):
        print(f"{key:>12}: {result[key]:.3f}" if isinstance(result[key], float) else f"{key:>12}: {result[key]}")
