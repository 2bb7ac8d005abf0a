"""Run a table or a figure of the paper: `pickclutter reproduce-tables table=1 dataset=object_views`."""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pickclutter_lang.commands import command_line
from pickclutter_lang.utils.cli import compose_config, hydra_main, own_config_dir, parse_config


@hydra_main("reproduce_tables")
def main(cfg: DictConfig) -> None:
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

    chosen = {key: cfg[key] for key in SWEEP_KEYS} | {
        "overrides": forwarded_overrides(HydraConfig.get().overrides.task, SWEEP_KEYS)
    }
    chosen["seeds"] = [cfg.seeds] if isinstance(cfg.seeds, int) else cfg.seeds
    config = parse_config(TableSweepConfig, DictConfig(chosen))
    jobs = plan_image_tables(config, lambda some: compose_config(ImageTrainConfig, "train_image_student", some), print)
    one_run = command_line("train-image-student", config_dir=own_config_dir())
    failures = run_sweep(jobs, one_run, Path(config.out), config.workers)
    if failures:
        print(describe_failures(failures, len(jobs)), file=sys.stderr)
    if any(job.done for job in jobs):
        for path in write_image_tables(config):
            print(path)
    if failures:
        sys.exit(1)
