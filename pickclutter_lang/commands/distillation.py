"""Commands that train students on scenes, evaluate them, compare runs, and write Table 12."""

from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from pickclutter_lang.commands.app import Command, compose_config, run_jobs
from pickclutter_lang.experiments.scenes.config import (
    AffordanceEvalConfig,
    CropClassifierPhaseConfig,
    ReproduceTable12Config,
    TrainConfig,
)
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.results.config import CompareRunsConfig

PRESETS = {
    "data": "hand_rgb",
    "teacher": "pocket",
    "student": "resnet10t",
    "few_shot": "quick",
    "crop_classifier": "none",
    "method": "cls_imcst",
    "experiment": "quickstart",
}


@Command(
    TrainConfig,
    PRESETS,
    optional={"crop_classifier": CropClassifierPhaseConfig},
    trains=True,
    short=(
        *("scenes", "out", "seed", "num_threads", "num_workers", "device"),
        *("data.image_size", "data.target_label", "distill.epochs", "few_shot.epochs"),
    ),
)
def train_affordance(config: TrainConfig) -> None:
    """Distill a student, fine-tune it on few-shot scenes, evaluate it, and write a report.

        pickclutter train-affordance experiment=quickstart scenes=runs/scenes out=runs/student

    The student scores which named objects can be grasped. Every key can be set: distill.epochs=20
    data.target_label=visible. An interrupted command resumes when run again.
    """
    from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.policy_making.export_policy import save_crop_scores
    from pickclutter_lang.results.record import RESULT_FILE
    from pickclutter_lang.teachers.known_words import unknown_words_note
    from pickclutter_lang.utils.ranks import is_main

    run = SceneRun.open(config)
    done = (Path(config.out) / RESULT_FILE).is_file()
    if not done:
        note = unknown_words_note(run.teacher, list(run.unseen))
        if note and is_main() and not config.prompts.closed_set:
            print(note)
        run.train()
    if not is_main():
        return
    if done:
        print(f"this run is done; to evaluate it again: pickclutter evaluate-affordance run={config.out}")
    else:
        save_crop_scores(TrainedRunConfig(config.out, num_threads=config.num_threads))
        evaluate_run(run)  # writes result.json, after which a run is done
    report = write_report(config.out)
    print(summary(config.out))
    print(f"report: {report}")


@Command(AffordanceEvalConfig)
def evaluate_affordance(config: AffordanceEvalConfig) -> None:
    """Evaluate a finished run again from its checkpoints, or a policy on a scene store, or on frames of a real camera.

    pickclutter evaluate-affordance run=runs/student
    pickclutter evaluate-affordance run=runs/student report_only=true
    pickclutter evaluate-affordance policy=open store=runs/scenes256/ood out=runs/open_scores
    pickclutter evaluate-affordance policy=mine frames=my_frames out=runs/my_camera
    """
    if config.policy is not None and config.frames is not None:
        from pickclutter_lang.evaluation.frame_scores import score_frames

        names = validate_label_names(config.names) if config.names else ()
        print(score_frames(config.policy, config.frames, config.out, config.annotations, names, config.trust_code))
        print(f"answers, tables and a sheet of failures: {config.out}")
        return
    if config.policy is not None and config.store is not None:
        from pickclutter_lang.policy_making.policy_scores import TABLES_FILE, score_policy

        score_policy(config.policy, config.store, config.out, config.num_threads, config.trust_code)
        print(Path(config.out, TABLES_FILE).read_text(encoding="utf-8"))
        print(f"result: {config.out}")
        return
    from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
    from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
    from pickclutter_lang.experiments.scenes.scene_report import summary, write_report
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun
    from pickclutter_lang.experiments.scenes.trained_run import load_run_config
    from pickclutter_lang.policy_making.export_policy import save_crop_scores
    from pickclutter_lang.training.logger import check_report_to

    folder = str(config.run)
    if not config.report_only:
        settings = load_run_config(folder, config.scenes, config.num_threads, config.device)
        check_report_to(settings.report_to)
        evaluate_run(SceneRun.open(settings))
        print(summary(folder))
        save_crop_scores(TrainedRunConfig(folder, scenes=config.scenes, num_threads=config.num_threads))
    print(f"report: {write_report(folder)}")


@Command(CompareRunsConfig)
def compare_runs(config: CompareRunsConfig) -> None:
    """Compare finished runs with the first of them, on one page.

        pickclutter compare-runs runs=runs/best,runs/cls out=runs/comparison

    All are of one kind: trainings on scenes, trainings on single images, or evaluations of policies. The page has the
    settings that differ, results with intervals, paired differences on the scenes, images or piles that runs share,
    bars of each label, and curves of training. It is written from `result.json` and `scores.npz` of each run.
    """
    from pickclutter_lang.results.comparison import write_comparison

    print(f"report: {write_comparison(config)}")


@Command(ReproduceTable12Config, {"experiment": "table12_cpu"}, extends="train_affordance")
def reproduce_table12(config: ReproduceTable12Config) -> None:
    """Train every method with every split of the objects, seed and draw, and write Table 12.

        pickclutter reproduce-table12 experiment=table12_cpu scenes=runs/scenes out=runs/table12
        pickclutter reproduce-table12 object_splits=0,1,2 draws=0,1,2 scenes=runs/scenes out=runs/table12
        pickclutter reproduce-table12 tables_only=true out=runs/table12
        pickclutter reproduce-table12 tables_only=true object_splits=1,2 out=runs/table12 tables=runs/table12/others

    An interrupted command resumes when run again, and skips finished runs. If a run fails, the others continue. With
    tables_only=true the table is of all finished runs, or of those of the methods, object_splits, seeds and draws that
    the command line gives.

    A key of `pickclutter train-affordance` applies to every run (distill.epochs=20 data.target_label=present), except
    method, seed, data.few_shot_draw, distilled_run and num_threads.
    """
    from pickclutter_lang.experiments.scenes.config import TrainConfig
    from pickclutter_lang.experiments.scenes.table12 import check_pairs, write_table
    from pickclutter_lang.experiments.scenes.table12_sweep import plan_table12
    from pickclutter_lang.experiments.sweep import forwarded_overrides, override_key
    from pickclutter_lang.results.page import PAGE_FILE
    from pickclutter_lang.results.runs import EVERY_RUN, Selection
    from pickclutter_lang.utils.markdown import tables_of

    def write(chosen: Selection = EVERY_RUN) -> None:
        table = write_table(config.out, config.tables, config.compare, chosen)
        shown = tables_of(table.read_text(encoding="utf-8"), "F1 per scene, %", "Mean average precision, %")
        print(f"{shown}table: {table}\nreport: {table.with_name(PAGE_FILE)}")

    hydra = HydraConfig.get()
    if config.tables_only:
        given = {*map(override_key, hydra.overrides.task)} & {*Selection._fields}
        write(Selection(**{key: getattr(config, key) for key in given}))
        return
    check_pairs(config.out, config.compare, config.methods)
    overrides = forwarded_overrides(hydra.overrides.task, (*vars(config), "experiment"))
    compose = partial(compose_config, TrainConfig, "train_affordance")
    jobs = plan_table12(config, hydra.runtime.choices["experiment"], overrides, compose)
    run_jobs(jobs, "train-affordance", config.out, config.workers, write)
