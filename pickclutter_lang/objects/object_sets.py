"""Loads object sets: those of the package, folders of one's own, several that are mixed, distractors beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds.kind import Kind, all_kinds, find_kinds
from pickclutter_lang.kinds.kind_set import load_kind_set
from pickclutter_lang.kinds.proxy_set import build_proxy_set
from pickclutter_lang.objects.catalog import (
    Catalog,
    CatalogObject,
    all_objects,
    display_name,
    paper_catalog,
    unseen_objects,
)
from pickclutter_lang.objects.catalog_file import (
    CATALOG_FILE,
    CatalogEntry,
    catalog_bytes,
    check_unique,
    entry_of,
    parse_catalog,
    read_catalog,
)
from pickclutter_lang.objects.object_set import (
    DEFAULT_INSTANCES,
    MAX_INSTANCES,
    MODEL_DB_FILE,
    ObjectSet,
    measured,
    read_model_db,
)
from pickclutter_lang.utils.validation import check_folder, check_path, within

__all__ = ["DEFAULT_INSTANCES", "MAX_INSTANCES", "MODEL_DB_FILE", "ObjectSet", "load_object_set"]
_DOWNLOAD = (
    "set MS2_ASSET_DIR or objects_root, or download the YCB objects with: "
    "python -m mani_skill2.utils.download_asset PickClutterYCB-v0"
)
OBJECT_SETS = ("proxy", "ycb", "kinds")
"""The sets of the package; every other name is a folder of one's own."""
ObjectSource = str | Path | Sequence[str | Path]
"""An object set: one of `OBJECT_SETS`, a folder, or a list of these that are mixed."""
MAX_OBJECT_SPLIT = 999
"""Largest number of a drawn split of one's own objects."""
CREDITS = {
    "ycb": ("CC BY 4.0", "YCB Object and Model Set (Calli et al., 2015)"),
    "proxy": ("MIT", "procedural models of pickclutter-lang"),
}
"""License and source of a set of the package."""
_UNSEEN_SHARE = 12 / 26
"""Of a draw where `catalog.yaml` calls no object unseen: as in the paper."""
_SOURCE_WORDS = (
    "one of proxy, ycb, kinds, or a folder of objects (info_pick_v0.json and models/ID, names in catalog.yaml), or a "
    "list of these"
)


@dataclass(frozen=True)
class ObjectsConfig:
    """Which objects lie in piles."""

    objects: Any = "proxy"
    """Object set: `proxy` (generated models), `ycb` (real scans), `kinds` (in every pile other instances), a folder of
    your own objects, or sets to mix, `[ycb,./mine]`."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's cache, or $MS2_ASSET_DIR for `ycb`."""
    kinds: tuple[str, ...] = ()
    """For `kinds` and distractors: their names. []: all; as distractors, those that no label means."""
    instances: int = DEFAULT_INSTANCES
    """For `kinds` and distractors: instances of each. `train`, `fewshot` and `teacher` share theirs; those of `id` and
    `ood` are others."""
    distractors: float = 0.0
    """Share of a pile's objects that are instances of kinds without a label, from 0 to below 1: each object is one with
    this probability, but two objects have a label in any case. No instruction names one."""

    def validate(self) -> None:
        """Raise a PickClutterError for objects that cannot be; no mesh is opened."""
        check_objects(self.objects, self.objects_root, self.kinds, self.instances, self.distractors)

    def load_objects(self, object_split: int = 0, model_ids: Sequence[str] | None = None) -> ObjectSet:
        """Load the object set, as `load_object_set` does."""
        among = self.distractors > 0
        return load_object_set(
            self.objects, self.objects_root, model_ids, object_split, self.kinds, self.instances, among
        )


