"""One run of an image-classification benchmark: `pickclutter train-image-student objective.cls=1 out=runs/student`."""

from pathlib import Path

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("train_image_student")
def main(config: DictConfig) -> None:
    """Train and evaluate; what is finished in the folder `out` is left as it is."""
    from pickclutter_lang.benchmarks.protocol import evaluate_pictures
    from pickclutter_lang.benchmarks.results import read_result, summary
    from pickclutter_lang.benchmarks.run import PictureRun
    from pickclutter_lang.benchmarks.settings import BenchmarkSettings
    from pickclutter_lang.evaluation.records import RESULT_FILE

    settings = typed(BenchmarkSettings, config)
    run = PictureRun.open(settings)
    path = Path(settings.out) / RESULT_FILE
    if path.is_file():
        print("this run is done; choose another out for another")
        result = read_result(path)
    else:
        print(run.report)
        run.train()
        result = evaluate_pictures(run)
    print(summary(result))
    print(f"result: {path}")
