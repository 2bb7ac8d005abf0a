"""Evaluate a finished run again from its checkpoints, or a policy on a scene store of any objects.

pickclutter evaluate-affordance run=runs/student
pickclutter evaluate-affordance run=runs/student report_only=true
pickclutter evaluate-affordance policy=open store=runs/scenes256/ood out=runs/open_scores
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.command_configs import AffordanceEvalConfig


@hydra_main(AffordanceEvalConfig)
def main(config: AffordanceEvalConfig) -> None:
    """Write the result, predictions and report of a run again, or its report alone, or the result of a policy."""
    if config.policy is not None and config.store is not None:
        from pickclutter_lang.experiments.scenes.policy_scores import score_policy

        print(score_policy(config.policy, config.store, config.out, config.num_threads, config.trust_code).tables)
        print(f"result: {config.out}")
    else:
        _evaluate_run(config, str(config.run))


def _evaluate_run(config: AffordanceEvalConfig, folder: str) -> None:
    from pickclutter_lang.experiments.scenes.command_configs import TrainedRunConfig
    from pickclutter_lang.experiments.scenes.config import EvaluateConfig
    from pickclutter_lang.experiments.scenes.export_policy import save_crop_scores
    from pickclutter_lang.experiments.scenes.load import load_run_config
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.training.trackers import check_report_to

    if not config.report_only:
        of_run = EvaluateConfig(folder, config.scenes, config.num_threads, config.device)
        settings = load_run_config(of_run)
        check_report_to(settings.report_to)
        print(summary(evaluate_run(SceneRun.open(settings))))
        save_crop_scores(TrainedRunConfig(folder, scenes=config.scenes, num_threads=config.num_threads))
    print(f"report: {write_report(folder)}")
