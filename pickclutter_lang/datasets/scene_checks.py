"""Checks that the scene stores of a training go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.objects.object_sets import MAX_INSTANCES

if TYPE_CHECKING:
    from pickclutter_lang.datasets.scene_images import SceneDataset


def check_labels(train: SceneStore, other: SceneStore) -> None:
    """Check that two stores have the same labels, the same of them unseen, and images of one size.

    :raises MismatchError: naming what differs
    """
    _check_image_size(train, other)
    if other.model_ids != train.model_ids:
        raise MismatchError(
            f"expected the labels of {train.place} in {other.place} too, but they differ; "
            "collect both with the same objects"
        )
    if other.split_label_indices("ood") != train.split_label_indices("ood"):
        raise MismatchError(
            f"expected the unseen objects of {train.place} (object_split={train.object_split}) in {other.place} too, "
            f"but those are of object_split={other.object_split}; collect both with the same object_split"
        )


def _check_image_size(train: SceneStore, other: SceneStore) -> None:
    if other.image_size != train.image_size:  # a crop would show another part, and no hash find an equal scene
        raise MismatchError(
            f"expected images of {train.image_size} pixels in {other.place}, as in {train.place}, but they have "
            f"{other.image_size}; collect or import them with image_size={train.image_size}"
        )


def check_unlabeled(train: SceneStore, unlabeled: SceneDataset, path: str) -> None:
    """Raise MismatchError for unlabeled scenes that do not fit, or show an unseen object or one for evaluation."""
    store = unlabeled.store
    _check_image_size(train, store)
    if "instances" in store.manifest.fields and (store.array("instances") >= MAX_INSTANCES).any():
        raise MismatchError(
            f"expected instances of kinds that are not for evaluation in the unlabeled scenes of {path}, but some are; "
            "collect them with split=train"
        )
    names = {train.label_names[column] for column in train.split_label_indices("ood")}
    words = names.union(train.synonyms_of(names))
    found = [name for name, synonyms in _shown(unlabeled).items() if name in words or names & {*synonyms}]
    if found:
        raise MismatchError(
            f"expected no unseen object in the unlabeled scenes of {path}, but {', '.join(found)} are there; collect "
            "them with split=train and the same object_split, or with kinds=[...] that no unseen name means"
        )


def _shown(scenes: SceneDataset) -> dict[str, Sequence[str]]:
    """Return what else may be said of what lies in scenes, by name, distractors included.

    That is synonyms, and of kinds their categories too: a wine bottle is a bottle.
    """
    from pickclutter_lang.objects.kinds import find_kinds  # hundreds of modules

    store = scenes.store
    names = [*store.manifest.distractor_kinds.values(), *(scenes.present_names if store.manifest.has_instances else ())]
    words: dict[str, Sequence[str]] = {name: store.synonyms_of([name]) for name in scenes.present_names}
    kinds = find_kinds(names) if names else ()
    return words | {kind.name: (*kind.synonyms, *kind.hypernyms) for kind in kinds}
