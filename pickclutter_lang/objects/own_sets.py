"""Object sets of one's own: a folder in ManiSkill2's layout with a `catalog.yaml`, or several sets that are mixed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, display_name
from pickclutter_lang.objects.catalog_file import (
    CATALOG_FILE,
    CatalogEntry,
    catalog_bytes,
    entry_of,
    parse_catalog,
    read_catalog,
)
from pickclutter_lang.objects.extra_objects import all_objects
from pickclutter_lang.objects.model_db import MODEL_DB_FILE, measured, read_model_db
from pickclutter_lang.objects.object_sets import OBJECT_SETS, ObjectSet, load_object_set
from pickclutter_lang.utils.json_files import check_json
from pickclutter_lang.utils.validation import within

MAX_OBJECT_SPLIT = 999
"""Largest number of a drawn split of one's own objects."""
_UNSEEN_SHARE = 12 / 26
"""Of a draw where `catalog.yaml` calls no object unseen: as in the paper."""
CREDITS = {
    "ycb": ("CC BY 4.0", "YCB Object and Model Set (Calli et al., 2015)"),
    "proxy": ("MIT", "procedural models of pickclutter-lang"),
}
"""License and source of a set of the package."""


@dataclass(frozen=True)
class OwnSet(ObjectSet):
    """Objects of a folder, or of several sets; `entries` are those of its catalog, in the same order, as now split."""

    parts: tuple[ObjectSet, ...] = ()
    entries: tuple[CatalogEntry, ...] = ()

    @property
    def own_catalog(self) -> tuple[CatalogEntry, ...]:
        """The entries."""
        return self.entries

    def model_dir(self, model_id: str) -> Path:
        """Return the folder with the meshes of an object."""
        return self._part_of(model_id).model_dir(model_id)

    def model_db(self, model_ids: Sequence[str]) -> dict[str, Any]:
        """Return ManiSkill2's entries of models, by id."""
        return {model_id: self._part_of(model_id).model_db([model_id])[model_id] for model_id in model_ids}

    def _part_of(self, model_id: str) -> ObjectSet:
        self.catalog.index(model_id)  # raises for an unknown one
        return next(part for part in self.parts if model_id in part.catalog.model_ids)


def load_own_set(sources: Sequence[str], root: str | Path | None = None, object_split: int = 0) -> OwnSet:
    """Load folders of one's own, and with them sets of the package, as one set.

    In a folder every object of `catalog.yaml` is there; without that file every object of `info_pick_v0.json`, named
    after its id and seen.

    :param sources: folders, `proxy` and `ycb`
    :param root: folder of the package's set among them, if there is one
    :param object_split: which objects are in Y_ood: 0 as each set has it; from 1 to 999 a random draw with this seed,
        of as many as are unseen by 0, or 12 of 26 where none is
    :raises InvalidArgumentError: for another object split, a `root` of no set, or two objects of one id or name
    :raises MissingAssetsError: when a mesh or `info_pick_v0.json` is missing
    :raises DatasetError: for a `catalog.yaml` that cannot be read
    """
    check_own_split(object_split)
    of_package = [source for source in sources if source in OBJECT_SETS]
    if root is not None and len(of_package) != 1:
        raise InvalidArgumentError(
            f"expected no objects_root for objects={','.join(sources)}, whose folders have their meshes, but got {root}"
        )
    loaded = [_load_part(source, root) for source in sources]
    _check_names(sources, [entries for _, entries in loaded])
    names = {entry.name for _, found in loaded for entry in found}
    loaded = [_without_synonyms(part, found, names) for part, found in loaded]
    parts = tuple(part for part, _ in loaded)
    catalog = _drawn(Catalog([item for part in parts for item in part.catalog]), object_split)
    entries = [entry for _, found in loaded for entry in found]
    splits = (entry_of(item).split for item in catalog)
    entries = [replace(entry, split=split) for entry, split in zip(entries, splits, strict=True)]
    return OwnSet("+".join(part.name for part in parts), parts[0].root, catalog, 0, parts, tuple(entries))


def _without_synonyms(
    part: ObjectSet, entries: Sequence[CatalogEntry], names: Collection[str]
) -> tuple[ObjectSet, Sequence[CatalogEntry]]:
    """Return a set without synonyms that are names in another one: a "screwdriver" beside a phillips screwdriver."""

    def left(name: str, synonyms: Sequence[str]) -> tuple[str, ...]:
        return tuple(word for word in synonyms if word == name or word not in names)

    catalog = Catalog([replace(item, synonyms=left(item.name, item.synonyms)) for item in part.catalog])
    kept = [replace(entry, synonyms=left(entry.name, entry.synonyms)) for entry in entries]
    return replace(part, catalog=catalog), kept


def check_own_split(object_split: int) -> None:
    """Raise InvalidArgumentError for a number of an object split that no set of one's own has."""
    within("object_split", object_split, 0, MAX_OBJECT_SPLIT)


