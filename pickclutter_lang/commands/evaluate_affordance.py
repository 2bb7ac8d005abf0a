"""Evaluate a finished run again from its checkpoints: `pickclutter evaluate-affordance run=runs/student`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("evaluate_affordance")
def main(config: DictConfig) -> None:
    """Write `result.json`, the predictions and the report of a run anew, or the report alone."""
    from pickclutter_lang.evaluation.protocol import evaluate_run
    from pickclutter_lang.evaluation.report import summary, write_report
    from pickclutter_lang.training import EvaluateSettings, Run, saved_settings

    request = typed(EvaluateSettings, config)
    if not request.report_only:
        print(summary(evaluate_run(Run.open(saved_settings(request)))))
    print(f"report: {write_report(request.run)}")
