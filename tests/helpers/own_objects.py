"""A folder of ten objects of one's own, whose meshes are made by code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pickclutter_lang.kinds import find_kinds
from pickclutter_lang.kinds.kind_set import write_instance
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, write_catalog
from pickclutter_lang.objects.object_sets import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.writer import model_db_entry

MESHES = {
    "tea_mug": "mug",
    "race_car": "toy car",
    "bath_duck": "rubber duck",
    "brass_padlock": "padlock",
    "desk_stapler": "stapler",
    "green_pepper": "bell pepper",
    "beer_can": "soda can",
    "oak_bobbin": "yo-yo",
    "rosy_peach": "peach",
    "alarm": "alarm clock",
}
"""Id -> the kind that makes its mesh."""
UNSEEN = ("race_car", "oak_bobbin", "rosy_peach", "alarm")
LICENSE, SOURCE = "CC0 1.0", "made for this test"


def own_entry(model_id: str) -> CatalogEntry:
    """The entry of one of the objects."""
    instance = find_kinds([MESHES[model_id]])[0].instance(7)
    name = model_id.replace("_", " ")
    colors = tuple(instance.colors)
    return CatalogEntry(
        model_id,
        name,
        "unseen" if model_id in UNSEEN else "seen",
        synonyms=(f"{name} of the lab",),
        category="lab thing",
        colors=colors,
        description=f"a {colors[0]} thing from the lab",
        license=LICENSE,
        source=SOURCE,
    )


def make_own_set(folder: Path, ids: Sequence[str] = tuple(MESHES), catalog: bool = True) -> Path:
    """Write meshes, their sizes and, if asked for, `catalog.yaml`; return the folder."""
    rows = {}
    for model_id in ids:
        instance = find_kinds([MESHES[model_id]])[0].instance(7)
        write_instance(instance, folder / "models" / model_id)
        rows[model_id] = model_db_entry(instance.size, 1.0, instance.density)
    (folder / MODEL_DB_FILE).write_text(json.dumps(rows, indent=1))
    if catalog:
        write_catalog(folder / CATALOG_FILE, [own_entry(model_id) for model_id in ids])
    return folder
