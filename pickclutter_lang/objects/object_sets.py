"""Loads object sets (meshes, sizes, densities) from disk, in ManiSkill2's layout.

`ROOT/info_pick_v0.json` maps a model id to `{bbox: {min, max}, scales, density}`; `ROOT/models/<id>/` holds
`collision.obj` (convex parts) and `textured.obj` with its material and texture.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, display_name, paper_catalog, unseen_objects
from pickclutter_lang.objects.model_db import MODEL_DB_FILE as MODEL_DB_FILE
from pickclutter_lang.objects.model_db import measured, read_model_db
from pickclutter_lang.utils.validation import check_folder, check_path, did_you_mean, within

if TYPE_CHECKING:
    from pickclutter_lang.objects.catalog_file import CatalogEntry

DOWNLOAD_HINT = "python -m mani_skill2.utils.download_asset PickClutterYCB-v0"
OBJECT_SETS = ("proxy", "ycb", "kinds")
"""The sets of the package; every other name is a folder of one's own."""
ObjectSource = str | Path | Sequence[str | Path]
"""An object set: one of `OBJECT_SETS`, a folder, or a list of these that are mixed."""
DEFAULT_INSTANCES = 50
MAX_INSTANCES = 1_000_000
"""Largest number of instances; those to evaluate on have seeds from here on, whatever the number."""
_RESTORE = f"restore it: {DOWNLOAD_HINT}"
_SOURCE_WORDS = (
    "one of proxy, ycb, kinds, or a folder of objects (info_pick_v0.json and models/ID, names in catalog.yaml), or a "
    "list of these"
)


