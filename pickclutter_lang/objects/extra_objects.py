"""The catalog of the 34 YCB objects beyond the paper's 26, and the subset that no teacher is trained on."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, paper_catalog


def select_objects(selection: str) -> Catalog:
    """Return the objects of a selection, in the order of their ids.

    :param selection: `paper` (the 26), `further` (26 other YCB objects that teachers may be trained on) or `kept_out`
        (8 other YCB objects that no teacher is ever trained on)
    :raises InvalidArgumentError: for another selection
    """
    if selection == "paper":
        return paper_catalog()
    if selection not in ("further", "kept_out"):
        raise InvalidArgumentError(f"expected a selection of paper, further or kept_out, but got {selection!r}")
    return Catalog([item for item, kept_out in _extra_rows() if kept_out == (selection == "kept_out")])


@lru_cache(maxsize=1)
def all_objects() -> Catalog:
    """Return every object with attributes: the paper's 26, then the 34 others of ManiSkill2's PickClutter."""
    return Catalog([*paper_catalog(), *(item for item, _ in _extra_rows())])


@lru_cache(maxsize=1)
def _extra_rows() -> tuple[tuple[CatalogObject, bool], ...]:
    rows = json.loads((files("pickclutter_lang.assets") / "extra_objects.json").read_text())
    rows_of_objects = []
    for row in rows:
        kept_out = bool(row.pop("kept_out"))
        as_tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        rows_of_objects.append((CatalogObject(**as_tuples), kept_out))
    return tuple(rows_of_objects)
