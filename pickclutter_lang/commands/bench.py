"""Measure decisions, networks, training steps, the simulator and start-up on this machine, each against another.

    OMP_NUM_THREADS=1 pickclutter bench                          # all rows, most of an hour
    OMP_NUM_THREADS=1 pickclutter bench only=[decision,scenes/plain] repeats=50 out=runs/bench.json

Both sides of a row take turns, equally long. Measure on idle cores: other work shifts times, and ratios too. What needs
an extra that is missing is skipped by name. An interrupted command resumes when run again.
"""

from pickclutter_lang.benchmarking.config import BenchConfig
from pickclutter_lang.commands.hydra_app import hydra_main


@hydra_main(BenchConfig)
def main(config: BenchConfig) -> None:
    """Measure, and print the table."""
    from pickclutter_lang.benchmarking.bench import bench
    from pickclutter_lang.benchmarking.report import report_note, report_table

    report = bench(config)
    print(report_table(report))
    print(f"\n{report_note(report)}\nfile: {config.out}")
