"""Distill a student that classifies single images, fine-tune it on few images of unseen classes, and evaluate it.

    pickclutter train-image-student dataset=object_views objective.cls=1 objective.im_cst=1 out=runs/image_student

This is one run of a table of the paper. `pickclutter reproduce-tables` runs full tables. An interrupted command
resumes when run again.
"""

from pathlib import Path

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.images.config import ImageTrainConfig

PRESETS = {"dataset": "object_views", "teacher": "pocket", "student": "resnet18", "recipe": "cpu"}
PRESET_OVERRIDES = {"student": {"output_stride": None}}  # any student as its library has it


@hydra_main(ImageTrainConfig, PRESETS, preset_overrides=PRESET_OVERRIDES, several_processes=True)
def main(config: ImageTrainConfig) -> None:
    """Train, evaluate and report; finished phases in the folder `out` are skipped."""
    from pickclutter_lang.experiments.images.image_protocol import evaluate_images
    from pickclutter_lang.experiments.images.image_report import write_report
    from pickclutter_lang.experiments.images.image_results import summary
    from pickclutter_lang.experiments.images.image_run import ImageRun
    from pickclutter_lang.experiments.result import RESULT_FILE, read_result
    from pickclutter_lang.utils.ranks import is_main

    run, done = ImageRun.open(config), (Path(config.out) / RESULT_FILE).is_file()
    if is_main():
        print("this run is done; choose another out= to train again" if done else run.report)
    if not done:
        run.train()
    if is_main():
        result = read_result(Path(config.out), "images") if done else evaluate_images(run)
        print(summary(result))
        print(f"report: {write_report(config.out)}")
