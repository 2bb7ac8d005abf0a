"""Zero-shot probes on held-out views of single objects: name, description, color, shape, material, use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.language.attribute_prompts import ATTRIBUTE_TYPES, attribute_prompt, attribute_words
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_of
from pickclutter_lang.objects.extra_objects import all_objects
from pickclutter_lang.teacher_training.render_sources import object_of_row
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import encode_images


@dataclass(frozen=True)
class EncodedViews:
    """Views with their features [M, D] and objects; `ids` are model ids, None for procedural objects."""

    features: Tensor
    objects: list[ObjectAttributes]
    ids: list[str | None]

    @classmethod
    def of(cls, teacher: PocketTeacher, store: ObjectViewDataset) -> EncodedViews:
        """Encode all views of a store."""
        attributes = [object_of_row(row) for row in store.objects]
        ids = [row.get("model_id") for row in store.objects]
        return cls(
            encode_images(teacher, store.rgb),
            [attributes[n] for n in store.object_index],
            [ids[n] for n in store.object_index],
        )

    def only(self, rows: Sequence[int]) -> EncodedViews:
        """Return some of the views."""
        return EncodedViews(self.features[list(rows)], [self.objects[n] for n in rows], [self.ids[n] for n in rows])


def groups_of(views: EncodedViews) -> dict[str, EncodedViews]:
    """Group views into catalog objects, those of Y_id, those of Y_ood, and random procedural objects."""
    split = {item.model_id: item.split for item in all_objects()}
    rows: dict[str, list[int]] = {}
    for n, model_id in enumerate(views.ids):
        names = ["random objects"] if model_id is None else ["objects"]
        if model_id is not None and split[model_id] != "none":
            names.append(f"Y_{split[model_id]} alone")
        for name in names:
            rows.setdefault(name, []).append(n)
    return {name: views.only(group_rows) for name, group_rows in rows.items()}


def name_accuracy(teacher: PocketTeacher, views: EncodedViews, of_set: Sequence[str]) -> dict[str, float]:
    """Return the accuracy of naming each view's object.

    :param of_set: ids of all objects of the set that the views come from
    :return: `views`; top-1 among the names of the objects in the views (`top1_shown`, of `names` names), of their set
        (`top1`), and of all objects with words (`top1_all`); `by_description` among the descriptions of the set
    """
    catalog = all_objects()
    view_ids = sorted({str(model_id) for model_id in views.ids})
    name_features = teacher.encode_text([f"a photo of a {item.name}" for item in catalog])
    description_features = teacher.encode_text([f"a photo of {item.description}" for item in catalog])
    targets = [catalog.index(str(model_id)) for model_id in views.ids]

    def top1(features: Tensor, candidates: Sequence[str]) -> float:
        candidate_index = [catalog.index(model_id) for model_id in candidates]
        predicted = (views.features @ features[candidate_index].T).argmax(dim=1).tolist()
        return float(np.mean([candidate_index[b] == target for b, target in zip(predicted, targets, strict=True)]))

    return {
        "views": len(targets),
        "names": len(view_ids),
        "top1_shown": top1(name_features, view_ids),
        "top1": top1(name_features, of_set),
        "top1_all": top1(name_features, catalog.model_ids),
        "by_description": top1(description_features, of_set),
    }


def attribute_accuracy(teacher: PocketTeacher, views: EncodedViews) -> dict[str, dict[str, float]]:
    """Return the accuracy of choosing a word of each attribute type, out of all that are true of some object.

    :return: for each type `words`, `views` (with such a word), `top1`, and `chance` (of a random word)
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
        rows[attribute_type] = {
            "words": len(candidates),
            "views": int(has_word.sum()),
            "top1": float(is_true[has_word][np.arange(len(predicted)), predicted].mean()),
            "chance": float(is_true[has_word].mean()),
        }
    return rows


def per_view_hits(teacher: PocketTeacher, views: EncodedViews, of_set: Sequence[str]) -> Mapping[str, list[bool]]:
    """Return for each object's name whether each of its views was named correctly among the names of its set."""
    items = [all_objects().find(model_id) for model_id in of_set]
    name_features = teacher.encode_text([f"a photo of a {item.name}" for item in items])
    predicted = (views.features @ name_features.T).argmax(dim=1).tolist()
    hits: dict[str, list[bool]] = {item.name: [] for item in items}
    for b, model_id in zip(predicted, views.ids, strict=True):
        hits[all_objects().find(str(model_id)).name].append(items[b].model_id == model_id)
    return hits


def probe_metrics(teacher: PocketTeacher, store: ObjectViewDataset) -> dict[str, Any]:
    """Return `names` and `attributes` (metrics of each group of views) and `hits` of a folder of views."""
    of_set = [str(row["model_id"]) for row in store.objects if "model_id" in row]
    names, attributes, hits = {}, {}, {}
    for group, views in groups_of(EncodedViews.of(teacher, store)).items():
        attributes[group] = attribute_accuracy(teacher, views)
        if views.ids[0] is not None:
            names[group] = name_accuracy(teacher, views, of_set)
        if group == "objects":
            hits = dict(per_view_hits(teacher, views, of_set))
    return {"names": names, "attributes": attributes, "hits": hits}
