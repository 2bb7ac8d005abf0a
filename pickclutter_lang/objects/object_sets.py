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
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, display_name, paper_catalog, unseen_objects
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.validation import check_folder, check_path, one_of, within

MODEL_DB_FILE = "info_pick_v0.json"
DOWNLOAD_HINT = "python -m mani_skill2.utils.download_asset PickClutterYCB-v0"
OBJECT_SETS = ("proxy", "ycb", "kinds")
DEFAULT_INSTANCES = 50
MAX_INSTANCES = 1_000_000
"""Largest number of instances; those to evaluate on have seeds from here on, whatever the number."""
_RESTORE = f"restore it: {DOWNLOAD_HINT}"


@dataclass(frozen=True)
class ObjectSet:
    """Labels and meshes. The entries of `catalog` are the labels; a model is a mesh with its size, scale and density.

    Here each label has one model, with the same id. Where `instances` is above 0, a label has that many models to learn
    from, and as many others (see `KindSet`).
    """

    name: str
    root: Path
    catalog: Catalog
    instances: int = 0

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
        info = read_json(self.root / MODEL_DB_FILE, dict[str, _Row], MissingAssetsError, _RESTORE)
        return {model_id: info[model_id] for model_id in model_ids}

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of the catalog and of the bytes of every mesh and texture."""
        digest = hashlib.sha256(self.catalog.fingerprint.encode())
        for item in self.catalog:
            for path in sorted(self.model_dir(item.model_id).iterdir()):
                digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()


def load_object_set(
    source: str = "proxy",
    root: str | Path | None = None,
    model_ids: Sequence[str] | None = None,
    object_split: int = 0,
    kinds: Sequence[str] = (),
    instances: int = DEFAULT_INSTANCES,
) -> ObjectSet:
    """Load an object set: procedural models made by code at first use, ManiSkill2's real scans, or kinds.

    :param source: one of `OBJECT_SETS`
    :param root: the folder in ManiSkill2's layout; by default the package's cache, and
        `$MS2_ASSET_DIR/mani_skill2_ycb` for `ycb`
    :param model_ids: ids of the objects, by default the 26 of the paper; `ycb` has every id in `MODEL_DB_FILE`
    :param object_split: which objects are in Y_ood, see `paper_catalog`
    :param kinds: for `kinds`: their names, by default all
    :param instances: for `kinds`: instances of each to learn from, and to evaluate on
    :raises InvalidArgumentError: for another source or object split
    :raises MissingAssetsError: when files are missing
    """
    one_of("objects", source, OBJECT_SETS)
    check_kinds(source, kinds, instances)
    if source == "kinds":
        from pickclutter_lang.objects.kinds.kind_set import load_kind_set

        return load_kind_set(root, object_split, kinds, instances)
    if source == "proxy":
        from pickclutter_lang.objects.procedural import build_procedural_set

        found = read_object_set("proxy", build_procedural_set(root), model_ids)
    else:
        found = read_object_set("ycb", Path(root) if root else default_ycb_root(), model_ids)
    return replace(found, catalog=found.catalog.with_unseen(unseen_objects(object_split)))


def check_kinds(
    source: str, kinds: Sequence[str], instances: int = DEFAULT_INSTANCES, default: int = DEFAULT_INSTANCES
) -> None:
    """Check the settings of kinds, which another object set than `kinds` does not have.

    :param default: the number of instances that stands for none given
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for a repeated name, a number out of range, or either of an object set without them
    """
    if source == "kinds":
        from pickclutter_lang.objects.kinds.registry import find_kinds

        find_kinds(kinds)
        within("instances", instances, 1, MAX_INSTANCES)
    elif kinds or instances != default:
        got = f"{list(kinds)}" if kinds else f"instances={instances}"
        raise InvalidArgumentError(f"expected kinds for objects=kinds alone, but got {got} for {source!r}")


def check_objects(source: str, root: str | None, kinds: Sequence[str] = (), instances: int = DEFAULT_INSTANCES) -> None:
    """Check an object set, its folder and the settings of kinds, as a command takes them; nothing is loaded.

    :raises MissingAssetsError: for a folder of `proxy` that is not there, or one of `kinds` without its parent
    :raises InvalidArgumentError: for another source; and what `check_kinds` raises
    """
    one_of("objects", source, OBJECT_SETS)
    check_kinds(source, kinds, instances)
    if source == "proxy":  # of `ycb` its loader says where it comes from
        check_folder("objects_root", root)
    elif source == "kinds" and root is not None:
        check_path("objects_root", root)
        if not Path(root).is_dir():
            check_folder("the parent of objects_root", str(Path(root).expanduser().parent))


class _Box(TypedDict):
    min: tuple[float, float, float]
    max: tuple[float, float, float]


class _Sized(TypedDict):
    bbox: _Box


class _Row(_Sized, total=False):
    """An object of ManiSkill2's list."""

    scales: list[float]
    density: float


def default_ycb_root() -> Path:
    """Return where ManiSkill2 keeps its YCB objects: `$MS2_ASSET_DIR/mani_skill2_ycb`."""
    return Path(os.environ.get("MS2_ASSET_DIR", "data")) / "mani_skill2_ycb"


def read_object_set(name: str, root: Path, model_ids: Sequence[str] | None = None) -> ObjectSet:
    """Read the objects of a folder in ManiSkill2's layout and check that every mesh is there."""
    info_path = root / MODEL_DB_FILE
    if not info_path.is_file():
        raise MissingAssetsError(
            f"expected an object set at {root}, but {MODEL_DB_FILE} is missing; set MS2_ASSET_DIR or objects_root, "
            f"or download the YCB objects with: {DOWNLOAD_HINT}"
        )
    info = read_json(info_path, dict[str, _Row], MissingAssetsError, _RESTORE)
    requested = list(model_ids) if model_ids is not None else paper_catalog().model_ids
    missing = [f"{i} ({MODEL_DB_FILE})" for i in requested if i not in info]
    for model_id in requested:
        folder = root / "models" / model_id
        missing += [str(folder / n) for n in ("collision.obj", "textured.obj") if not (folder / n).is_file()]
    if missing:
        listed = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        raise MissingAssetsError(
            f"the object set at {root} lacks {listed}; download the YCB objects with: {DOWNLOAD_HINT}"
        )
    return ObjectSet(name, root, Catalog([_to_catalog_object(i, info[i]) for i in requested]))


def _to_catalog_object(model_id: str, row: _Row) -> CatalogObject:
    """Return the paper's entry of an object, or a new one, with the size and scale of its mesh."""
    bbox, scales = row["bbox"], row.get("scales") or [1.0]
    x, y, z = (round(b - a, 6) for a, b in zip(bbox["min"], bbox["max"], strict=True))
    paper_objects = {item.model_id: item for item in paper_catalog()}
    item = paper_objects.get(model_id) or CatalogObject(model_id, display_name(model_id), "none", (0, 0, 0))
    return replace(item, size=(x, y, z), scale=float(scales[0]), density=float(row.get("density", 1000.0)))
