"""One run of an image-classification benchmark: `pickclutter train-image-student objective.cls=1 out=runs/student`."""

from pathlib import Path

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("train_image_student")
def main(cfg: DictConfig) -> None:
    """Train and evaluate; what is finished in the folder `out` is left as it is."""
    from pickclutter_lang.experiments.images.config import ImageTrainConfig
    from pickclutter_lang.experiments.images.image_protocol import evaluate_images
    from pickclutter_lang.experiments.images.image_results import summary
    from pickclutter_lang.experiments.images.image_run import ImageRun
    from pickclutter_lang.experiments.result import RESULT_FILE, read_result

    config = parse_config(ImageTrainConfig, cfg)
    run = ImageRun.open(config)
    path = Path(config.out) / RESULT_FILE
    if path.is_file():
        print("this run is done; choose another out for another")
        result = read_result(Path(config.out), "images")
    else:
        print(run.report)
        run.train()
        result = evaluate_images(run)
    print(summary(result))
    print(f"result: {path}")
