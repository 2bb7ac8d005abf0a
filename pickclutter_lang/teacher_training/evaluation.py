"""Zero-shot evaluation of a pocket teacher: the figures of its model card, and of `figures.json` beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.crops import crop_squares
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.language.captions import attribute_prompt, attribute_words
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_of
from pickclutter_lang.metrics.multilabel import multilabel_row, trivial_predictors
from pickclutter_lang.objects.catalog import all_objects, paper_catalog
from pickclutter_lang.results.intervals import share
from pickclutter_lang.teacher_training.data import TeacherData, class_sentences
from pickclutter_lang.teacher_training.render_batches import object_of_row, visible_instances
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import (
    ABSENT_TEMPLATE,
    PHOTO_TEMPLATE,
    PRESENT_TEMPLATE,
    encode_images,
    prompt_pair_probabilities,
)
from pickclutter_lang.utils.constants import ROBOT_SEGMENT
from pickclutter_lang.utils.words import with_article

_CROP_EVERY = 2
_CROP_SIZE = 96  # of every store, so that its figures differ only by the images
# The objects lie in the center of the hand camera's image.
_CENTER_CROPS = {"whole": 1.0, "middle": 0.7}
_FOLDER_BATCH = 256

Figures = dict[str, Any]
Hits = dict[str, list[bool]]
"""Name of an object -> whether each of its images was named right."""


def evaluate_teacher(teacher: PocketTeacher, data: TeacherData) -> Figures:
    """Evaluate a teacher on what its data holds out, with fixed prompts.

    :return: for renders `scenes` (for each store, its images and their centers, and groups of names: multi-label
        metrics of the label `visible`), `crops` (for each store: top-1 over the paper's names on crops of visible
        objects, of every other scene), `views` and `attributes` (for each folder and group of objects: `_name_figures`,
        `_attribute_figures`), `kinds` (for each folder with instances of kinds: `_kind_figures`), `objects` (per
        object: top-1 on views and on crops), and `all_names` (for each object set: top-1 of all views among all names).
        For images of classes see `_folder_figures`
    """
    if data.images:
        return _folder_figures(teacher, data.images, data.unseen_images)
    figures: Figures = {key: {} for key in ("scenes", "crops", "views", "attributes", "kinds")}
    crops = Hits()
    views = Hits()
    of_all = dict[str, Hits]()
    for scenes in data.unseen_scenes:
        _add(crops, _evaluate_scenes(teacher, scenes, figures))
    for store in data.unseen_views:
        among_set, among_all = _evaluate_views(teacher, store, figures)
        _add(views, among_set)
        _add(of_all.setdefault(store.config["objects"], {}), among_all)
    figures["objects"] = {
        name: {"views": _mean(views.get(name, ())), "crops": _mean(crops.get(name, ()))} for name in {**crops, **views}
    }
    figures["all_names"] = {name: {"objects": len(hits), **_top1(hits)} for name, hits in of_all.items() if hits}
    return figures


def _evaluate_scenes(teacher: PocketTeacher, store: SceneStore, figures: Figures) -> Hits:
    """Add the figures of a store; return the hits on its crops."""
    label = f"{store.manifest.object_set}, {store.manifest.split}, {store.image_size} px"
    split = store.manifest.object_split
    label += f", object split {split}" if split else ""
    label = _unique(label, (key.removesuffix(", whole") for key in figures["scenes"]))
    figures["scenes"].update({f"{label}, {key}": row for key, row in _scene_figures(teacher, store).items()})
    crops, shown = _object_crops(store)
    hits = _hits(teacher, encode_images(teacher, crops), shown, _photos(paper_catalog().names))
    unseen = {item.name for item in paper_catalog() if item.split == "ood"}
    for group, of_group in (("", hits), (", Y_ood alone", {name: hits[name] for name in hits if name in unseen})):
        if of_group:
            figures["crops"][label + group] = {"crops": sum(map(len, of_group.values())), **_top1(of_group)}
    return hits


def _scene_figures(teacher: PocketTeacher, store: SceneStore) -> dict[str, dict[str, float]]:
    """Return the multi-label metrics of a store, from prompt pairs "with a" and "without a".

    The splits `train` and `id` are evaluated on the names of Y_id, others on all names and on those of Y_ood, both of
    the store's object split.
    """
    groups = {"": {"id"}} if store.manifest.split in ("train", "id") else {"": {"id", "ood"}, ", Y_ood alone": {"ood"}}
    names = [paper_catalog().find(model_id).name for model_id in store.model_ids]
    present, absent = (
        teacher.encode_text([template.format(label=name) for name in names])
        for template in (PRESENT_TEMPLATE, ABSENT_TEMPLATE)
    )
    targets = torch.from_numpy(store.array("visible"))
    images = store.images("hand", "rgb")
    rows = {}
    for crop, fraction in _CENTER_CROPS.items():
        side = round(fraction * store.image_size)
        start = (store.image_size - side) // 2
        features = encode_images(teacher, images[:, start : start + side, start : start + side])
        probabilities = prompt_pair_probabilities(features, present, absent, teacher.logit_scale)
        for group, splits in groups.items():
            columns = [n for n, item in enumerate(store.manifest.objects) if item.split in splits]
            always = trivial_predictors(targets[:, columns].float().mean(dim=0), targets[:, columns])["always_yes"]
            rows[crop + group] = {
                "scenes": len(store),
                **multilabel_row(probabilities[:, columns], targets[:, columns]),
                "f1_always_yes": always["f1"],
                "map_always_yes": always["map"],
            }
    return rows


def _object_crops(store: SceneStore) -> tuple[NDArray[np.uint8], list[str]]:
    """Crop every visible labeled object of every other scene; return the crops and the objects' names."""
    rgb = store.images("hand", "rgb")
    segmentation = store.images("hand", "segmentation")
    actors = store.array("actors")
    rows, squares, names = [], [], []
    for row in range(0, len(store), _CROP_EVERY):
        for instance_id in visible_instances(segmentation[row]):
            if instance_id >= ROBOT_SEGMENT or actors[row, instance_id - 1] >= len(store.model_ids):  # a distractor
                continue
            rows.append(row)
            squares.append(bounding_square(segmentation[row] == instance_id))
            names.append(paper_catalog().find(store.model_ids[actors[row, instance_id - 1]]).name)
    return crop_squares(rgb[rows], squares, _CROP_SIZE), names


