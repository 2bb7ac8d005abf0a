"""`ObjectSet`: labels and their meshes in a folder of ManiSkill2's layout.

`ROOT/info_pick_v0.json` maps a model id to `{bbox: {min, max}, scales, density}`; `ROOT/models/<id>/` holds
`collision.obj` (convex parts) and `textured.obj` with its material and texture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import NotRequired, TypedDict

from pickclutter_lang.errors import MissingAssetsError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.utils.reading import read_json

MODEL_DB_FILE = "info_pick_v0.json"
DEFAULT_INSTANCES = 50
MAX_INSTANCES = 1_000_000
"""Largest number of instances; those to evaluate on have seeds from here on, whatever the number."""


@dataclass(frozen=True)
class ObjectSet:
    """Labels and meshes. The entries of `catalog` are the labels; a model is a mesh with its size, scale and density.

    - `instances`: of each kind, where labels are kinds (`KindSet`) or lie beside them; here a label has one model
    - `own_catalog`: the labels with words, license and source, of one's own objects; None of sets of the package
    - `parts`: the sets whose models these are, of several that are mixed; none: they lie in `root`
    - `unlabeled`: a set of kinds whose instances may lie in piles as distractors. They have no label, and kind k has
      the index `len(catalog) + k`
    """

    name: str
    root: Path
    catalog: Catalog
    instances: int = 0
    own_catalog: tuple[CatalogEntry, ...] | None = None
    parts: tuple[ObjectSet, ...] = ()
    unlabeled: ObjectSet | None = None

    @property
    def distractors(self) -> tuple[CatalogObject, ...]:
        """The kinds whose instances may lie in a pile without a label."""
        return tuple(self.unlabeled.catalog) if self.unlabeled else ()

    @property
    def actor_ids(self) -> list[str]:
        """Ids of the labels and, after them, of the kinds of distractors."""
        return [*self.catalog.model_ids, *(kind.model_id for kind in self.distractors)]

    def model_dir(self, model_id: str) -> Path:
        """Return the folder with the meshes of an object."""
        owner = self._owner(model_id)
        return self.root / "models" / model_id if owner is self else owner.model_dir(model_id)

    def label_index(self, model_id: str) -> int:
        """Return the position of a model's label in the catalog, or the index of its kind of distractors.

        :raises UnknownObjectError: for an object that is not in the set
        """
        if self.unlabeled and model_id not in self.catalog.model_ids:
            return len(self.catalog) + self.unlabeled.label_index(model_id)
        return self.catalog.index(model_id)

    def model(self, model_id: str) -> CatalogObject:
        """Return a model with its size, scale and density."""
        if self.unlabeled and model_id not in self.catalog.model_ids:
            return self.unlabeled.model(model_id)
        return self.catalog.find(model_id)

    def draw_models(
        self, label_indices: NDArray[np.int64], split: str, rng: np.random.Generator
    ) -> tuple[CatalogObject, ...]:
        """Return the models of these labels, and draw an instance of each of these kinds of distractors."""
        of_kinds = label_indices >= len(self.catalog)
        if not self.unlabeled:
            return tuple(self.catalog[index] for index in label_indices.tolist())
        drawn = iter(self.unlabeled.draw_models(label_indices[of_kinds] - len(self.catalog), split, rng))
        pairs = zip(label_indices.tolist(), of_kinds.tolist(), strict=True)
        return tuple(next(drawn) if of_kind else self.catalog[index] for index, of_kind in pairs)

    def seed_of(self, model_id: str) -> int:
        """Return the seed of an instance, -1 for other models."""
        owner = self._owner(model_id)
        return -1 if owner is self else owner.seed_of(model_id)

    def model_db(self, model_ids: Sequence[str]) -> dict[str, Any]:
        """Return ManiSkill2's entries of models, by id."""
        owners = {model_id: self._owner(model_id) for model_id in model_ids}
        own = read_model_db(self.root, "restore it") if self in owners.values() else {}
        return {
            model_id: own[model_id] if owner is self else owner.model_db([model_id])[model_id]
            for model_id, owner in owners.items()
        }

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of the catalog, of the bytes of every mesh and texture, and of the distractors."""
        digest = hashlib.sha256(self.catalog.fingerprint.encode())
        for item in self.catalog:
            folder = self.model_dir(item.model_id)
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        if self.unlabeled:
            digest = hashlib.sha256(f"{digest.hexdigest()} {self.unlabeled.fingerprint}".encode())
        return digest.hexdigest()

    def _owner(self, model_id: str) -> ObjectSet:
        """Return the set that has the meshes of a model."""
        if self.unlabeled and model_id not in self.catalog.model_ids:
            return self.unlabeled
        return next((part for part in self.parts if model_id in part.catalog.model_ids), self)


class _Box(TypedDict):
    min: tuple[float, float, float]
    max: tuple[float, float, float]


class _Row(TypedDict):
    """An object of ManiSkill2's list."""

    bbox: _Box
    scales: NotRequired[list[float]]
    density: NotRequired[float]


def read_model_db(root: Path, remedy: str) -> dict[str, _Row]:
    """Read the sizes of the objects of a folder.

    :raises MissingAssetsError: when the file is missing or damaged
    """
    return read_json(root / MODEL_DB_FILE, dict[str, _Row], MissingAssetsError, remedy)


def measured(root: Path, items: Sequence[CatalogObject], info: Mapping[str, _Row], remedy: str) -> Catalog:
    """Return objects with the sizes, scales and densities of their meshes in a folder.

    :param info: of `read_model_db`
    :param remedy: what to do about a missing file
    :raises MissingAssetsError: naming what is missing
    """
    missing = [f"{item.model_id} ({MODEL_DB_FILE})" for item in items if item.model_id not in info]
    for item in items:
        folder = root / "models" / item.model_id
        missing += [str(folder / n) for n in ("collision.obj", "textured.obj") if not (folder / n).is_file()]
    if missing:
        listed = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        raise MissingAssetsError(f"the object set at {root} lacks {listed}; {remedy}")
    found = []
    for item in items:
        row = info[item.model_id]
        x, y, z = (round(b - a, 6) for a, b in zip(row["bbox"]["min"], row["bbox"]["max"], strict=True))
        scales = row.get("scales") or [1.0]
        density = row.get("density", 1000.0)
        found.append(replace(item, size=(x, y, z), scale=float(scales[0]), density=float(density)))
    return Catalog(found)
