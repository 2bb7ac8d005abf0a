"""Zero-shot probes on held-out views of single objects: name, description, color, shape, material, use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.language.captions import ATTRIBUTE_TYPES, attribute_prompt, attribute_words
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import all_objects
from pickclutter_lang.teacher_training.compositions import Composition
from pickclutter_lang.teacher_training.encoded_views import EncodedViews, clusters_of, groups_of
from pickclutter_lang.teacher_training.kind_probes import kind_accuracy
from pickclutter_lang.teacher_training.order_probe import order_accuracy
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.utils.statistics import clustered_interval


def name_accuracy(teacher: PocketTeacher, views: EncodedViews, of_set: Sequence[str]) -> dict[str, Any]:
    """Return the accuracy of naming each view's object.

    :param of_set: ids of all objects of the set that the views come from
    :return: `views`; top-1 among the names of the objects in the views (`top1_shown`, of `names` names), of their set
        (`top1`), and of all objects with words (`top1_all`); `by_description` among the descriptions of the set;
        `interval`, that of `top1_shown`, with objects as clusters
    """
    catalog = all_objects()
    view_ids = sorted({str(model_id) for model_id in views.ids})
    name_features = teacher.encode_text([f"a photo of a {item.name}" for item in catalog])
    description_features = teacher.encode_text([f"a photo of {item.description}" for item in catalog])
    targets = [catalog.index(str(model_id)) for model_id in views.ids]

    def hits(features: Tensor, candidates: Sequence[str]) -> list[bool]:
        candidate_index = [catalog.index(model_id) for model_id in candidates]
        predicted = (views.features @ features[candidate_index].T).argmax(dim=1).tolist()
        return [candidate_index[b] == target for b, target in zip(predicted, targets, strict=True)]

    def top1(features: Tensor, candidates: Sequence[str]) -> float:
        return float(np.mean(hits(features, candidates)))

    shown = hits(name_features, view_ids)
    return {
        "views": len(targets),
        "names": len(view_ids),
        "top1_shown": float(np.mean(shown)),
        "interval": clustered_interval([*clusters_of(targets, shown).values()]),
        "top1": top1(name_features, of_set),
        "top1_all": top1(name_features, catalog.model_ids),
        "by_description": top1(description_features, of_set),
    }


def attribute_accuracy(teacher: PocketTeacher, views: EncodedViews) -> dict[str, dict[str, Any]]:
    """Return the accuracy of choosing a word of each attribute type, out of all that are true of some object.

    :return: for each type `words`, `views` (with such a word), `top1`, its `interval`, with names as clusters, and
        `chance` (of a random word)
    """
    all_attributes = [attributes_of(item) for item in all_objects()]
    words = attribute_words(all_attributes if views.ids[0] is not None else views.objects)
    rows = {}
    for attribute_type in ATTRIBUTE_TYPES:
        candidates = words[attribute_type]
        is_true = np.array([[f"{attribute_type}:{word}" in item.tags for word in candidates] for item in views.objects])
        has_word = is_true.any(axis=1) if candidates else np.zeros(len(views.objects), bool)
        if not has_word.any():
            continue
        text_features = teacher.encode_text([attribute_prompt(attribute_type, word).text for word in candidates])
        predicted = (views.features[torch.from_numpy(has_word)] @ text_features.T).argmax(dim=1).numpy()
        hits = is_true[has_word][np.arange(len(predicted)), predicted]
        keys = [views.objects[n].name or views.objects[n] for n in np.flatnonzero(has_word).tolist()]
        rows[attribute_type] = {
            "words": len(candidates),
            "views": int(has_word.sum()),
            "top1": float(hits.mean()),
            "interval": clustered_interval([*clusters_of(keys, hits.tolist()).values()]),
            "chance": float(is_true[has_word].mean()),
        }
    return rows


def names_of_views(teacher: PocketTeacher, views: EncodedViews, of_set: Sequence[str]) -> list[tuple[str, str]]:
    """Return the true name of each view's object, and the one that it gets among the names of its set."""
    items = [all_objects().find(model_id) for model_id in of_set]
    name_features = teacher.encode_text([f"a photo of a {item.name}" for item in items])
    predicted = (views.features @ name_features.T).argmax(dim=1).tolist()
    true = [all_objects().find(str(model_id)).name for model_id in views.ids]
    return [(name, items[best].name) for name, best in zip(true, predicted, strict=True)]


def probe_metrics(
    teacher: PocketTeacher,
    store: ObjectViewDataset,
    shown: frozenset[Composition] = frozenset(),
    held_out: frozenset[Composition] = frozenset(),
) -> dict[str, Any]:
    """Return `names` and `attributes` (metrics of each group of views) and `kinds` of a folder of views.

    Of objects of a catalog also `answers` among the names of their set and `answers_of_all`; see `names_of_views`.
    """
    of_set = [str(row["model_id"]) for row in store.objects if "model_id" in row]
    names, attributes = {}, {}
    answers: list[tuple[str, str]] = []
    of_all: list[tuple[str, str]] = []
    kinds: dict[str, Any] = {}
    for group, views in groups_of(EncodedViews.of(teacher, store)).items():
        attributes[group] = attribute_accuracy(teacher, views)
        if group == "instances":
            kinds = {**kind_accuracy(teacher, views, shown, held_out), **order_accuracy(teacher, store)}
        if views.ids[0] is not None:
            names[group] = name_accuracy(teacher, views, of_set)
        if group == "objects":
            answers = names_of_views(teacher, views, of_set)
            of_all = names_of_views(teacher, views, all_objects().model_ids)
    return {
        "names": names,
        "attributes": attributes,
        "answers": answers,
        "answers_of_all": of_all,
        "kinds": kinds,
    }