def _evaluate_views(teacher: PocketTeacher, store: ObjectViewDataset, figures: Figures) -> tuple[Hits, Hits]:
    """Add the figures of a folder of views; return the hits among the names of its set, and among all names."""
    label = _unique(_views_label(store.config), (key.rpartition(", ")[0] for key in figures["attributes"]))
    of_set = [str(row["model_id"]) for row in store.objects if "model_id" in row]
    attributes = [object_of_row(row) for row in store.objects]
    features = encode_images(teacher, store.rgb)
    among: dict[str, Hits] = {"set": {}, "all": {}}
    for group, rows in _groups([store.objects[n] for n in store.object_index]).items():
        shown = features[rows]
        objects = [attributes[store.object_index[n]] for n in rows]
        ids = [str(store.objects[store.object_index[n]].get("model_id", "")) for n in rows]
        candidates = [attributes_of(item) for item in all_objects()] if ids[0] else objects
        figures["attributes"][f"{label}, {group}"] = _attribute_figures(teacher, shown, objects, candidates)
        if group == "instances":
            figures["kinds"][label] = _kind_figures(teacher, shown, objects)
        if ids[0]:
            hits, figures["views"][f"{label}, {group}"] = _name_figures(teacher, shown, ids, of_set)
            among = hits if group == "objects" else among
    return among["set"], among["all"]


