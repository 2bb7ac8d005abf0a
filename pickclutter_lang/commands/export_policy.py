"""Export a finished student as a policy folder: `pickclutter export-policy run=runs/student out=policy`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("export_policy")
def main(cfg: DictConfig) -> None:
    """Write the folder and say where it is."""
    from pickclutter_lang.experiments.scenes.export_policy import PolicyExportConfig, export_policy

    print(f"policy: {export_policy(parse_config(PolicyExportConfig, cfg))}")
