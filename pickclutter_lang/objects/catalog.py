"""The catalogs of the paper's 26 YCB objects (section 7) and of 34 others: split, size, attributes and description."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.utils.validation import did_you_mean, one_of, within

ObjectSplit = Literal["id", "ood", "none"]


_FINGERPRINT_FIELDS = {"colors": "colours", "function": "use"}
"""Field names that enter the fingerprint as in version 0.1.0, so that its stores still match their objects."""


@dataclass(frozen=True)
class CatalogObject:
    """One object: `split` says whether students train on its name (`id`), never do (`ood`), or neither.

    `size` is the extent of the unscaled mesh in meters along its own x, y and z; `scale` and `density` (kg/m^3)
    are those of ManiSkill2's PickClutter. The attributes (`category` to `description`) are empty for objects outside
    the paper's 26. `hypernyms` are wider words than `category`, from near to far, which only kinds have.
    """

    model_id: str
    name: str
    split: ObjectSplit
    size: tuple[float, float, float]
    scale: float = 1.0
    density: float = 1000.0
    category: str = ""
    colors: tuple[str, ...] = ()
    shape: str = ""
    material: str = ""
    function: str = ""
    synonyms: tuple[str, ...] = ()
    description: str = ""
    hypernyms: tuple[str, ...] = ()

    @property
    def radius(self) -> float:
        """Radius of a sphere around the scaled mesh, meters."""
        return 0.5 * self.scale * float(np.linalg.norm(self.size))


class Catalog:
    """An ordered set of objects with unique ids and names; the order is that of every label vector."""

    def __init__(self, objects: Sequence[CatalogObject]) -> None:
        self._objects = tuple(objects)
        self._by_id = {item.model_id: n for n, item in enumerate(self._objects)}
        self._by_name = {item.name: n for n, item in enumerate(self._objects)}
        if len(self._by_id) != len(self._objects) or len(self._by_name) != len(self._objects):
            raise InvalidArgumentError("expected objects with unique ids and names, but some are repeated")

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[CatalogObject]:
        return iter(self._objects)

    def __getitem__(self, index: int) -> CatalogObject:
        return self._objects[index]

    @property
    def names(self) -> list[str]:
        """Display names, in order."""
        return [item.name for item in self._objects]

    @property
    def model_ids(self) -> list[str]:
        """YCB ids, in order."""
        return [item.model_id for item in self._objects]

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of every field of every object."""
        rows = [
            {
                _FINGERPRINT_FIELDS.get(name, name): value
                for name, value in asdict(item).items()
                if value or name != "hypernyms"  # which objects of earlier versions do not have
            }
            for item in self._objects
        ]
        text = json.dumps(rows, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def indices(self, split: ObjectSplit) -> list[int]:
        """Return the positions of the objects of a split, in order."""
        return [n for n, item in enumerate(self._objects) if item.split == split]

    def with_unseen(self, unseen: Collection[str]) -> Catalog:
        """Return the catalog with these objects (ids) in Y_ood, and in Y_id all others that are in either of them."""
        splits: list[ObjectSplit] = ["ood" if item.model_id in unseen else "id" for item in self._objects]
        pairs = zip(self._objects, splits, strict=True)
        return Catalog([item if item.split == "none" else replace(item, split=split) for item, split in pairs])

    def index(self, name_or_id: str) -> int:
        """Return the position of an object by display name or id.

        :raises UnknownObjectError: with the nearest names, when there is none
        """
        index = self._by_id.get(name_or_id, self._by_name.get(name_or_id.strip().lower()))
        if index is None:
            known = did_you_mean(name_or_id.lower(), self.names + self.model_ids)
            known = known or f"; known names: {', '.join(self.names)}"
            raise UnknownObjectError(f"no object is named {name_or_id!r}{known}")
        return index

    def find(self, name_or_id: str) -> CatalogObject:
        """Return an object by display name or id."""
        return self._objects[self.index(name_or_id)]


@lru_cache(maxsize=1)
def paper_catalog() -> Catalog:
    """Return the 26 objects of the paper's PickClutter experiment: 14 in Y_id, 12 in Y_ood, ordered by id."""
    return Catalog([item for item, _ in _objects_of("catalog.json")])


def select_objects(selection: str) -> Catalog:
    """Return the objects of a selection, in the order of their ids.

    :param selection: `paper` (the 26), `further` (26 other YCB objects that teachers may be trained on) or `kept_out`
        (8 other YCB objects that no teacher is ever trained on)
    :raises InvalidArgumentError: for another selection
    """
    one_of("selection", selection, ("paper", "further", "kept_out"))
    if selection == "paper":
        return paper_catalog()
    further = _objects_of("extra_objects.json")
    return Catalog([item for item, kept_out in further if kept_out == (selection == "kept_out")])


@lru_cache(maxsize=1)
def all_objects() -> Catalog:
    """Return every object with attributes: the paper's 26, then the 34 others of ManiSkill2's PickClutter."""
    return Catalog([*paper_catalog(), *(item for item, _ in _objects_of("extra_objects.json"))])


@lru_cache
def _objects_of(name: str) -> tuple[tuple[CatalogObject, bool], ...]:
    """Return the objects of a file of the package, and whether they are kept out of all training."""
    found = []
    for row in json.loads((files("pickclutter_lang.assets") / name).read_text()):
        kept_out = bool(row.pop("kept_out", False))
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        found.append((CatalogObject(**fields), kept_out))
    return tuple(found)


def unseen_objects(object_split: int) -> frozenset[str]:
    """Return the ids of the 12 objects in Y_ood of an object split.

    :param object_split: 0 is the paper's choice, 1 to 4 are those of `object_splits.json`
    :raises InvalidArgumentError: for another number
    """
    splits = _object_splits()
    within("object_split", object_split, 0, len(splits) - 1)
    return splits[object_split]


def object_split_of(unseen: Collection[str]) -> int:
    """Return the object split with these ids in Y_ood; 0 for labels other than the paper's, which have no other."""
    return next((number for number, ids in enumerate(_object_splits()) if ids == set(unseen)), 0)


@lru_cache(maxsize=1)
def _object_splits() -> tuple[frozenset[str], ...]:
    drawn = json.loads((files("pickclutter_lang.assets") / "object_splits.json").read_text())["unseen"]
    paper = frozenset(item.model_id for item in paper_catalog() if item.split == "ood")
    return (paper, *(frozenset(drawn[str(number)]) for number in range(1, 1 + len(drawn))))


def display_name(model_id: str) -> str:
    """Return the display name of any YCB id: the paper's where it has one, otherwise made from the id.

    The letter of a variant is kept, so that `065-a_cups` ("cups a") and `065-b_cups` ("cups b") differ.
    """
    paper = paper_catalog()
    if model_id in paper.model_ids:
        return paper.find(model_id).name
    match = re.fullmatch(r"(?:\d+(?:-([a-z]+))?_)?(.+)", model_id)
    variant, stem = match.groups() if match else (None, model_id)
    return " ".join([*stem.replace("_", " ").split(), *([variant] if variant else [])])
