"""Questions about held-out views of single things: which name, which description, which color, shape or use."""

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
    """Views with their features [M, D] and things; `ids` are those of objects, None for procedural things."""

    features: Tensor
    objects: list[ObjectAttributes]
    ids: list[str | None]

    @classmethod
    def of(cls, teacher: PocketTeacher, store: ObjectViewDataset) -> EncodedViews:
        """Encode all views of a store."""
        known = [object_of_row(row) for row in store.objects]
        ids = [row.get("model_id") for row in store.objects]
        return cls(
            encode_images(teacher, store.rgb),
            [known[n] for n in store.object_index],
            [ids[n] for n in store.object_index],
        )

    def only(self, rows: Sequence[int]) -> EncodedViews:
        """Return some of the views."""
        return EncodedViews(self.features[list(rows)], [self.objects[n] for n in rows], [self.ids[n] for n in rows])


def groups_of(shown: EncodedViews) -> dict[str, EncodedViews]:
    """Split views into objects (of the paper also those of Y_id and of Y_ood apart) and procedural things."""
    split = {item.model_id: item.split for item in all_objects()}
    rows: dict[str, list[int]] = {}
    for n, model_id in enumerate(shown.ids):
        names = ["random things"] if model_id is None else ["objects"]
        if model_id is not None and split[model_id] != "none":
            names.append(f"Y_{split[model_id]} alone")
        for name in names:
            rows.setdefault(name, []).append(n)
    return {name: shown.only(found) for name, found in rows.items()}


def name_accuracy(teacher: PocketTeacher, shown: EncodedViews, of_set: Sequence[str]) -> dict[str, float]:
    """Ask for the name of each view's object.

    :param of_set: ids of all objects of the set that the views come from
    :return: `views`; top-1 among the names of the objects shown (`top1_shown` of `shown` names), of their set
        (`top1`), and of all objects with words (`top1_all`); `by_description` among the descriptions of the set
    """
    everything = all_objects()
    shown_ids = sorted({str(model_id) for model_id in shown.ids})
    texts = teacher.encode_text([f"a photo of a {item.name}" for item in everything])
    described = teacher.encode_text([f"a photo of {item.description}" for item in everything])
    owners = [everything.index(str(model_id)) for model_id in shown.ids]

    def top1(features: Tensor, asked: Sequence[str]) -> float:
        columns = [everything.index(model_id) for model_id in asked]
        best = (shown.features @ features[columns].T).argmax(dim=1).tolist()
        return float(np.mean([columns[b] == owner for b, owner in zip(best, owners, strict=True)]))

    return {
        "views": len(owners),
        "names": len(shown_ids),
        "top1_shown": top1(texts, shown_ids),
        "top1": top1(texts, of_set),
        "top1_all": top1(texts, everything.model_ids),
        "by_description": top1(described, of_set),
    }


def attribute_accuracy(teacher: PocketTeacher, shown: EncodedViews) -> dict[str, dict[str, float]]:
    """Ask for a word of each kind, out of all that are true of some object (of some thing, for procedural ones).

    :return: for each kind `words`, `views` (that have such a word), `top1`, and `chance` (of a word drawn at random)
    """
    named = [attributes_of(item) for item in all_objects()]
    words = attribute_words(named if shown.ids[0] is not None else shown.objects)
    rows = {}
    for kind in ATTRIBUTE_TYPES:
        known = words[kind]
        truth = np.array([[f"{kind}:{word}" in thing.tags for word in known] for thing in shown.objects])
        kept = truth.any(axis=1) if known else np.zeros(len(shown.objects), bool)
        if not kept.any():
            continue
        texts = teacher.encode_text([attribute_prompt(kind, word).text for word in known])
        best = (shown.features[torch.from_numpy(kept)] @ texts.T).argmax(dim=1).numpy()
        rows[kind] = {
            "words": len(known),
            "views": int(kept.sum()),
            "top1": float(truth[kept][np.arange(len(best)), best].mean()),
            "chance": float(truth[kept].mean()),
        }
    return rows


def per_view_hits(teacher: PocketTeacher, shown: EncodedViews, of_set: Sequence[str]) -> Mapping[str, list[bool]]:
    """Return for each object's name whether each of its views was named rightly among the names of its set."""
    items = [all_objects().find(model_id) for model_id in of_set]
    texts = teacher.encode_text([f"a photo of a {item.name}" for item in items])
    best = (shown.features @ texts.T).argmax(dim=1).tolist()
    hits: dict[str, list[bool]] = {item.name: [] for item in items}
    for b, model_id in zip(best, shown.ids, strict=True):
        hits[all_objects().find(str(model_id)).name].append(items[b].model_id == model_id)
    return hits


def probe_metrics(teacher: PocketTeacher, store: ObjectViewDataset) -> dict[str, Any]:
    """Return `names` and `attributes` (a row for each group of the views) and `hits` of a folder of views."""
    of_set = [str(row["model_id"]) for row in store.objects if "model_id" in row]
    names, attributes, hits = {}, {}, {}
    for group, shown in groups_of(EncodedViews.of(teacher, store)).items():
        attributes[group] = attribute_accuracy(teacher, shown)
        if shown.ids[0] is not None:
            names[group] = name_accuracy(teacher, shown, of_set)
        if group == "objects":
            hits = dict(per_view_hits(teacher, shown, of_set))
    return {"names": names, "attributes": attributes, "hits": hits}
