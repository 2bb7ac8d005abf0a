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
        plan_benchmark,
        write_benchmark,
    )
    from pickclutter_lang.experiments.sweeps.sweep_runner import forwarded_overrides, run_sweep

    chosen = {key: cfg[key] for key in SWEEP_KEYS} | {
        "overrides": forwarded_overrides(HydraConfig.get().overrides.task, SWEEP_KEYS)
    }
    chosen["seeds"] = [cfg.seeds] if isinstance(cfg.seeds, int) else cfg.seeds
    config = parse_config(TableSweepConfig, DictConfig(chosen))
    jobs = plan_benchmark(config, lambda some: compose_config(ImageTrainConfig, "train_image_student", some), print)
    one_run = command_line("train-image-student", config_dir=own_config_dir())
    failures = run_sweep(jobs, one_run, Path(config.out), config.workers)
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(jobs)} runs failed; run the same command again to try them", file=sys.stderr)
    if not jobs or any(job.done for job in jobs):
        for path in write_benchmark(config):
            print(path)
    if failures:
        sys.exit(1)
