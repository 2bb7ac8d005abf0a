"""Distill a student, fine-tune it on few-shot scenes, evaluate it, and write a report.

    pickclutter train-affordance experiment=quickstart scenes=runs/scenes out=runs/student

The student scores which named objects can be grasped. Every key below can be set: distill.epochs=20
data.target_label=visible. An interrupted command resumes when run again.
"""

from pathlib import Path

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig, TrainConfig

PRESETS = {
    "data": "hand_rgb",
    "teacher": "pocket",
    "student": "resnet10t",
    "few_shot": "quick",
    "crop_classifier": "none",
    "method": "cls_imcst",
    "experiment": "quickstart",
}


@hydra_main(TrainConfig, PRESETS, optional={"crop_classifier": CropClassifierPhaseConfig}, several_processes=True)
def main(config: TrainConfig) -> None:
    """Train, evaluate and report; finished phases in the folder `out` are skipped."""
    from pickclutter_lang.experiments.result import RESULT_FILE, read_result
    from pickclutter_lang.experiments.scenes.command_configs import TrainedRunConfig
    from pickclutter_lang.experiments.scenes.export_policy import save_crop_scores
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.teachers.known_words import zero_words_note
    from pickclutter_lang.utils.ranks import is_main

    run, done = SceneRun.open(config), (Path(config.out) / RESULT_FILE).is_file()
    if not done:
        note = zero_words_note(run.teacher, run.label_names(("id", "ood")))
        if note and is_main() and not config.prompts.closed_set:
            print(note)
        run.train()
    if not is_main():
        return
    if done:
        print(f"this run is done; to evaluate it again: pickclutter evaluate-affordance run={config.out}")
        result = read_result(Path(config.out), "scenes")
    else:
        save_crop_scores(TrainedRunConfig(config.out, num_threads=config.num_threads))
        result = evaluate_run(run)  # writes result.json, after which a run is done
    report = write_report(config.out)
    print(summary(result))
    print(f"report: {report}")
