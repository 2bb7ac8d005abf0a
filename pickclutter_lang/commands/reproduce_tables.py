"""Run a table or a figure of the paper: `pickclutter reproduce-tables table=1 benchmark=object_views`."""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pickclutter_lang.command import command, composed, own_config_dir, typed
from pickclutter_lang.commands import command_line


@command("reproduce_tables")
def main(config: DictConfig) -> None:
    """Run what is not finished, write the tables and figures of what is, and name what failed."""
    from pickclutter_lang.benchmarks.grid import OWN, BenchmarkGridSettings, plan_benchmark, write_benchmark
    from pickclutter_lang.benchmarks.settings import BenchmarkSettings
    from pickclutter_lang.evaluation.grid_runner import passed_on, run_grid

    chosen = {key: config[key] for key in OWN} | {"overrides": passed_on(HydraConfig.get().overrides.task, OWN)}
    chosen["seeds"] = [config.seeds] if isinstance(config.seeds, int) else config.seeds
    settings = typed(BenchmarkGridSettings, DictConfig(chosen))
    jobs = plan_benchmark(settings, lambda some: composed(BenchmarkSettings, "train_image_student", some), print)
    one_run = command_line("train-image-student", config_dir=own_config_dir())
    failures = run_grid(jobs, one_run, Path(settings.out), settings.workers)
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(jobs)} runs failed; run the same command again to try them", file=sys.stderr)
    if not jobs or any(job.done for job in jobs):
        for path in write_benchmark(settings):
            print(path)
    if failures:
        sys.exit(1)
