"""Train every method with every split of the objects, seed and draw, and write Table 12.

    pickclutter reproduce-table12 experiment=table12_cpu scenes=runs/scenes out=runs/table12
    pickclutter reproduce-table12 object_splits=[0,1,2] draws=[0,1,2] scenes=runs/scenes out=runs/table12
    pickclutter reproduce-table12 tables_only=true out=runs/table12
    pickclutter reproduce-table12 tables_only=true object_splits=[1,2] out=runs/table12 tables=runs/table12/others

An interrupted command resumes when run again, and skips finished runs. If a run fails, the others continue. With
tables_only=true the table is of all finished runs, or of those of the methods, object_splits, seeds and draws that the
command line gives.

A key of `pickclutter train-affordance` applies to every run (distill.epochs=20 data.target_label=present), except
method, seed, data.few_shot_draw, distilled_run and num_threads.
"""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from pickclutter_lang.commands import command_line
from pickclutter_lang.commands.hydra_app import compose_config, hydra_main, user_config_dir
from pickclutter_lang.experiments.sweeps.config import ReproduceTable12Config


@hydra_main(ReproduceTable12Config, {"experiment": "table12_cpu"}, extends="train_affordance")
def main(config: ReproduceTable12Config) -> None:
    """Run what is not finished, write the table of what is, and name what failed."""
    from pickclutter_lang.experiments.scenes.config import TrainConfig
    from pickclutter_lang.experiments.scenes.table12 import Table12Config, check_pairs, write_table
    from pickclutter_lang.experiments.scenes.table12_sweep import SWEEP_KEYS, Table12SweepConfig, plan_table12
    from pickclutter_lang.experiments.sweeps.sweep_planner import forwarded_overrides, override_key
    from pickclutter_lang.experiments.sweeps.sweep_results import Selection
    from pickclutter_lang.experiments.sweeps.sweep_runner import describe_failures, run_sweep

    hydra = HydraConfig.get()
    table = Table12Config(config.out, config.tables, config.compare)
    if config.tables_only:
        given = {*map(override_key, hydra.overrides.task)} & {*Selection._fields}
        table.chosen = Selection(**{key: getattr(config, key) for key in given})
        print(_written(write_table(table)))
        return
    sweep = Table12SweepConfig(
        experiment=hydra.runtime.choices["experiment"],
        methods=config.methods,
        object_splits=config.object_splits,
        seeds=config.seeds,
        draws=config.draws,
        out=config.out,
        workers=config.workers,
        overrides=forwarded_overrides(hydra.overrides.task, SWEEP_KEYS),
    )
    sweep.validate()
    check_pairs(table, config.methods)
    jobs = plan_table12(sweep, lambda overrides: compose_config(TrainConfig, "train_affordance", overrides))
    one_run = command_line("train-affordance", config_dir=user_config_dir())
    failures = run_sweep(jobs, one_run, Path(config.out), config.workers)
    if failures:
        print(describe_failures(failures, len(jobs)), file=sys.stderr)
    if any(job.done for job in jobs):
        print(_written(write_table(table)))
    if failures:
        sys.exit(1)


def _written(table: Path) -> str:
    from pickclutter_lang.reports.page import PAGE_FILE
    from pickclutter_lang.utils.markdown import tables_of

    shown = tables_of(table.read_text(encoding="utf-8"), "F1 per scene, %", "Mean average precision, %")
    return f"{shown}table: {table}\nreport: {table.with_name(PAGE_FILE)}"
