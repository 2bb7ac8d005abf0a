"""The sweep of Table 12: methods times object splits, seeds and draws, and what its runs must share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from pickclutter_lang.datasets.scene_images import data_provenance
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.manifest import read_manifest
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.experiments.scenes.config import ReproduceTable12Config, TrainConfig
from pickclutter_lang.experiments.sweep import Job, check_list, check_sweep, plan_runs
from pickclutter_lang.language.descriptions import description_origins
from pickclutter_lang.objects.object_sets import check_own_split
from pickclutter_lang.results.comparability import comparable_settings, provenance, same_descriptions
from pickclutter_lang.results.record import Record, Replicate
from pickclutter_lang.results.runs import SweepRules
from pickclutter_lang.utils.validation import check_path
from pickclutter_lang.utils.words import quoted_value

METHODS = {
    "closed_set": "Closed-Set",
    "cls": "L_cls",
    "cls_imcst": "+ L_im-cst",
    "cls_imcst_semantic": "+ Semantic Enrich",
}
"""Method -> its row of Table 12, in the paper's order."""

_SHARED = ("data", "student", "teacher", "selection_metric")
_BUDGET = ("epochs", "batch_size", "epoch_over", "repeats", "image_size_schedule", "optimizer", "schedule")


def plan_table12(
    config: ReproduceTable12Config,
    experiment: str,
    overrides: Sequence[str],
    compose: Callable[[list[str]], TrainConfig],
) -> list[Job]:
    """Return the jobs of the sweep: each method with each seed, split and draw, on the settings of an experiment.

    Seed comes after seed, so that a part of the sweep is already a table. A run lies in
    `out/<method>/<Replicate.folder_name>`. The scenes of object split K lie in `scenes/split<K>`, those of split 0 may
    lie in `scenes` itself. Runs that differ only in the draw share the distillation of the first draw.

    :param overrides: of every run
    :param compose: from overrides to settings; every run's are checked before anything starts
    :raises PickClutterError: what `plan_runs` raises; InvalidArgumentError for a value outside what is allowed
    """
    check_path("out", config.out)
    for name in ("methods", "object_splits", "draws"):
        check_list(name, getattr(config, name))
    for object_split in config.object_splits:
        check_own_split(object_split)  # `_scenes` compares it with the stores
    check_sweep(config.seeds, config.workers, overrides, ("method", "data.few_shot_draw", "distilled_run"))
    specs = {name: [f"experiment={experiment}", f"method={name}", *overrides] for name in config.methods}
    scenes = {number: _scenes(compose, specs[config.methods[0]], number) for number in config.object_splits}
    found = product(config.seeds, config.object_splits, config.draws)
    replicates = [Replicate(object_split, seed, draw) for seed, object_split, draw in found]

    def vary(replicate: Replicate, first: Job | None) -> list[str]:
        varied = [f"scenes={quoted_value(scenes[replicate.object_split])}", f"data.few_shot_draw={replicate.draw}"]
        return varied if first is None else [*varied, f"distilled_run={quoted_value(str(first.folder))}"]

    return plan_runs(Path(config.out), specs, replicates, compose, _current_provenance(), TABLE12, vary)


def _scenes(compose: Callable[[list[str]], TrainConfig], overrides: Sequence[str], object_split: int) -> str:
    """Return the folder of the scenes of an object split.

    :raises DatasetError: when there are none
    :raises MismatchError: when they are of another split
    """
    config = compose([*overrides])
    scenes = str(Path(config.scenes, f"split{object_split}"))
    if object_split or Path(scenes).is_dir():
        config = compose([*overrides, f"scenes={quoted_value(scenes)}"])
    train = config.data.train
    found = read_manifest(Path(train)).object_split
    if found != object_split:
        raise MismatchError(
            f"expected scenes of object_split={object_split} in {train}, but they are of object_split={found}; "
            f"collect them with object_split={object_split} out={train}"
        )
    return config.scenes


def _current_provenance() -> Callable[[TrainConfig], dict[str, Any]]:
    """Return what gives a run's current provenance; stores and teachers are opened once for all that share them."""
    known: dict[str, Any] = {}

    def provenance_of(config: TrainConfig) -> dict[str, Any]:
        from pickclutter_lang.teachers import load_teacher  # takes seconds, and only finished runs need it

        data, teacher = config.data, config.teacher
        stores = json.dumps([data.stores, data.scene_subsets, data.unlabeled])
        weights = json.dumps([teacher.name, teacher.checkpoint])
        if stores not in known:
            known[stores] = data_provenance(data)
        if weights not in known:
            known[weights] = load_teacher(teacher.name, teacher.checkpoint).fingerprint
        return {
            "data": known[stores],
            "teacher": {"fingerprint": known[weights]},
            "descriptions": description_origins(config.prompts.sources, SceneStore.open(data.train).own_catalog),
        }

    return provenance_of


def _of_every_replicate(result: Record) -> dict[str, Any]:
    """Return the settings that the replicates of a method share."""
    return {key: value for key, value in comparable_settings(result).items() if key != "seed"}


def _of_every_method(result: Record) -> dict[str, Any]:
    """Return what the methods of a table share: not objective, prompts, augmentation and the like."""
    config = comparable_settings(result)
    shared: dict[str, Any] = {key: config.get(key) for key in _SHARED}
    shared["data"] = {key: value for key, value in (shared["data"] or {}).items() if key != "augmentation"}
    for phase in ("distill", "few_shot"):
        values: Mapping[str, Any] = config.get(phase, {})
        shared[phase] = {key: values.get(key) for key in _BUDGET}
    return {"settings": shared, "teacher": provenance(result)["teacher"]}


def _scenes_of(result: Record, *stores: str) -> dict[str, Any]:
    """Return the provenance of some stores of a result."""
    return {"data": {name: result["data"].get(name) for name in stores}}


def _order(method: str) -> tuple[int, str]:
    """Sort the paper's methods first, in its order, then `best`, then its ablations."""
    known = [*METHODS, "best"]
    return (known.index(method), "") if method in known else (len(known), method)


TABLE12 = SweepRules(
    kind="scenes",
    comparisons=(
        lambda result: {str(result["name"]): _of_every_replicate(result)},
        lambda result: {"": _of_every_method(result)},
        lambda result: {str(result.get("object_split", 0)): _scenes_of(result, "train", "id", "ood")},
        lambda result: {
            f"{result.get('object_split', 0)} {result.get('few_shot_draw', 0)}": _scenes_of(result, "fewshot")
        },
        lambda result: {f"{result['name']} {result.get('object_split', 0)}": _scenes_of(result, "unlabeled")},
        same_descriptions,
    ),
    order=_order,
    command="pickclutter reproduce-table12",
    scored=("ood_on_ood",),
)