def _groups(objects: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Group views: `objects` of the catalog (with those of Y_id, Y_ood), `instances` of kinds, `own objects`."""
    split = {item.model_id: item.split for item in all_objects()}
    groups = {"own": "own objects", "model_id": "objects", "kind": "instances"}
    rows: dict[str, list[int]] = {}
    for n, item in enumerate(objects):
        rows.setdefault(next(group for key, group in groups.items() if key in item), []).append(n)
        if split.get(str(item.get("model_id")), "none") != "none":
            rows.setdefault(f"Y_{split[str(item['model_id'])]} alone", []).append(n)
    return rows


def _name_figures(
    teacher: PocketTeacher, features: Tensor, ids: Sequence[str], of_set: Sequence[str]
) -> tuple[dict[str, Hits], Figures]:
    """Return the hits at naming each view's object, and their accuracy.

    :param ids: model id of the object of each view, `of_set` those of all objects of the set that the views come from
    :return: hits among the names of the objects in the views (`shown`), of their set (`set`), of all objects with words
        (`all`), and among the descriptions of the set. The same as top-1: `top1_shown`, of `names` names, with its
        `interval`, with objects as clusters; `top1`; `top1_all`; `by_description`
    """
    names, descriptions = "a photo of a {0.name}", "a photo of {0.description}"
    hits = {}
    for key, candidates, template in (
        ("shown", sorted(set(ids)), names),
        ("set", of_set, names),
        ("all", all_objects().model_ids, names),
        ("described", of_set, descriptions),
    ):
        items = [all_objects().find(model_id) for model_id in candidates]
        texts = {item.name: template.format(item) for item in items}
        hits[key] = _hits(teacher, features, [all_objects().find(model_id).name for model_id in ids], texts)
    top1 = {key: _top1(of_key) for key, of_key in hits.items()}
    return hits, {
        "views": len(ids),
        "names": len(set(ids)),
        "top1_shown": top1["shown"]["top1"],
        "interval": top1["shown"]["interval"],
        "top1": top1["set"]["top1"],
        "top1_all": top1["all"]["top1"],
        "by_description": top1["described"]["top1"],
    }


def _attribute_figures(
    teacher: PocketTeacher,
    features: Tensor,
    objects: Sequence[ObjectAttributes],
    candidates: Iterable[ObjectAttributes],
) -> dict[str, Figures]:
    """Return the accuracy of choosing a word of each attribute type, out of all that are true of some candidate.

    :return: for each type `words`, `views` (with such a word), `top1`, its `interval`, with names as clusters, and
        `chance` (of a random word)
    """
    figures = {}
    for attribute, words in attribute_words(candidates).items():
        true = np.array([[f"{attribute}:{word}" in item.tags for word in words] for item in objects])
        rows = np.flatnonzero(true.any(axis=1))
        if not len(rows):
            continue
        texts = teacher.encode_text([attribute_prompt(attribute, word).text for word in words])
        predicted = (features[torch.from_numpy(rows)] @ texts.T).argmax(dim=1).numpy()
        keys = [objects[n].name for n in rows.tolist()]
        figures[attribute] = {
            "words": len(words),
            "views": len(rows),
            **_top1(_clusters(keys, true[rows, predicted].tolist())),
            "chance": float(true[rows].mean()),
        }
    return figures


def _kind_figures(teacher: PocketTeacher, features: Tensor, objects: Sequence[ObjectAttributes]) -> Figures:
    """Return the accuracy of naming views of instances of kinds.

    :return: `views`; `names`, how many kinds there are; `top1` among their names, its `interval`, with kinds as
        clusters; `by_synonym`, among a synonym of each that has one; `color`, top-1 of "a red mug" among all colors
        beside the true name
    """
    kinds = {item.name: item for item in objects}
    synonyms = {name: f"a photo of {with_article(item.synonyms[0])}" for name, item in kinds.items() if item.synonyms}
    rows = [n for n, item in enumerate(objects) if item.name in synonyms]
    by_synonym = _hits(teacher, features[rows], [objects[n].name for n in rows], synonyms) if rows else {}
    names = {name: f"a photo of {with_article(name)}" for name in kinds}
    return {
        "views": len(objects),
        "names": len(kinds),
        **_top1(_hits(teacher, features, [item.name for item in objects], names)),
        "by_synonym": _top1(by_synonym)["top1"] if by_synonym else None,
        "color": _mean(_color_hits(teacher, features, objects)),
    }


def _color_hits(teacher: PocketTeacher, features: Tensor, objects: Sequence[ObjectAttributes]) -> list[bool]:
    """Return for each view whether the best of "a photo of a COLOR NAME" has one of its colors."""
    colors = sorted({color for item in objects for color in item.colors})
    names = sorted({item.name for item in objects})
    texts = [f"a photo of {with_article(f'{color} {name}')}" for name in names for color in colors]
    if not texts:
        return []
    by_name = teacher.encode_text(texts).reshape(len(names), len(colors), -1)
    own = by_name[[names.index(item.name) for item in objects]]
    predicted = (own @ features[:, :, None])[:, :, 0].argmax(dim=1).tolist()
    return [colors[best] in item.colors for best, item in zip(predicted, objects, strict=True)]


def _folder_figures(teacher: PocketTeacher, trained: ImageDataset, held_out: ImageDataset | None) -> Figures:
    """Evaluate a teacher on images of classes.

    :return: `images` (of classes that were trained on, top-1 among all of these: number of `images`, of `classes`;
        `overall` and `mean_class`: top-1 by name; `by_description`: top-1 by the first sentence of the description,
        where all classes have one), `classes` (top-1 by name of each), and `unseen` (as `images`, of classes that
        were not trained on, by folder or name, among themselves, with their `folders`; at least two); all are empty
        where there is no image
    """
    figures: Figures = {"images": {}, "classes": {}, "unseen": {}}
    if held_out is None:
        return figures
    known = {word for item in trained.classes for word in (item.folder, item.name.lower())}
    unseen = [item for item in held_out.classes if not {item.folder, item.name.lower()} & known]
    figures["images"], figures["classes"] = _class_figures(teacher, held_out, trained.classes)
    if len(unseen) > 1:
        folders = {"folders": [item.folder for item in unseen]}
        figures["unseen"] = _class_figures(teacher, held_out, unseen)[0] | folders
    return figures


def _class_figures(
    teacher: PocketTeacher, data: ImageDataset, candidates: Sequence[ImageClass]
) -> tuple[Figures, dict[str, float]]:
    """Return the metrics of the images of some classes, classified among these, and top-1 of each, the worst first."""
    names = {item.folder: item.name.lower() for item in candidates}
    folders = [data.classes[n].folder for n in data.labels]
    rows = [row for row, folder in enumerate(folders) if folder in names]
    if not rows:
        return {}, {}
    parts = [rows[n : n + _FOLDER_BATCH] for n in range(0, len(rows), _FOLDER_BATCH)]
    features = torch.cat([encode_images(teacher, data.images.load(part)) for part in parts])
    true = [names[folders[row]] for row in rows]
    by_name = _hits(teacher, features, true, _photos([*names.values()]))
    classes = {name: float(np.mean(hits)) for name, hits in by_name.items()}
    figures = {
        "images": len(rows),
        "classes": len(candidates),
        "overall": _top1(by_name)["top1"],
        "mean_class": float(np.mean([*classes.values()])),
    }
    sentences = {item.name.lower(): class_sentences(item) for item in candidates}
    if all(sentences.values()):
        first = {name: of_class[0] for name, of_class in sentences.items()}
        figures["by_description"] = _top1(_hits(teacher, features, true, first))["top1"]
    return figures, dict(sorted(classes.items(), key=lambda item: item[1]))


def _views_label(config: Mapping[str, Any]) -> str:
    """Return what tells folders of views apart in the tables."""
    if config["objects"] != "kinds":
        return f"{config['objects']}, {config.get('selection', 'paper')}"
    lights = ", random lights" if config.get("random_lights") else ""
    return f"kinds from seed {config.get('first_seed', 0)}{lights}"


def _unique(label: str, taken: Iterable[str]) -> str:
    """Return a label, numbered where others of the card are alike: "kinds from seed 1000000 (2)"."""
    known = set(taken)
    number = 1
    while (found := label if number == 1 else f"{label} ({number})") in known:
        number += 1
    return found


def _photos(names: Iterable[str]) -> dict[str, str]:
    return {name: PHOTO_TEMPLATE.format(label=name) for name in names}


def _hits(teacher: PocketTeacher, features: Tensor, true: Sequence[str], texts: Mapping[str, str]) -> Hits:
    """Return for each name whether the text of its images' nearest name is its own.

    :param features: [N, D] of images, whose names are `true` [N]
    :param texts: name -> the text that it is found by
    """
    names = list(texts)
    encoded = teacher.encode_text([*texts.values()])
    predicted = (features @ encoded.T).argmax(dim=1).tolist()
    return _clusters(true, (names[best] == name for name, best in zip(true, predicted, strict=True)))


def _clusters(names: Iterable[str], hits: Iterable[bool]) -> Hits:
    """Return the hits of each name, in the order in which names first occur."""
    found: Hits = {}
    for name, hit in zip(names, hits, strict=True):
        found.setdefault(name, []).append(hit)
    return found


def _add(total: Hits, hits: Hits) -> None:
    for name, of_name in hits.items():
        total.setdefault(name, []).extend(of_name)


def _mean(hits: Sequence[bool]) -> float | None:
    return float(np.mean(hits)) if hits else None


def _top1(hits: Hits) -> Figures:
    """Return the accuracy over all images, `top1`, and its 95% `interval`, with names as clusters."""
    found = share([hit for own in hits.values() for hit in own], [name for name, own in hits.items() for _ in own])
    return {"top1": found.mean, "interval": (found.low, found.high)}