def own_split_of(catalog: Catalog, unseen: Collection[str]) -> int:
    """Return the object split of one's own objects by which those with names in `unseen` are in Y_ood.

    :param catalog: of object split 0
    :return: 0 too where no split has them, as for a student of other objects
    """
    wanted = {item.model_id for item in catalog if item.name in unseen and item.split != "none"}

    def fits(number: int) -> bool:
        drawn = _drawn(catalog, number)
        return {drawn[n].model_id for n in drawn.indices("ood")} == wanted

    return next((number for number in range(MAX_OBJECT_SPLIT + 1) if fits(number)), 0) if wanted else 0


def words_of_entry(entry: CatalogEntry, item: CatalogObject) -> dict[str, Any]:
    """Return everything said of an object of one's own, for JSON."""
    return {"own": asdict(entry), "size": list(item.size), "scale": item.scale}


def object_of_words(words: Mapping[str, Any]) -> CatalogObject:
    """Return the object that `words_of_entry` was called for.

    :raises DatasetError: for other words
    """
    try:
        found = check_json({key: words[key] for key in ("own", "size", "scale")}, _EntryWords)
    except (KeyError, ValueError) as error:
        raise DatasetError(f"cannot read the words of a view's object ({error}); render the views again") from error
    return found.own.catalog_object(found.size, found.scale)


@dataclass(frozen=True)
class _EntryWords:
    own: CatalogEntry
    size: tuple[float, float, float]
    scale: float


def _drawn(catalog: Catalog, object_split: int) -> Catalog:
    """Return a catalog by an object split."""
    ids = [item.model_id for item in catalog if item.split != "none"]
    if object_split == 0 or not ids:
        return catalog
    count = len(catalog.indices("ood")) or round(_UNSEEN_SHARE * len(ids))
    order = np.random.default_rng(object_split).permutation(len(ids))
    return catalog.with_unseen([ids[n] for n in order[:count]])


def _load_part(source: str, root: str | Path | None) -> tuple[ObjectSet, Sequence[CatalogEntry]]:
    if source not in OBJECT_SETS:
        return _read_folder(Path(source).expanduser().resolve())
    found = load_object_set(source, root)
    return replace(found, root=found.root.resolve()), [entry_of(item, *CREDITS[source]) for item in found.catalog]


def _read_folder(folder: Path) -> tuple[ObjectSet, Sequence[CatalogEntry]]:
    """Return the objects of a folder, which is checked."""
    remedy = "import the meshes again: pickclutter import-mesh, or correct the folder"
    if not (folder / MODEL_DB_FILE).is_file():
        raise MissingAssetsError(
            f"expected {MODEL_DB_FILE} with the sizes of the objects in {folder}, but it is missing; {remedy}"
        )
    info = read_model_db(folder, remedy)
    if (folder / CATALOG_FILE).exists():
        entries = read_catalog(folder / CATALOG_FILE)
    else:
        entries = parse_catalog(catalog_bytes([_named_by_id(model_id) for model_id in info]), folder / MODEL_DB_FILE)
    items = [entry.catalog_object() for entry in entries]
    name = re.sub(r"[^\w.-]+", "_", folder.name)[:100] or "objects"
    return ObjectSet(name, folder, measured(folder, items, info, remedy)), entries


def _named_by_id(model_id: str) -> CatalogEntry:
    """Return the entry of an object without a catalog: the package's words where it is one of YCB, and seen."""
    known = {item.model_id: item for item in all_objects()}
    item = known.get(model_id) or CatalogObject(model_id, display_name(model_id).lower(), "id", (0, 0, 0))
    return replace(entry_of(item), split="seen")


def _check_names(sources: Sequence[str], entries: Sequence[Sequence[CatalogEntry]]) -> None:
    """Check that sets share no id and no name, and that no name of one is an id of another.

    :raises InvalidArgumentError: naming the sets
    """
    for kind in ("id", "name"):
        owner: dict[str, str] = {}
        for source, found in zip(sources, entries, strict=True):
            shared = [getattr(entry, kind) for entry in found if getattr(entry, kind) in owner]
            if shared:
                raise InvalidArgumentError(
                    f"expected sets without a common {kind}, but {owner[shared[0]]} and {source} both have "
                    f"{shared[0]!r}; rename it in a {CATALOG_FILE}, or leave it out"
                )
            owner |= {getattr(entry, kind): source for entry in found}
    ids = {entry.id: source for source, found in zip(sources, entries, strict=True) for entry in found}
    for source, found in zip(sources, entries, strict=True):
        for entry in found:
            if ids.get(entry.name, source) != source:
                raise InvalidArgumentError(
                    f"expected names that are no id, but {entry.id} of {source} has the name {entry.name!r}, which is "
                    f"an id of {ids[entry.name]}; rename one in a {CATALOG_FILE}"
                )
