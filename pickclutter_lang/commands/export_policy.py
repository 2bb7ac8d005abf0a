"""Export a finished student as a policy folder of safetensors and JSON, for use in the environment.

    pickclutter export-policy run=runs/student out=policy

All seen names share one threshold of their scores, all unseen names another. Before fine-tuning both come from the
scenes of seen objects. After it, that of unseen names comes from the few-shot scenes, and seen names take the higher
one of what both kinds of scenes give.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig


@hydra_main(PolicyExportConfig)
def main(config: PolicyExportConfig) -> None:
    """Write the folder, and print the path."""
    from pickclutter_lang.experiments.scenes.export_policy import export_policy

    folder = export_policy(config)
    print(f"policy: {folder}")
    if config.push_to is not None:
        from pickclutter_lang.policy.hub import push_policy

        print(f"pushed: {push_policy(folder, config.push_to, config.private)}")
