"""Train what tables and figures of the paper need, each run in its own process, and write them.

    pickclutter reproduce-tables table=1 dataset=object_views data.root=runs/views seeds=[0,1,2]
    pickclutter reproduce-tables figure=4 dataset=image_folder data.root=IMAGES
    pickclutter reproduce-tables table=1 class_splits=[0,1] dataset=image_folder data.root=IMAGES

An interrupted command resumes when run again. It skips finished runs, which tables share. If a run fails, the others
continue.

A key of `pickclutter train-image-student` applies to every run (recipe=paper_resnet distill.epochs=40 device=cuda). The
exceptions are those in which the runs of a table differ: name, seed, data.seed, num_threads, continual_split, the
weights, top_k and filters of objective, text.descriptions, text.n_ctx and text.closed_set.

Some tables need more:

  data.descriptions=FILE  of pickclutter describe-labels, where the dataset has none (Tables 5, 6, 8 to 11, figures)
  data.captions=FILE      of pickclutter caption-images, where the dataset has none (Tables 5 and 6, Figure 4)
  text.style_dir=FOLDER   with standard.json, succinct.json, detailed.json and distinct.json (Table 7)
  text.truncate=true      to cut texts that are too long for the teacher
"""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from pickclutter_lang.commands import command_line
from pickclutter_lang.commands.hydra_app import compose_config, hydra_main, user_config_dir
from pickclutter_lang.experiments.sweeps.config import ReproduceTablesConfig


@hydra_main(ReproduceTablesConfig, extends="train_image_student")
def main(config: ReproduceTablesConfig) -> None:
    """Run what is not finished, write the tables and figures of what is, and name what failed."""
    from pickclutter_lang.experiments.images.config import ImageTrainConfig
    from pickclutter_lang.experiments.images.table_sweep import (
        SWEEP_KEYS,
        TableSweepConfig,
        plan_image_tables,
        write_image_tables,
    )
    from pickclutter_lang.experiments.sweeps.sweep_planner import forwarded_overrides
    from pickclutter_lang.experiments.sweeps.sweep_runner import describe_failures, run_sweep
    from pickclutter_lang.utils.markdown import tables_of

    sweep = TableSweepConfig(
        table=config.table,
        figure=config.figure,
        seeds=config.seeds if isinstance(config.seeds, list) else [config.seeds],
        class_splits=config.class_splits,
        out=config.out,
        workers=config.workers,
        overrides=forwarded_overrides(HydraConfig.get().overrides.task, SWEEP_KEYS),
    )
    sweep.validate()
    jobs = plan_image_tables(sweep, lambda some: compose_config(ImageTrainConfig, "train_image_student", some), print)
    one_run = command_line("train-image-student", config_dir=user_config_dir())
    failures = run_sweep(jobs, one_run, Path(config.out), config.workers)
    if failures:
        print(describe_failures(failures, len(jobs)), file=sys.stderr)
    if any(job.done for job in jobs):
        paths = write_image_tables(sweep)
        for path in paths:
            if path.suffix == ".md":
                print(tables_of(path.read_text(encoding="utf-8"), "Table "))
        print(*paths, sep="\n")
    if failures:
        sys.exit(1)
