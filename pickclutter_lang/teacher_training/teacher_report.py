"""Evaluation of a pocket teacher on held-out scenes and views; gives all metrics of its model card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.crops import crop_squares
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.metrics.multilabel import multilabel_row, trivial_predictors
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.compositions import Composition, held_out_compositions, shown_compositions
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.encoded_views import clusters_of, confusions
from pickclutter_lang.teacher_training.probes import probe_metrics
from pickclutter_lang.teacher_training.render_sources import MIN_VISIBLE_FRACTION
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import (
    ABSENT_TEMPLATE,
    PHOTO_TEMPLATE,
    PRESENT_TEMPLATE,
    encode_images,
    prompt_pair_probabilities,
)
from pickclutter_lang.utils.constants import ROBOT_SEGMENT
from pickclutter_lang.utils.statistics import clustered_difference, clustered_interval

_SOURCES, _OF_ALL = ("views", "crops"), "views among all names"
_CROP_EVERY = 2
_CROP_SIZE = 96  # of every store, so that its figures differ by the images alone
# The objects lie in the center of the hand camera's image. These keys are also those of `figures.json`.
_CENTER_CROPS = {"whole": 1.0, "middle": 0.7}


def evaluate_teacher(teacher: PocketTeacher, config: TeacherTrainConfig) -> dict[str, Any]:
    """Evaluate a teacher on the held-out scenes and views of its configuration, zero-shot, with fixed prompts.

    :return: `scenes` (for each store, the full image and its center, and groups of names: multi-label metrics of the
        label `visible`), `crops` (for each store: top-1 over all names on crops of visible objects, of every other
        scene), `views` and `attributes` (for each folder and group of objects: see `probe_metrics`), `kinds` (for each
        folder with instances of kinds: see `kind_accuracy`), `confusions` (for each folder: see there), `objects` (per
        object: top-1 on views and on crops), and of each object set `all_names` (top-1 of all views among all names)
        and `views_minus_crops` (top-1 of the objects in both: difference and interval)
    """
    found: dict[str, Any] = {key: {} for key in ("scenes", "crops", "views", "attributes", "kinds", "confusions")}
    objects: dict[str, dict[str, list[bool]]] = {}
    names = _NameFeatures(teacher)
    for folder in config.unseen_scenes:
        _evaluate_scenes(teacher, SceneStore.open(folder), names, found, objects)
    shown = shown_compositions(map(ObjectViewDataset.open, config.views if config.hold_out_compositions else ()))
    for folder in config.unseen_views:
        _evaluate_views(teacher, ObjectViewDataset.open(folder), shown, found, objects)
    found["objects"] = {
        name: {source: float(np.mean(hits[source])) if hits.get(source) else None for source in _SOURCES}
        for name, hits in objects.items()
    }
    found |= _of_object_sets(objects)
    return found


def _of_object_sets(objects: Mapping[str, Mapping[str, list[bool]]]) -> dict[str, Any]:
    """Return `all_names` and `views_minus_crops` of each object set."""
    all_names, differences = {}, {}
    for object_set in ("ycb", "proxy"):
        views, crops, of_all = (f"{source}, {object_set}" for source in (*_SOURCES, _OF_ALL))
        asked = [hits[of_all] for hits in objects.values() if of_all in hits]
        if asked:
            top1 = float(np.mean([hit for hits in asked for hit in hits]))
            all_names[object_set] = {"objects": len(asked), "top1": top1, "interval": clustered_interval(asked)}
        both = [hits for hits in objects.values() if {views, crops} <= hits.keys()]
        if both:
            differences[object_set] = clustered_difference(
                [hits[views] for hits in both], [hits[crops] for hits in both]
            )
    return {"all_names": all_names, "views_minus_crops": differences}


def _evaluate_scenes(
    teacher: PocketTeacher,
    store: SceneStore,
    names: _NameFeatures,
    found: dict[str, Any],
    objects: dict[str, dict[str, list[bool]]],
) -> None:
    """Add the metrics of a store to `found`, and the hits on its crops to those of `objects`."""
    label = f"{store.manifest.object_set}, {store.manifest.split}, {store.image_size} px"
    label += f", object split {store.object_split}" if store.object_split else ""
    label = _unique(label, (key.removesuffix(", whole") for key in found["scenes"]))
    found["scenes"] |= {f"{label}, {key}": row for key, row in _scene_metrics(teacher, store, names).items()}
    hits = _crop_hits(teacher, store, names)
    found["crops"] |= {f"{label}{key}": row for key, row in _crop_metrics(hits).items()}
    for source in ("crops", f"crops, {store.manifest.object_set}"):
        _collect(objects, hits, source)


def _evaluate_views(
    teacher: PocketTeacher,
    store: ObjectViewDataset,
    shown: frozenset[Composition],
    found: dict[str, Any],
    objects: dict[str, dict[str, list[bool]]],
) -> None:
    """Add the metrics of a folder of views to `found`, and the hits on them to those of `objects`."""
    metrics = probe_metrics(teacher, store, shown, held_out_compositions(shown))
    label = _unique(_views_label(store.config), (key.rpartition(", ")[0] for key in found["attributes"]))
    found["views"] |= {f"{label}, {group}": row for group, row in metrics["names"].items()}
    found["attributes"] |= {f"{label}, {group}": row for group, row in metrics["attributes"].items()}
    if metrics["kinds"]:
        found["kinds"][label] = metrics["kinds"]
    if metrics["answers"]:
        found["confusions"][label] = confusions(metrics["answers"])
    for source, answers in (("views", metrics["answers"]), (_OF_ALL, metrics["answers_of_all"])):
        hits = clusters_of((true for true, _ in answers), (true == answered for true, answered in answers))
        for name in (source, f"{source}, {store.config['objects']}"):
            _collect(objects, hits, name)


def _views_label(config: Mapping[str, Any]) -> str:
    """Return what tells folders of views apart in the tables."""
    if config["objects"] != "kinds":
        return f"{config['objects']}, {config.get('selection', 'paper')}"
    lights = ", random lights" if config.get("random_lights") else ""
    return f"kinds from seed {config.get('first_seed', 0)}{lights}"


def _unique(label: str, taken: Iterable[str]) -> str:
    """Return a label, numbered where others of the card are alike: "kinds from seed 1000000 (2)"."""
    known, number = set(taken), 1
    while (found := label if number == 1 else f"{label} ({number})") in known:
        number += 1
    return found


class _NameFeatures:
    """The catalog's names with the text features of their prompts."""

    def __init__(self, teacher: PocketTeacher) -> None:
        catalog = paper_catalog()
        self.names = catalog.names
        self.index = {item.model_id: n for n, item in enumerate(catalog)}
        self.photo, self.present, self.absent = (
            teacher.encode_text([template.format(label=name) for name in self.names])
            for template in (PHOTO_TEMPLATE, PRESENT_TEMPLATE, ABSENT_TEMPLATE)
        )


