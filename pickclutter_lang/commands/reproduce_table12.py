"""Run the sweep of Table 12 and write it: `pickclutter reproduce-table12 scenes=runs/scenes out=runs/table12`."""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pickclutter_lang.commands import command_line
from pickclutter_lang.utils.cli import compose_config, hydra_main, own_config_dir, parse_config


@hydra_main("reproduce_table12")
def main(cfg: DictConfig) -> None:
    """Run what is not finished, write the table of what is, and name what failed."""
    from pickclutter_lang.experiments.scenes.config import TrainConfig
    from pickclutter_lang.experiments.scenes.table12 import Table12Config, write_table
    from pickclutter_lang.experiments.scenes.table12_sweep import SWEEP_KEYS, Table12SweepConfig, plan_table12
    from pickclutter_lang.experiments.sweeps.sweep_planner import forwarded_overrides
    from pickclutter_lang.experiments.sweeps.sweep_runner import describe_failures, run_sweep

    table = parse_config(Table12Config, DictConfig({"runs": cfg.out, "out": cfg.tables, "compare": cfg.compare}))
    if cfg.tables_only:
        print(f"table: {write_table(table)}")
        return
    hydra = HydraConfig.get()
    chosen = {key: cfg[key] for key in ("methods", "seeds", "out", "workers")}
    chosen |= {
        "experiment": hydra.runtime.choices["experiment"],
        "overrides": forwarded_overrides(hydra.overrides.task, SWEEP_KEYS),
    }
    config = parse_config(Table12SweepConfig, DictConfig(chosen))
    jobs = plan_table12(config, lambda overrides: compose_config(TrainConfig, "train_affordance", overrides))
    one_run = command_line("train-affordance", config_dir=own_config_dir())
    failures = run_sweep(jobs, one_run, Path(config.out), config.workers)
    if any(job.done for job in jobs):
        print(f"table: {write_table(table)}")
    if failures:
        print(describe_failures(failures, len(jobs)), file=sys.stderr)
        sys.exit(1)
