"""Sizes, scales and densities of the objects of a folder in ManiSkill2's layout: `info_pick_v0.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from pickclutter_lang.errors import MissingAssetsError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject
from pickclutter_lang.utils.json_files import read_json

MODEL_DB_FILE = "info_pick_v0.json"


class _Box(TypedDict):
    min: tuple[float, float, float]
    max: tuple[float, float, float]


class _Sized(TypedDict):
    bbox: _Box


class _Row(_Sized, total=False):
    """An object of ManiSkill2's list."""

    scales: list[float]
    density: float


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
    return Catalog([_with_size(item, info[item.model_id]) for item in items])


def _with_size(item: CatalogObject, row: _Row) -> CatalogObject:
    bbox, scales = row["bbox"], row.get("scales") or [1.0]
    x, y, z = (round(b - a, 6) for a, b in zip(bbox["min"], bbox["max"], strict=True))
    return replace(item, size=(x, y, z), scale=float(scales[0]), density=float(row.get("density", 1000.0)))