@dataclass(frozen=True)
class ObjectSet:
    """Labels and meshes. The entries of `catalog` are the labels; a model is a mesh with its size, scale and density.

    Here each label has one model, with the same id. Where `instances` is above 0, a label has that many models to learn
    from, and as many others (see `KindSet`), or piles have distractors with so many (see `DistractorSet`).
    """

    name: str
    root: Path
    catalog: Catalog
    instances: int = 0

    @property
    def own_catalog(self) -> tuple[CatalogEntry, ...] | None:
        """The labels with their words, licenses and sources, of one's own objects; None of sets of the package."""
        return None

    @property
    def distractors(self) -> tuple[CatalogObject, ...]:
        """The kinds whose instances may lie in a pile without a label; their indices follow those of the labels."""
        return ()

    @property
    def actor_ids(self) -> list[str]:
        """Ids of the labels and, after them, of the kinds of distractors."""
        return [*self.catalog.model_ids, *(kind.model_id for kind in self.distractors)]

    def model_dir(self, model_id: str) -> Path:
        """Return the folder with the meshes of an object."""
        return self.root / "models" / model_id

    def label_index(self, model_id: str) -> int:
        """Return the position of a model's label in the catalog."""
        return self.catalog.index(model_id)

    def model(self, model_id: str) -> CatalogObject:
        """Return a model with its size, scale and density."""
        return self.catalog.find(model_id)

    def draw_models(
        self, label_indices: NDArray[np.int64], split: str, rng: np.random.Generator
    ) -> tuple[CatalogObject, ...]:
        """Return a model of each of these labels; only where a label has several, one is drawn."""
        return tuple(self.catalog[index] for index in label_indices.tolist())

    def seed_of(self, model_id: str) -> int:
        """Return the seed of an instance, -1 for other models."""
        return -1

    def model_db(self, model_ids: Sequence[str]) -> dict[str, Any]:
        """Return ManiSkill2's entries of models, by id."""
        info = read_model_db(self.root, _RESTORE)
        return {model_id: info[model_id] for model_id in model_ids}

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of the catalog and of the bytes of every mesh and texture."""
        digest = hashlib.sha256(self.catalog.fingerprint.encode())
        for item in self.catalog:
            folder = self.model_dir(item.model_id)
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        return digest.hexdigest()


def load_object_set(
    source: ObjectSource = "proxy",
    root: str | Path | None = None,
    model_ids: Sequence[str] | None = None,
    object_split: int = 0,
    kinds: Sequence[str] = (),
    instances: int = DEFAULT_INSTANCES,
    distractors: bool = False,
) -> ObjectSet:
    """Load an object set: procedural models made by code at first use, ManiSkill2's real scans, kinds, or one's own.

    :param source: one of `OBJECT_SETS`, a folder in ManiSkill2's layout, or a list of sets to mix
    :param root: the folder of `proxy`, `ycb` or `kinds` in ManiSkill2's layout; by default the package's cache, and
        `$MS2_ASSET_DIR/mani_skill2_ycb` for `ycb`
    :param model_ids: for `proxy` and `ycb`: ids of the objects, by default the 26 of the paper; `ycb` has every id in
        `MODEL_DB_FILE`
    :param object_split: which objects are in Y_ood, see `paper_catalog`; of one's own objects see `load_own_set`
    :param kinds: for `kinds` and distractors: their names, by default all
    :param instances: for `kinds` and distractors: instances of each to learn from, and to evaluate on
    :param distractors: whether instances of kinds may lie beside the objects without a label, see `DistractorSet`
    :raises InvalidArgumentError: for another source or object split, or kinds that cannot be distractors
    :raises MissingAssetsError: when files are missing
    :raises DatasetError: for a `catalog.yaml` that cannot be read
    """
    check_source(source)
    check_kinds(source, kinds, instances, distractors=distractors)
    if distractors:
        from pickclutter_lang.objects.distractors import with_distractors

        return with_distractors(load_object_set(source, root, model_ids, object_split), kinds, instances)
    if is_own(source):
        from pickclutter_lang.objects.own_sets import load_own_set

        return load_own_set(sources_of(source), root, object_split)
    (source,) = sources_of(source)
    if source == "kinds":
        from pickclutter_lang.objects.kinds.kind_set import load_kind_set

        return load_kind_set(root, object_split, kinds, instances)
    if source == "proxy":
        from pickclutter_lang.objects.procedural import build_procedural_set

        found = read_object_set("proxy", build_procedural_set(root), model_ids)
    else:
        in_assets = Path(os.environ.get("MS2_ASSET_DIR", "data")) / "mani_skill2_ycb"
        found = read_object_set("ycb", Path(root) if root else in_assets, model_ids)
    return replace(found, catalog=found.catalog.with_unseen(unseen_objects(object_split)))


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
    """Return whether a source is `kinds` alone, also as a list of one."""
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
                f"{did_you_mean(one, OBJECT_SETS)}"
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
    """Check the settings of kinds, which another object set than `kinds` has for distractors alone.

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
        from pickclutter_lang.objects.kinds.kind import find_kinds

        find_kinds(kinds)
        within("instances", instances, 1, MAX_INSTANCES)
    elif kinds or instances != default:
        got = f"{list(kinds)}" if kinds else f"instances={instances}"
        raise InvalidArgumentError(
            f"expected kinds for objects=kinds alone, but got {got} for {source!r}; other sets take them with "
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
    :raises InvalidArgumentError: for another source; and what `check_kinds` raises
    :raises PickClutterError: for one's own objects what `load_own_set` raises
    """
    check_source(source)
    check_share(distractors)
    check_kinds(source, kinds, instances, distractors=distractors > 0)
    sources = sources_of(source)
    labels = load_object_set(source, root).catalog if is_own(source) else paper_catalog()
    if distractors:
        from pickclutter_lang.objects.distractors import distractor_kinds

        distractor_kinds(labels, kinds)
    if sources == ("proxy",):  # of `ycb` its loader says where it comes from
        check_folder("objects_root", root)
    elif sources == ("kinds",) and root is not None:
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
        from pickclutter_lang.objects.own_sets import check_own_split

        check_own_split(object_split)
    else:
        unseen_objects(object_split)


def read_object_set(name: str, root: Path, model_ids: Sequence[str] | None = None) -> ObjectSet:
    """Read the objects of a folder in ManiSkill2's layout and check that every mesh is there."""
    if not (root / MODEL_DB_FILE).is_file():
        raise MissingAssetsError(
            f"expected an object set at {root}, but {MODEL_DB_FILE} is missing; set MS2_ASSET_DIR or objects_root, "
            f"or download the YCB objects with: {DOWNLOAD_HINT}"
        )
    info = read_model_db(root, _RESTORE)
    paper_objects = {item.model_id: item for item in paper_catalog()}
    requested = list(model_ids) if model_ids is not None else list(paper_objects)
    items = [
        paper_objects.get(model_id) or CatalogObject(model_id, display_name(model_id), "none", (0, 0, 0))
        for model_id in requested
    ]
    return ObjectSet(name, root, measured(root, items, info, f"download the YCB objects with: {DOWNLOAD_HINT}"))
