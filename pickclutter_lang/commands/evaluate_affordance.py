"""Evaluate a finished run again from its checkpoints: `pickclutter evaluate-affordance run=runs/student`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("evaluate_affordance")
def main(cfg: DictConfig) -> None:
    """Write `result.json`, the predictions and the report of a run anew, or the report alone."""
    from pickclutter_lang.experiments.scenes.config import EvaluateConfig
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun, load_run_config

    request = parse_config(EvaluateConfig, cfg)
    if not request.report_only:
        print(summary(evaluate_run(SceneRun.open(load_run_config(request)))))
    print(f"report: {write_report(request.run)}")
