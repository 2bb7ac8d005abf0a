"""Evaluate a finished run again from its checkpoints: `python scripts/evaluate_affordance.py run=runs/student`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("evaluate_affordance")
def main(config: DictConfig) -> None:
    """Write `result.json`, the predictions and the report of a run anew."""
    from pickclutter_lang.evaluation.protocol import evaluate_run
    from pickclutter_lang.evaluation.report import summary, write_report
    from pickclutter_lang.training import EvaluateSettings, Run, saved_settings

    settings = saved_settings(typed(EvaluateSettings, config))
    result = evaluate_run(Run.open(settings))
    print(summary(result))
    print(f"report: {write_report(settings.out)}")


if __name__ == "__main__":
    main()
