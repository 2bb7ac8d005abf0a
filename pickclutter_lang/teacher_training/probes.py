"""Zero-shot probes on held-out views of single objects: name, description, color, shape, material, use.

Instances of kinds are also asked for their name among the kinds shown, by synonyms, and for the color beside it.
"""

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
from pickclutter_lang.teacher_training.compositions import Pair, main_pair
from pickclutter_lang.teacher_training.render_sources import object_of_row
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import encode_images
from pickclutter_lang.utils.words import with_article


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
        names = ["objects"] if model_id is not None else ["instances" if views.objects[n].name else "random objects"]
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


def kind_accuracy(
    teacher: PocketTeacher, views: EncodedViews, held_out: frozenset[Pair] = frozenset()
) -> dict[str, float]:
    """Return the accuracy of naming views of instances of kinds.

    :param held_out: pairs of name and main color that the teacher was not trained on
    :return: `views`; `names`, how many kinds there are; top-1 among their names (`top1`) and among a synonym of each
        that has one (`by_synonym`); `color`, top-1 of "a red mug" among all colors beside the true name; with
        `held_out` what `composition_accuracy` returns
    """
    kinds = list({item.name: item for item in views.objects}.values())
    colors = sorted({color for item in views.objects for color in item.colors})

    def hits(texts: Sequence[str], kinds: Sequence[ObjectAttributes]) -> list[bool]:
        features = teacher.encode_text([f"a photo of {with_article(text)}" for text in texts])
        known = {item.name for item in kinds}
        rows = [n for n, item in enumerate(views.objects) if item.name in known]
        predicted = (views.features[rows] @ features.T).argmax(dim=1).tolist()
        return [kinds[b].name == views.objects[n].name for n, b in zip(rows, predicted, strict=True)]

    with_synonym = [item for item in kinds if item.synonyms]
    return {
        "views": len(views.objects),
        "names": len(kinds),
        "top1": float(np.mean(hits([item.name for item in kinds], kinds))),
        "by_synonym": float(np.mean(hits([item.synonyms[0] for item in with_synonym], with_synonym))),
        "color": float(np.mean(_color_hits(teacher, views, colors))),
        **(composition_accuracy(teacher, views, held_out) if held_out else {}),
    }


def composition_accuracy(teacher: PocketTeacher, views: EncodedViews, held_out: frozenset[Pair]) -> dict[str, float]:
    """Return top-1 of "a red mug" among all pairs of name and main color in the views, of kinds with held-out pairs.

    :return: of pairs that were held out `held_out_views` and `held_out_top1`, of others `trained_views`, `trained_top1`
    """
    shown = [main_pair(item) for item in views.objects]
    pairs = sorted({pair for pair in shown if pair is not None})
    texts = [f"a photo of {with_article(f'{color} {name}')}" for name, color in pairs]
    predicted = (views.features @ teacher.encode_text(texts).T).argmax(dim=1).tolist()
    varied = {name for name, _ in held_out}
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for pair, best in zip(shown, predicted, strict=True):
        if pair is not None and pair[0] in varied:
            hits[pair in held_out].append(pairs[best] == pair)
    return {
        f"{word}_{key}": value
        for word, found in (("held_out", hits[True]), ("trained", hits[False]))
        if found
        for key, value in (("views", len(found)), ("top1", float(np.mean(found))))
    }


def _color_hits(teacher: PocketTeacher, views: EncodedViews, colors: Sequence[str]) -> list[bool]:
    """Return for each view whether the best of "a photo of a COLOR NAME" has one of its colors."""
    names = sorted({item.name for item in views.objects})
    texts = [f"a photo of {with_article(f'{color} {name}')}" for name in names for color in colors]
    features = teacher.encode_text(texts).reshape(len(names), len(colors), -1)
    own = features[[names.index(item.name) for item in views.objects]]
    predicted = (own @ views.features[:, :, None])[:, :, 0].argmax(dim=1).tolist()
    return [colors[best] in item.colors for best, item in zip(predicted, views.objects, strict=True)]


def per_view_hits(teacher: PocketTeacher, views: EncodedViews, of_set: Sequence[str]) -> Mapping[str, list[bool]]:
    """Return for each object's name whether each of its views was named correctly among the names of its set."""
    items = [all_objects().find(model_id) for model_id in of_set]
    name_features = teacher.encode_text([f"a photo of a {item.name}" for item in items])
    predicted = (views.features @ name_features.T).argmax(dim=1).tolist()
    hits: dict[str, list[bool]] = {item.name: [] for item in items}
    for b, model_id in zip(predicted, views.ids, strict=True):
        hits[all_objects().find(str(model_id)).name].append(items[b].model_id == model_id)
    return hits


def probe_metrics(
    teacher: PocketTeacher, store: ObjectViewDataset, held_out: frozenset[Pair] = frozenset()
) -> dict[str, Any]:
    """Return `names` and `attributes` (metrics of each group of views), `hits` and `kinds` of a folder of views."""
    of_set = [str(row["model_id"]) for row in store.objects if "model_id" in row]
    names, attributes, hits = {}, {}, {}
    kinds: dict[str, float] = {}
    for group, views in groups_of(EncodedViews.of(teacher, store)).items():
        attributes[group] = attribute_accuracy(teacher, views)
        if group == "instances":
            kinds = kind_accuracy(teacher, views, held_out)
        if views.ids[0] is not None:
            names[group] = name_accuracy(teacher, views, of_set)
        if group == "objects":
            hits = dict(per_view_hits(teacher, views, of_set))
    return {"names": names, "attributes": attributes, "hits": hits, "kinds": kinds}