def _scene_metrics(teacher: PocketTeacher, store: SceneStore, names: _NameFeatures) -> dict[str, dict[str, float]]:
    """Return the multi-label metrics of a store, from prompt pairs "with a" and "without a".

    The splits `train` and `id` are evaluated on the names of Y_id, others on all names and on those of Y_ood, both of
    the store's object split.
    """
    splits = [item.split for item in store.manifest.objects]
    label_groups = (
        {"": ["id"]} if store.manifest.split in ("train", "id") else {"": ["id", "ood"], ", Y_ood alone": ["ood"]}
    )
    targets = torch.from_numpy(store.labels("visible"))
    rows = {}
    for crop_name, crop_fraction in _CENTER_CROPS.items():
        side = round(crop_fraction * store.image_size)
        start = (store.image_size - side) // 2
        images = store.images("hand", "rgb")[:, start : start + side, start : start + side]
        name_index = [names.index[model_id] for model_id in store.model_ids]
        features = encode_images(teacher, images)
        probabilities = prompt_pair_probabilities(
            features, names.present[name_index], names.absent[name_index], teacher.logit_scale
        )
        for group, splits_of_group in label_groups.items():
            label_columns = [n for n, split in enumerate(splits) if split in splits_of_group]
            all_positive = trivial_predictors(targets[:, label_columns].float().mean(dim=0), targets[:, label_columns])[
                "always_yes"
            ]
            rows[crop_name + group] = {
                "scenes": len(store),
                **multilabel_row(probabilities[:, label_columns], targets[:, label_columns]),
                "f1_always_yes": all_positive["f1"],
                "map_always_yes": all_positive["map"],
            }
    return rows


def _crop_hits(teacher: PocketTeacher, store: SceneStore, names: _NameFeatures) -> dict[str, list[bool]]:
    """Return for each name whether each crop of the object was named correctly."""
    crops, targets = _object_crops(store, names)
    predicted = (encode_images(teacher, crops) @ names.photo.T).argmax(dim=1).tolist()
    hits: dict[str, list[bool]] = {}
    for target, prediction in zip(targets, predicted, strict=True):
        hits.setdefault(names.names[target], []).append(target == prediction)
    return hits


def _object_crops(store: SceneStore, names: _NameFeatures) -> tuple[NDArray[np.uint8], list[int]]:
    """Crop every visible labeled object of every other scene; return the crops and the objects' catalog indices."""
    rgb, segmentation = store.images("hand", "rgb"), store.images("hand", "segmentation")
    actors = store.array("actors")
    rows, squares, targets = [], [], []
    for row in range(0, len(store), _CROP_EVERY):
        counts = np.bincount(segmentation[row].ravel(), minlength=ROBOT_SEGMENT + 1)
        for instance_id in np.flatnonzero(counts[1:ROBOT_SEGMENT] >= MIN_VISIBLE_FRACTION * segmentation[row].size) + 1:
            if actors[row, instance_id - 1] >= len(store.model_ids):  # a distractor
                continue
            rows.append(row)
            squares.append(bounding_square(segmentation[row] == instance_id))
            targets.append(names.index[store.model_ids[actors[row, instance_id - 1]]])
    return crop_squares(rgb[rows], squares, _CROP_SIZE), targets


def _crop_metrics(hits: Mapping[str, Sequence[bool]]) -> dict[str, dict[str, Any]]:
    """Return top-1 over all names, for all crops, and for those of Y_ood objects if there are any."""
    split = {item.name: item.split for item in paper_catalog()}
    rows = {}
    for group, splits_of_group in (("", ("id", "ood")), (", Y_ood alone", ("ood",))):
        group_hits = [
            hit for name, hits_of_name in hits.items() if split[name] in splits_of_group for hit in hits_of_name
        ]
        if group_hits:
            of_names = [of_name for name, of_name in hits.items() if split[name] in splits_of_group]
            interval = clustered_interval(of_names)
            rows[group] = {"crops": len(group_hits), "top1": float(np.mean(group_hits)), "interval": interval}
    return rows


def _collect(objects: dict[str, dict[str, list[bool]]], hits: Mapping[str, Sequence[bool]], source: str) -> None:
    for name, hits_of_name in hits.items():
        objects.setdefault(name, {}).setdefault(source, []).extend(hits_of_name)
