"""Distil a student, fine-tune it on few scenes, evaluate it, write a report: `pickclutter train-affordance`."""

from pathlib import Path

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("train_affordance")
def main(config: DictConfig) -> None:
    """Train, evaluate and report; what is finished in the folder `out` is left as it is."""
    from pickclutter_lang.evaluation.protocol import evaluate_run
    from pickclutter_lang.evaluation.records import RESULT_FILE
    from pickclutter_lang.evaluation.report import load_result, summary, write_report
    from pickclutter_lang.training import Run, TrainSettings

    settings = typed(TrainSettings, config)
    run = Run.open(settings)
    if (Path(settings.out) / RESULT_FILE).is_file():
        print(f"this run is done; to evaluate it anew: pickclutter evaluate-affordance run={settings.out}")
        result = load_result(Path(settings.out))
    else:
        run.train()
        result = evaluate_run(run)
    report = write_report(settings.out)
    print(summary(result))
    print(f"report: {report}")