def load_object_set(
    source: ObjectSource = "proxy",
    root: str | Path | None = None,
    model_ids: Sequence[str] | None = None,
    object_split: int = 0,
    kinds: Sequence[str] = (),
    instances: int = DEFAULT_INSTANCES,
    distractors: bool = False,
) -> ObjectSet:
    """Load an object set: generated models made at first use, ManiSkill2's real scans, kinds, or one's own.

    Of a folder of one's own every object of `catalog.yaml` is there; without that file every object of
    `info_pick_v0.json`, named after its id and seen.

    :param source: one of `OBJECT_SETS`, a folder in ManiSkill2's layout, or a list of sets to mix
    :param root: the folder of `proxy`, `ycb` or `kinds` in ManiSkill2's layout; by default the package's cache, and
        `$MS2_ASSET_DIR/mani_skill2_ycb` for `ycb`
    :param model_ids: for `proxy` and `ycb`: ids of the objects, by default the 26 of the paper; `ycb` has every id in
        `MODEL_DB_FILE`
    :param object_split: which objects are in Y_ood, see `unseen_objects`. Of one's own objects: 0 as each set has it;
        from 1 to 999 a random draw with this seed, of as many as are unseen by 0, or 12 of 26 where none is
    :param kinds: for `kinds` and distractors: their names, by default all
    :param instances: for `kinds` and distractors: instances of each to learn from, and to evaluate on
    :param distractors: whether instances of kinds may lie beside the objects without a label, see `with_distractors`
    :raises InvalidArgumentError: for another source or object split, kinds that cannot be distractors, a `root` of no
        set, or two objects of one id or name
    :raises MissingAssetsError: when files are missing
    :raises DatasetError: for a `catalog.yaml` that cannot be read
    """
    check_source(source)
    check_kinds(source, kinds, instances, distractors=distractors)
    if distractors:
        return with_distractors(load_object_set(source, root, model_ids, object_split), kinds, instances)
    if is_own(source):
        return _load_own_set(sources_of(source), root, object_split)
    (source,) = sources_of(source)
    if source == "kinds":
        return load_kind_set(root, object_split, kinds, instances)
    found = _load_scans(source, root, model_ids)
    return replace(found, catalog=found.catalog.with_unseen(unseen_objects(object_split)))


def _load_scans(source: str, root: str | Path | None, model_ids: Sequence[str] | None = None) -> ObjectSet:
    """Return `proxy` or `ycb`."""
    in_assets = Path(os.environ.get("MS2_ASSET_DIR", "data")) / "mani_skill2_ycb"
    folder = build_proxy_set(root) if source == "proxy" else Path(root) if root else in_assets
    return read_object_set(source, folder, model_ids)


def read_object_set(name: str, root: Path, model_ids: Sequence[str] | None = None) -> ObjectSet:
    """Read the objects of a folder in ManiSkill2's layout and check that every mesh is there."""
    info = read_model_db(root, _DOWNLOAD)
    paper_objects = {item.model_id: item for item in paper_catalog()}
    items = [
        paper_objects.get(model_id) or CatalogObject(model_id, display_name(model_id), "none", (0, 0, 0))
        for model_id in (paper_objects if model_ids is None else model_ids)
    ]
    return ObjectSet(name, root, measured(root, items, info, _DOWNLOAD))


def _load_own_set(sources: Sequence[str], root: str | Path | None, object_split: int) -> ObjectSet:
    """Load folders of one's own, and with them sets of the package, as one set.

    A synonym that is a name in another set is left out: a "screwdriver" beside a phillips screwdriver.
    """
    check_own_split(object_split)
    if root is not None and len(set(sources) & set(OBJECT_SETS)) != 1:
        raise InvalidArgumentError(
            f"expected no objects_root for objects={','.join(sources)}, whose folders have their meshes, but got {root}"
        )
    parts = [_load_part(source, root) for source in sources]
    entries = [entry for part in parts for entry in part.own_catalog or ()]
    names = {entry.name for entry in entries}
    synonyms = [tuple(word for word in one.synonyms if word == one.name or word not in names) for one in entries]
    entries = [replace(entry, synonyms=words) for entry, words in zip(entries, synonyms, strict=True)]
    try:
        check_unique(entries)
    except ValueError as error:
        raise InvalidArgumentError(
            f"expected sets that go together, but in {','.join(sources)}: {error}; rename one in a {CATALOG_FILE}"
        ) from error
    items = [item for part in parts for item in part.catalog]
    items = [replace(item, synonyms=words) for item, words in zip(items, synonyms, strict=True)]
    catalog = _drawn(Catalog(items), object_split)
    entries = [replace(old, split=entry_of(item).split) for old, item in zip(entries, catalog, strict=True)]
    name = "+".join(part.name for part in parts)
    return ObjectSet(name, parts[0].root, catalog, 0, tuple(entries), tuple(parts))


