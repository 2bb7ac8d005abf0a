"""Distractors: instances of kinds that lie in piles beside labeled objects, and have no label themselves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.objects.kinds import Kind, all_kinds, find_kinds
from pickclutter_lang.objects.kinds.kind_set import KindSet, load_kind_set
from pickclutter_lang.objects.object_sets import DEFAULT_INSTANCES, ObjectSet


@dataclass(frozen=True)
class DistractorSet(ObjectSet):
    """An object set, `labels`, and `kinds` whose instances lie beside its objects.

    The catalog has the labels alone. Kind k has the index `len(catalog) + k`. The instances of splits to learn from and
    of the others differ, as of `KindSet`.
    """

    labels: ObjectSet = field(kw_only=True)
    kinds: KindSet = field(kw_only=True)

    @property
    def own_catalog(self) -> tuple[CatalogEntry, ...] | None:
        """The entries of the labels, of one's own objects."""
        return self.labels.own_catalog

    @property
    def distractors(self) -> tuple[CatalogObject, ...]:
        """The kinds, of split `none`."""
        return tuple(self.kinds.catalog)

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of the fingerprints of the labels and of the kinds."""
        return hashlib.sha256(f"{self.labels.fingerprint} {self.kinds.fingerprint}".encode()).hexdigest()

    def model_dir(self, model_id: str) -> Path:
        """Return the folder with the meshes of an object."""
        return self._part_of(model_id).model_dir(model_id)

    def label_index(self, model_id: str) -> int:
        """Return the position of a model's label in the catalog, or the index of its kind."""
        part = self._part_of(model_id)
        return part.label_index(model_id) + (0 if part is self.labels else len(self.catalog))

    def model(self, model_id: str) -> CatalogObject:
        """Return a model with its size, scale and density; files of an instance are made if they are not there."""
        return self._part_of(model_id).model(model_id)

    def draw_models(
        self, label_indices: NDArray[np.int64], split: str, rng: np.random.Generator
    ) -> tuple[CatalogObject, ...]:
        """Return the models of these labels, and draw an instance of each of these kinds."""
        of_kinds = label_indices >= len(self.catalog)
        labeled = iter(self.labels.draw_models(label_indices[~of_kinds], split, rng))
        others = iter(self.kinds.draw_models(label_indices[of_kinds] - len(self.catalog), split, rng))
        return tuple(next(others if of_kind else labeled) for of_kind in of_kinds.tolist())

    def seed_of(self, model_id: str) -> int:
        """Return the seed of an instance, -1 for labeled objects."""
        return self._part_of(model_id).seed_of(model_id)

    def model_db(self, model_ids: Sequence[str]) -> dict[str, Any]:
        """Return ManiSkill2's entries of models, by id."""
        return {model_id: self._part_of(model_id).model_db([model_id])[model_id] for model_id in model_ids}

    def _part_of(self, model_id: str) -> ObjectSet:
        return self.labels if model_id in self.catalog.model_ids else self.kinds


def with_distractors(labels: ObjectSet, kinds: Sequence[str] = (), instances: int = DEFAULT_INSTANCES) -> DistractorSet:
    """Return an object set beside whose objects instances of kinds may lie; these are made in the package's cache.

    :param kinds: their names, by default all that `distractor_kinds` finds
    :param instances: of each kind, to learn from, and as many to evaluate on
    :raises InvalidArgumentError: as `distractor_kinds`, and for a number of instances out of range
    :raises UnknownObjectError: for a name that is no kind
    """
    names = [kind.name for kind in distractor_kinds(labels.catalog, kinds)]
    found = load_kind_set(kinds=names, instances=instances)
    unlabeled = Catalog([replace(item, split="none") for item in found.catalog])
    found = replace(found, root=found.root.resolve(), catalog=unlabeled)
    labels = replace(labels, root=labels.root.resolve())
    return DistractorSet(labels.name, labels.root, labels.catalog, instances, labels=labels, kinds=found)


def distractor_kinds(labels: Iterable[CatalogObject], names: Sequence[str] = ()) -> list[Kind]:
    """Return the kinds that no label may mean.

    Of a kind that is left out, the name, a synonym or a wider word is the name or a synonym of a label: a "flat
    screwdriver" is a "screwdriver". Case makes no difference.

    :param names: of the kinds; none: all
    :raises InvalidArgumentError: when one of `names` is left out, or no kind is left
    :raises UnknownObjectError: for a name that is no kind
    """
    labels = list(labels)
    taken = {word.casefold() for item in labels for word in (item.name, *item.synonyms)}
    ids = {item.model_id.rpartition("-")[0] for item in labels}  # none may be that of an instance
    chosen = find_kinds(names) if names else list(all_kinds())
    left_out = [kind.name for kind in chosen if taken & _words(kind) or kind.model_id(0).removesuffix("-0") in ids]
    found = [kind for kind in chosen if kind.name not in left_out]
    if not found or (names and left_out):
        raise InvalidArgumentError(
            f"expected kinds that no label means, to lie there as distractors, but a label means {', '.join(left_out)};"
            " leave these out of kinds="
        )
    return found


def kinds_of_instances(model_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of the kinds of which some of these models are instances, by the ids of those models."""
    found = (re.fullmatch(r"(.+)-[0-9]{1,9}", model_id) for model_id in model_ids)
    kind_ids = {match[0]: match[1] for match in found if match}
    if not kind_ids:  # kinds are hundreds of modules
        return {}
    names = {item.model_id: item.name for item in load_kind_set().catalog}
    return {model_id: names[kind_id] for model_id, kind_id in kind_ids.items() if kind_id in names}


def _words(kind: Kind) -> set[str]:
    return {word.casefold() for word in (kind.name, *kind.synonyms, *kind.hypernyms)}
