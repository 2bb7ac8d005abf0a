"""Compare finished runs with the first of them, on one page.

    pickclutter compare-runs runs=[runs/best,runs/cls] out=runs/comparison
    pickclutter compare-runs runs=[runs/best,runs/cls] out=runs/comparison tables=runs/comparison/numbers

All are of one kind: trainings on scenes, trainings on single images, or evaluations of policies. The page has the
settings that differ, results with intervals, paired differences on the scenes, images or piles that runs share, bars of
each object, and curves of training. It is written from results, saved predictions and logged episodes alone.
"""

from importlib import import_module

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.compare_config import CompareRunsConfig, kind_of_runs

_PAGES = {
    "scenes": "pickclutter_lang.experiments.scenes.scene_comparison",
    "images": "pickclutter_lang.experiments.images.image_comparison",
    "policy": "pickclutter_lang.evaluation.policy_comparison",
}
"""Kind of runs -> the module that writes their page."""


@hydra_main(CompareRunsConfig)
def main(config: CompareRunsConfig) -> None:
    """Write the page, and print its path."""
    kind = kind_of_runs(config.runs)
    if config.tables is not None and kind != "scenes":
        raise InvalidArgumentError(f"expected runs on scenes for tables={config.tables}, but got {kind}; leave it out")
    module = import_module(_PAGES[kind])
    print(f"report: {module.write_comparison(config)}")