def _load_part(source: str, root: str | Path | None) -> ObjectSet:
    if source not in OBJECT_SETS:
        return _read_folder(Path(source).expanduser().resolve())
    found = _load_scans(source, root)
    entries = tuple(entry_of(item, *CREDITS[source]) for item in found.catalog)
    return replace(found, root=found.root.resolve(), own_catalog=entries)


def _read_folder(folder: Path) -> ObjectSet:
    """Return the objects of a folder, which is checked."""
    remedy = "import the meshes again: pickclutter import-mesh, or correct the folder"
    info = read_model_db(folder, remedy)
    if (folder / CATALOG_FILE).exists():
        entries = read_catalog(folder / CATALOG_FILE)
    else:
        entries = parse_catalog(catalog_bytes([_named_by_id(model_id) for model_id in info]), folder / MODEL_DB_FILE)
    items = [entry.catalog_object() for entry in entries]
    name = re.sub(r"[^\w.-]+", "_", folder.name)[:100] or "objects"
    return ObjectSet(name, folder, measured(folder, items, info, remedy), own_catalog=entries)


def _named_by_id(model_id: str) -> CatalogEntry:
    """Return the entry of an object without a catalog: the package's words where it is one of YCB, and seen."""
    known = {item.model_id: item for item in all_objects()}
    item = known.get(model_id) or CatalogObject(model_id, display_name(model_id).lower(), "id", (0, 0, 0))
    return replace(entry_of(item), split="seen")


def _drawn(catalog: Catalog, object_split: int) -> Catalog:
    """Return a catalog by an object split of one's own objects."""
    ids = [item.model_id for item in catalog if item.split != "none"]
    if object_split == 0 or not ids:
        return catalog
    count = len(catalog.indices("ood")) or round(_UNSEEN_SHARE * len(ids))
    order = np.random.default_rng(object_split).permutation(len(ids))
    return catalog.with_unseen([ids[n] for n in order[:count]])


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


def with_distractors(labels: ObjectSet, kinds: Sequence[str] = (), instances: int = DEFAULT_INSTANCES) -> ObjectSet:
    """Return an object set beside whose objects instances of kinds may lie; these are made in the package's cache.

    :param kinds: their names, by default all that `distractor_kinds` finds
    :param instances: of each kind, to learn from, and as many to evaluate on
    :raises InvalidArgumentError: as `distractor_kinds`, and for a number of instances out of range
    :raises UnknownObjectError: for a name that is no kind
    """
    names = [kind.name for kind in distractor_kinds(labels.catalog, kinds)]
    found = load_kind_set(kinds=names, instances=instances)
    catalog = Catalog([replace(item, split="none") for item in found.catalog])
    unlabeled = replace(found, root=found.root.resolve(), catalog=catalog)
    return replace(labels, root=labels.root.resolve(), instances=instances, unlabeled=unlabeled)


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

    def means(kind: Kind) -> bool:
        words = {word.casefold() for word in (kind.name, *kind.synonyms, *kind.hypernyms)}
        return bool(taken & words) or kind.id in ids

    chosen = find_kinds(names) if names else list(all_kinds())
    left_out = [kind.name for kind in chosen if means(kind)]
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
    names = {kind.id: kind.name for kind in all_kinds()} if kind_ids else {}
    return {model_id: names[kind_id] for model_id, kind_id in kind_ids.items() if kind_id in names}


def sources_of(source: ObjectSource) -> tuple[str, ...]:
    """Return the sets of a source, one or several.

    :raises InvalidArgumentError: where it names none
    """
    several = list(source) if isinstance(source, list | tuple) else [source]
    if not several or not all(isinstance(one, str | Path) and str(one).strip() for one in several):
        raise InvalidArgumentError(f"expected objects to be {_SOURCE_WORDS}, but got {source!r}")
    return tuple(map(str, several))


