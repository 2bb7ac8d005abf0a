"""Export a finished student as a policy folder: `pickclutter export-policy run=runs/student out=policy`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("export_policy")
def main(config: DictConfig) -> None:
    """Write the folder and say where it is."""
    from pickclutter_lang.policy.export import PolicySettings, export_policy

    print(f"policy: {export_policy(typed(PolicySettings, config))}")
