"""95% intervals of mean class accuracies over images and classes, and of differences on images that runs share."""

from __future__ import annotations

from collections.abc import Mapping

from pickclutter_lang.experiments.images.image_answers import SavedAnswers
from pickclutter_lang.experiments.images.sweep_answers import decisions
from pickclutter_lang.experiments.shared_bootstraps import Place, ScoredCell, SharedBootstraps
from pickclutter_lang.metrics.bootstrap import Metric

_RESAMPLES = 300
INTERVAL_NOTE = (
    "± half of the 95% interval over images and classes (bootstrap). One run: other seeds are not covered. A guess has "
    "no interval."
)
ACCURACY: Metric = "recall"
"""The mean accuracy of classes, as the bootstrap knows it."""


def image_bootstraps(runs: Mapping[str, SavedAnswers]) -> SharedBootstraps:
    """Return bootstraps over the images and classes of each stage and part."""
    cells: dict[Place, ScoredCell] = {}
    for run, saved in runs.items():
        for stage, parts in saved.stages.items():
            for part, answer in parts.items():
                images = saved.of(part)
                found = decisions(saved.classes, images["labels"], answer["predicted"])
                cells[run, stage, part] = ScoredCell(images["images"], found.classes, found.targets, found.scores)
    return SharedBootstraps(cells, _RESAMPLES)
