"""Run the grid of Table 12 and write the table: `pickclutter reproduce-table12 scenes=runs/scenes out=runs/table12`."""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pickclutter_lang.command import command, composed, own_config_dir, typed
from pickclutter_lang.commands import command_line


@command("reproduce_table12")
def main(config: DictConfig) -> None:
    """Run what is not finished, write the table of what is, and name what failed."""
    from pickclutter_lang.evaluation.grid_runner import GridSettings, passed_on, plan_grid, run_grid
    from pickclutter_lang.evaluation.table12 import TableSettings, write_table
    from pickclutter_lang.training import TrainSettings

    table = typed(TableSettings, DictConfig({"runs": config.out, "out": config.tables, "compare": config.compare}))
    if config.tables_only:
        print(f"table: {write_table(table)}")
        return
    hydra = HydraConfig.get()
    chosen = {key: config[key] for key in ("methods", "seeds", "out", "workers")}
    chosen |= {"experiment": hydra.runtime.choices["experiment"], "overrides": passed_on(hydra.overrides.task)}
    settings = typed(GridSettings, DictConfig(chosen))
    jobs = plan_grid(settings, lambda overrides: composed(TrainSettings, "train_affordance", overrides))
    one_run = command_line("train-affordance", config_dir=own_config_dir())
    failures = run_grid(jobs, one_run, Path(settings.out), settings.workers)
    if any(job.done for job in jobs):
        print(f"table: {write_table(table)}")
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(jobs)} runs failed; run the same command again to try them", file=sys.stderr)
        sys.exit(1)
