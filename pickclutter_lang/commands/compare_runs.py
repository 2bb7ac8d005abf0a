"""Compare finished runs with the first of them, on one page.

    pickclutter compare-runs runs=[runs/best,runs/cls] out=runs/comparison

The page has the settings that differ, results with intervals, paired differences on the scenes that runs share, bars of
each object, and curves of training. It is written from results and saved predictions alone.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.command_configs import CompareRunsConfig


@hydra_main(CompareRunsConfig)
def main(config: CompareRunsConfig) -> None:
    """Write the page, and print its path."""
    from pickclutter_lang.experiments.scenes.comparison_page import write_comparison

    print(f"report: {write_comparison(config)}")
