"""Distil a student, fine-tune it on few scenes, evaluate it, write a report: `pickclutter train-affordance`."""

from pathlib import Path

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("train_affordance")
def main(cfg: DictConfig) -> None:
    """Train, evaluate and report; what is finished in the folder `out` is left as it is."""
    from pickclutter_lang.experiments.result import RESULT_FILE, read_result
    from pickclutter_lang.experiments.scenes.config import TrainConfig
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun

    config = parse_config(TrainConfig, cfg)
    run = SceneRun.open(config)
    if (Path(config.out) / RESULT_FILE).is_file():
        print(f"this run is done; to evaluate it anew: pickclutter evaluate-affordance run={config.out}")
        result = read_result(Path(config.out), "scenes")
    else:
        run.train()
        result = evaluate_run(run)
    report = write_report(config.out)
    print(summary(result))
    print(f"report: {report}")
