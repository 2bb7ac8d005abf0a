"""Views of single objects with their features, and what hits and wrong answers on them come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.objects.catalog import all_objects
from pickclutter_lang.teacher_training.render_sources import object_of_row
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import encode_images

Key = TypeVar("Key")
_GROUPS, _RANDOM = {"own": "own objects", "model_id": "objects", "kind": "instances"}, "random objects"


@dataclass(frozen=True)
class EncodedViews:
    """Views with their features [M, D] and objects; `ids` are model ids, None for objects of no catalog.

    `groups` says what each shows: `objects` of the catalog, `instances` of kinds, `own objects` or `random objects`.
    """

    features: Tensor
    objects: list[ObjectAttributes]
    ids: list[str | None]
    groups: list[str]

    @classmethod
    def of(cls, teacher: PocketTeacher, store: ObjectViewDataset) -> EncodedViews:
        """Encode all views of a store."""
        attributes = [object_of_row(row) for row in store.objects]
        ids = [row.get("model_id") for row in store.objects]
        groups = [next((group for key, group in _GROUPS.items() if key in row), _RANDOM) for row in store.objects]
        return cls(
            encode_images(teacher, store.rgb),
            [attributes[n] for n in store.object_index],
            [ids[n] for n in store.object_index],
            [groups[n] for n in store.object_index],
        )

    def only(self, rows: Sequence[int]) -> EncodedViews:
        """Return some of the views."""
        objects, ids, groups = [self.objects[n] for n in rows], [self.ids[n] for n in rows], self.groups
        return EncodedViews(self.features[list(rows)], objects, ids, [groups[n] for n in rows])


def groups_of(views: EncodedViews) -> dict[str, EncodedViews]:
    """Group views into those of `EncodedViews.groups`, those of Y_id, and those of Y_ood."""
    split = {item.model_id: item.split for item in all_objects()}
    rows: dict[str, list[int]] = {}
    for n, (model_id, group) in enumerate(zip(views.ids, views.groups, strict=True)):
        names = [group]
        if model_id is not None and split[model_id] != "none":
            names.append(f"Y_{split[model_id]} alone")
        for name in names:
            rows.setdefault(name, []).append(n)
    return {name: views.only(group_rows) for name, group_rows in rows.items()}


def clusters_of(keys: Iterable[Key], hits: Iterable[bool]) -> dict[Key, list[bool]]:
    """Return the hits of each key, such as an object, in the order in which keys first occur."""
    found: dict[Key, list[bool]] = {}
    for key, hit in zip(keys, hits, strict=True):
        found.setdefault(key, []).append(hit)
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
