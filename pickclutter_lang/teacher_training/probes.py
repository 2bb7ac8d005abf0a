"""Zero-shot probes on held-out views of single objects: name, description, color, shape, material, use.

Instances of kinds are also asked for their name among the kinds shown, by synonyms, and for the color beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
from pickclutter_lang.utils.statistics import clustered_difference, clustered_interval
from pickclutter_lang.utils.words import with_article

Key = TypeVar("Key")


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


def clusters_of(keys: Iterable[Key], hits: Iterable[bool]) -> dict[Key, list[bool]]:
    """Return the hits of each key, such as an object, in the order in which keys first occur."""
    found: dict[Key, list[bool]] = {}
    for key, hit in zip(keys, hits, strict=True):
        found.setdefault(key, []).append(hit)
    return found


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
        keys = [views.objects[n].name or n for n in np.flatnonzero(has_word).tolist()]
        rows[attribute_type] = {
            "words": len(candidates),
            "views": int(has_word.sum()),
            "top1": float(hits.mean()),
            "interval": clustered_interval([*clusters_of(keys, hits.tolist()).values()]),
            "chance": float(is_true[has_word].mean()),
        }
    return rows


def kind_accuracy(
    teacher: PocketTeacher, views: EncodedViews, held_out: frozenset[Pair] = frozenset()
) -> dict[str, Any]:
    """Return the accuracy of naming views of instances of kinds.

    :param held_out: pairs of name and main color that the teacher was not trained on
    :return: `views`; `names`, how many kinds there are; top-1 among their names (`top1`) and among a synonym of each
        that has one (`by_synonym`); `color`, top-1 of "a red mug" among all colors beside the true name; `interval`,
        that of `top1`, with kinds as clusters; `confusions`, see there; with `held_out` what `composition_accuracy`
        returns
    """
    kinds = list({item.name: item for item in views.objects}.values())
    colors = sorted({color for item in views.objects for color in item.colors})

    def answers(texts: Sequence[str], kinds: Sequence[ObjectAttributes]) -> list[tuple[str, str]]:
        """Return the true and the answered name of each view of these kinds."""
        features = teacher.encode_text([f"a photo of {with_article(text)}" for text in texts])
        known = {item.name for item in kinds}
        rows = [n for n, item in enumerate(views.objects) if item.name in known]
        predicted = (views.features[rows] @ features.T).argmax(dim=1).tolist()
        return [(views.objects[n].name, kinds[b].name) for n, b in zip(rows, predicted, strict=True)]

    with_synonym = [item for item in kinds if item.synonyms]
    by_name = answers([item.name for item in kinds], kinds)
    by_synonym = answers([item.synonyms[0] for item in with_synonym], with_synonym)
    hits = [true == answered for true, answered in by_name]
    return {
        "views": len(views.objects),
        "names": len(kinds),
        "top1": float(np.mean(hits)),
        "interval": clustered_interval([*clusters_of((true for true, _ in by_name), hits).values()]),
        "confusions": confusions(by_name),
        "by_synonym": float(np.mean([true == answered for true, answered in by_synonym])),
        "color": float(np.mean(_color_hits(teacher, views, colors))),
        **(composition_accuracy(teacher, views, held_out) if held_out else {}),
    }


def composition_accuracy(teacher: PocketTeacher, views: EncodedViews, held_out: frozenset[Pair]) -> dict[str, Any]:
    """Return top-1 of "a red mug" among all pairs of name and main color in the views, of kinds with held-out pairs.

    :return: of pairs that were held out `held_out_views` and `held_out_top1`, of others `trained_views` and
        `trained_top1`; `trained_minus_held_out`, the difference and its interval, with kinds as clusters
    """
    shown = [main_pair(item) for item in views.objects]
    pairs = sorted({pair for pair in shown if pair is not None})
    texts = [f"a photo of {with_article(f'{color} {name}')}" for name, color in pairs]
    predicted = (views.features @ teacher.encode_text(texts).T).argmax(dim=1).tolist()
    varied = {name for name, _ in held_out}
    hits: dict[bool, dict[str, list[bool]]] = {side: {name: [] for name in varied} for side in (True, False)}
    for pair, best in zip(shown, predicted, strict=True):
        if pair is not None and pair[0] in varied:
            hits[pair in held_out][pair[0]].append(pairs[best] == pair)
    found: dict[str, Any] = {}
    for side, of_names in (("held_out", hits[True]), ("trained", hits[False])):
        of_views = [hit for of_name in of_names.values() for hit in of_name]
        if of_views:
            found |= {f"{side}_views": len(of_views), f"{side}_top1": float(np.mean(of_views))}
    if len(found) == 4:
        found["trained_minus_held_out"] = clustered_difference([*hits[False].values()], [*hits[True].values()])
    return found


def confusions(answers: Iterable[tuple[str, str]], least: float = 0.25) -> list[tuple[str, str, float]]:
    """Return what is often taken for something else: name, its commonest wrong answer, and the fraction of its views.

    :param answers: the true and the answered name of each view
    :param least: smallest such fraction
    """
    wrong: dict[str, Counter[str]] = {}
    for true, answered in answers:
        wrong.setdefault(true, Counter())[answered] += 1
    found = []
    for true, counts in wrong.items():
        views = counts.total()
        del counts[true]
        found += [(true, answered, count / views) for answered, count in counts.most_common(1)]
    return sorted((one for one in found if one[2] >= least), key=lambda one: (-one[2], one[0]))


def _color_hits(teacher: PocketTeacher, views: EncodedViews, colors: Sequence[str]) -> list[bool]:
    """Return for each view whether the best of "a photo of a COLOR NAME" has one of its colors."""
    names = sorted({item.name for item in views.objects})
    texts = [f"a photo of {with_article(f'{color} {name}')}" for name in names for color in colors]
    features = teacher.encode_text(texts).reshape(len(names), len(colors), -1)
    own = features[[names.index(item.name) for item in views.objects]]
    predicted = (own @ views.features[:, :, None])[:, :, 0].argmax(dim=1).tolist()
    return [colors[best] in item.colors for best, item in zip(predicted, views.objects, strict=True)]


def names_of_views(teacher: PocketTeacher, views: EncodedViews, of_set: Sequence[str]) -> list[tuple[str, str]]:
    """Return the true name of each view's object, and the one that it gets among the names of its set."""
    items = [all_objects().find(model_id) for model_id in of_set]
    name_features = teacher.encode_text([f"a photo of a {item.name}" for item in items])
    predicted = (views.features @ name_features.T).argmax(dim=1).tolist()
    true = [all_objects().find(str(model_id)).name for model_id in views.ids]
    return [(name, items[best].name) for name, best in zip(true, predicted, strict=True)]


def probe_metrics(
    teacher: PocketTeacher, store: ObjectViewDataset, held_out: frozenset[Pair] = frozenset()
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
            kinds = kind_accuracy(teacher, views, held_out)
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
