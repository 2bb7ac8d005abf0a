"""The sweep of Tables 1-11 and Figures 1, 2b and 4: which runs they need, planned and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.splits import Split
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.class_texts import (
    check_texts,
    describe_data,
    digest,
    space_texts,
)
from pickclutter_lang.experiments.images.config import ImageTrainConfig, ReproduceTablesConfig
from pickclutter_lang.experiments.images.image_figures import check_umap, write_figure
from pickclutter_lang.experiments.images.image_run import open_data
from pickclutter_lang.experiments.images.image_tables import (
    CLASS_SPLIT,
    FIGURES,
    IMAGE_TABLES,
    RUNS,
    TABLES,
    load_image_runs,
    write_table,
)
from pickclutter_lang.experiments.sweep import (
    Job,
    check_list,
    check_sweep,
    override_key,
    plan_runs,
)
from pickclutter_lang.results.record import Replicate
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.validation import MAX_SEED, check_path, one_of, within
from pickclutter_lang.utils.words import quoted_value

_OF_A_RUN = {"name", "seed", "num_threads"} | {
    override_key(one) for overrides in RUNS.values() for one in overrides
} - {"student"}
_GROUPS = {key.partition(".")[0] for key in _OF_A_RUN if "." in key}
_VIT = "student=vit_b_32"
_LARGE = {"dataset=food101", "dataset=sun397", "dataset=tiered_imagenet"}
_VIT_REPEATS = "epoch_repeats=3"
"""How often the paper's ViT passes over the images of large sets in an epoch; small ones are repeated for all."""


def check_tables(config: ReproduceTablesConfig, overrides: Sequence[str]) -> None:
    """Raise InvalidArgumentError for a value of the sweep, or a setting of all runs, outside what is allowed."""
    if not chosen(config.table, TABLES) + chosen(config.figure, FIGURES):
        raise InvalidArgumentError("expected table=1 to 11 or all, or figure=1, 2b, 4 or all, but got neither")
    for name, numbers, known in (("table", config.table, TABLES), ("figure", config.figure, FIGURES)):
        for number in chosen(numbers, known):
            one_of(name, number, ["all", *known])
    check_path("out", config.out)
    check_list("class_splits", config.class_splits)
    for split in config.class_splits:
        within("class_splits", split, 0, MAX_SEED)
    if CLASS_SPLIT in map(override_key, overrides):
        raise InvalidArgumentError(f"expected class_splits=[...], which sets {CLASS_SPLIT}, instead of that key")
    check_sweep(config.seeds, config.workers, overrides, _OF_A_RUN | _GROUPS)


def chosen(requested: Any, known: Iterable[str]) -> list[str]:
    """Return the numbers of tables or figures that are requested, each once."""
    if requested is None or requested == "all":
        return [] if requested is None else list(known)
    return list(dict.fromkeys(str(one) for one in (requested if isinstance(requested, list) else [requested])))


def plan_image_tables(
    config: ReproduceTablesConfig,
    overrides: Sequence[str],
    compose: Callable[[list[str]], ImageTrainConfig],
    report: Callable[[str], None] = lambda _: None,
) -> list[Job]:
    """Return the jobs; every run's settings, images, teacher, texts and captions are checked before anything starts.

    A run lies in `out/<run>/seed<seed>`, or `out/<run>/split<split>_seed<seed>`; runs that tables share are one run.

    :param overrides: settings that all runs share
    :param compose: from overrides to settings
    :param report: called with the report on each data set
    :raises InvalidArgumentError: when a value or an override is wrong, a text or caption is missing or too long
    :raises PickClutterError: what `plan_runs` and `open_data` raise
    :raises MissingExtraError: for Figure 2b without the extra `export`
    """
    check_tables(config, overrides)
    tables, figures = chosen(config.table, TABLES), chosen(config.figure, FIGURES)
    if "2b" in figures:
        check_umap()
    current = _current_provenance(report)

    def checked(overrides: list[str]) -> ImageTrainConfig:
        composed = compose(overrides)
        current(composed)
        return composed

    needed = [run for number in tables for run in TABLES[number].runs]
    needed += [run for number in figures for run in FIGURES[number]]
    specs = {run: run_overrides(run, overrides, config.vit_recipe) for run in needed}
    if own := compose(specs[needed[0]]).data.seed:
        raise InvalidArgumentError(f"expected class_splits=[{own}] instead of {CLASS_SPLIT}={own} in a file")
    replicates = [Replicate(split, seed) for split, seed in product(config.class_splits, config.seeds)]
    return plan_runs(
        Path(config.out),
        specs,
        replicates,
        checked,
        current,
        IMAGE_TABLES,
        lambda replicate, _: [f"{CLASS_SPLIT}={replicate.object_split}"],
    )


def run_overrides(run: str, shared: Sequence[str], vit_recipe: str | None = None) -> list[str]:
    """Return the overrides of a run; a network named for all runs is for those that do not fix one.

    :param vit_recipe: preset of `recipe` for the runs of a ViT; None: that of all runs
    """
    if _VIT in RUNS[run]:
        shared = [one for one in shared if override_key(one) not in ("student", "student.name")]
        if vit_recipe is not None:
            shared = [f"recipe={vit_recipe}", *(one for one in shared if override_key(one) != "recipe")]
        if "recipe=paper_vit" in shared and _LARGE & {*shared}:
            shared = [_VIT_REPEATS, *shared]  # first: one that is given counts
    return [*shared, *RUNS[run], f"name={quoted_value(run)}"]


def write_image_tables(config: ReproduceTablesConfig) -> list[Path]:
    """Write the tables and figures from the runs that are finished; return their paths.

    What has none of its runs finished is left out.

    :raises LockedError: when another process is at work in `out`
    """
    out = Path(config.out)
    with dir_lock(out):
        runs = load_image_runs(out)
        tables = [n for n in chosen(config.table, TABLES) if any(map(runs.of, TABLES[n].runs))]
        figures = [n for n in chosen(config.figure, FIGURES) if all(map(runs.of, FIGURES[n]))]
        paths = [write_table(runs, number, out) for number in tables]
        # Figure 2b last: there may be too few images for it.
        return [*paths, *(write_figure(runs, number, out) for number in sorted(figures, key=lambda n: n == "2b"))]


def _current_provenance(report: Callable[[str], None]) -> Callable[[ImageTrainConfig], dict[str, Any]]:
    """Return what checks data set, teacher, texts and captions of a run, and gives its current provenance.

    Data sets and teachers are opened once for all runs that share them.
    """
    opened: dict[str, tuple[Teacher, ImageDataset, Split]] = {}
    known: dict[str, dict[str, Any]] = {}

    def provenance_of(config: ImageTrainConfig) -> dict[str, Any]:
        with_captions = config.objective.build().needs("captions")
        key = json.dumps([vars(config.data), vars(config.teacher), vars(config.text), with_captions])
        if key not in known:
            source = json.dumps([vars(config.data), config.teacher.name, config.teacher.checkpoint, config.precision])
            if source not in opened:
                teacher, data, split, text = open_data(config)
                opened[source] = teacher, data, split
                report(text)
            teacher, data, split = opened[source]
            check_texts(config.text, teacher, data.classes)
            known[key] = {
                "data": describe_data(config, data, split),
                "teacher": {"fingerprint": teacher.fingerprint},
                "space_texts": {kind: digest(of) for kind, of in space_texts(config.text, data, split).items()},
            }
        return known[key]

    return provenance_of