def is_own(source: ObjectSource) -> bool:
    """Return whether a source has a folder of one's own, or mixes sets."""
    sources = sources_of(source)
    return len(sources) > 1 or sources[0] not in OBJECT_SETS


def is_kinds(source: ObjectSource) -> bool:
    """Return whether a source is only `kinds`, also as a list of one."""
    return sources_of(source) == ("kinds",)


def own_sources(source: ObjectSource) -> tuple[str, ...]:
    """Return the sets of a source that `is_own`; nothing of another."""
    return sources_of(source) if is_own(source) else ()


def check_source(source: ObjectSource) -> None:
    """Check that a source names sets of the package and folders that are there.

    :raises InvalidArgumentError: naming the sets, and what a folder needs
    """
    sources = sources_of(source)
    for one in sources:
        if one not in OBJECT_SETS and not Path(one).expanduser().is_dir():
            raise InvalidArgumentError(
                f"expected objects to be {_SOURCE_WORDS}, but got {one!r}, and there is no such folder"
            )
    if len(sources) > 1 and ("kinds" in sources or len(set(sources)) < len(sources)):
        raise InvalidArgumentError(
            f"expected different sets in objects, and none of them kinds, but got {list(sources)}; instances of kinds "
            "lie beside labeled objects with distractors=0.3"
        )


def check_kinds(
    source: ObjectSource,
    kinds: Sequence[str],
    instances: int = DEFAULT_INSTANCES,
    default: int = DEFAULT_INSTANCES,
    distractors: bool = False,
) -> None:
    """Check the settings of kinds, which another object set than `kinds` has only for distractors.

    :param default: the number of instances that stands for none given
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for a repeated name, a number out of range, or either of an object set without them;
        for distractors among kinds
    """
    if is_kinds(source) and distractors:
        raise InvalidArgumentError(
            "expected distractors=0 with objects=kinds, since each pile of kinds has other instances in any case; "
            "distractors lie beside the objects of other sets"
        )
    if is_kinds(source) or distractors:
        find_kinds(kinds)
        within("instances", instances, 1, MAX_INSTANCES)
    elif kinds or instances != default:
        got = f"{list(kinds)}" if kinds else f"instances={instances}"
        raise InvalidArgumentError(
            f"expected kinds only for objects=kinds, but got {got} for {source!r}; other sets take them with "
            "distractors="
        )


def check_objects(
    source: ObjectSource,
    root: str | None,
    kinds: Sequence[str] = (),
    instances: int = DEFAULT_INSTANCES,
    distractors: float = 0.0,
) -> None:
    """Check an object set, its folder and the settings of kinds, as a command takes them; no mesh is opened.

    :param distractors: share of a pile's objects that are distractors, in [0, 1)
    :raises MissingAssetsError: for a folder of `proxy` that is not there, or one of `kinds` without its parent
    :raises PickClutterError: what `load_object_set` raises
    """
    check_source(source)
    check_share(distractors)
    check_kinds(source, kinds, instances, distractors=distractors > 0)
    labels = load_object_set(source, root).catalog if is_own(source) else paper_catalog()
    if distractors:
        distractor_kinds(labels, kinds)
    if sources_of(source) == ("proxy",):  # of `ycb` its loader says where it comes from
        check_folder("objects_root", root)
    elif is_kinds(source) and root is not None:
        check_path("objects_root", root)
        if not Path(root).is_dir():
            check_folder("the parent of objects_root", str(Path(root).expanduser().parent))


def check_share(distractors: float) -> None:
    """Raise InvalidArgumentError for a share of distractors outside [0, 1)."""
    if not 0 <= distractors < 1:
        raise InvalidArgumentError(
            f"expected distractors to be a share from 0 to below 1 of the objects of a pile, but got {distractors}"
        )


def check_object_split(source: ObjectSource, object_split: int) -> None:
    """Raise InvalidArgumentError for a number of an object split that a source does not have."""
    if is_own(source):
        check_own_split(object_split)
    else:
        unseen_objects(object_split)


def check_own_split(object_split: int) -> None:
    """Raise InvalidArgumentError for a number of an object split that no set of one's own has."""
    within("object_split", object_split, 0, MAX_OBJECT_SPLIT)
