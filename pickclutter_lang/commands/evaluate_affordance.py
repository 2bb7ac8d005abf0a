"""Evaluate a finished run again from its checkpoints.

pickclutter evaluate-affordance run=runs/student
pickclutter evaluate-affordance run=runs/student report_only=true
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.config import EvaluateConfig


@hydra_main(EvaluateConfig)
def main(config: EvaluateConfig) -> None:
    """Write `result.json`, the predictions and the report of a run again, or the report alone."""
    from pickclutter_lang.experiments.scenes.command_configs import TrainedRunConfig
    from pickclutter_lang.experiments.scenes.export_policy import save_crop_scores
    from pickclutter_lang.experiments.scenes.load import load_run_config
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun

    if not config.report_only:
        print(summary(evaluate_run(SceneRun.open(load_run_config(config)))))
        save_crop_scores(TrainedRunConfig(config.run, scenes=config.scenes, num_threads=config.num_threads))
    print(f"report: {write_report(config.run)}")
