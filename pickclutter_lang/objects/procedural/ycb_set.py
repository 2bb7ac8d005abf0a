"""Builds the procedural models for the 26 objects of the catalog."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.object_set import MODEL_DB_FILE
from pickclutter_lang.objects.procedural import ycb_containers, ycb_cutlery, ycb_food, ycb_tools, ycb_toys
from pickclutter_lang.objects.procedural.geometry import ModelGeometry
from pickclutter_lang.objects.procedural.writer import atomic_write_dir, model_db_entry, write_model
from pickclutter_lang.utils.io import cache_dir

PROCEDURAL_VERSION = 4
"""Raise it whenever a procedural model changes: it is part of the folder's name."""

BUILDERS: dict[str, Callable[[], ModelGeometry]] = {
    "002_master_chef_can": ycb_containers.can,
    "003_cracker_box": ycb_containers.cracker_box,
    "006_mustard_bottle": ycb_containers.mustard_bottle,
    "011_banana": ycb_food.banana,
    "012_strawberry": ycb_food.strawberry,
    "013_apple": ycb_food.apple,
    "014_lemon": ycb_food.lemon,
    "015_peach": ycb_food.peach,
    "016_pear": ycb_food.pear,
    "017_orange": ycb_food.orange,
    "021_bleach_cleanser": ycb_containers.bleach_bottle,
    "024_bowl": ycb_containers.bowl,
    "026_sponge": ycb_toys.sponge,
    "030_fork": ycb_cutlery.fork,
    "031_spoon": ycb_cutlery.spoon,
    "032_knife": ycb_cutlery.knife,
    "035_power_drill": ycb_tools.power_drill,
    "036_wood_block": ycb_toys.wood_block,
    "037_scissors": ycb_tools.scissors,
    "043_phillips_screwdriver": ycb_tools.screwdriver,
    "048_hammer": ycb_tools.hammer,
    "053_mini_soccer_ball": ycb_toys.mini_soccer_ball,
    "056_tennis_ball": ycb_toys.tennis_ball,
    "058_golf_ball": ycb_toys.golf_ball,
    "062_dice": ycb_toys.dice,
    "077_rubiks_cube": ycb_toys.rubiks_cube,
}


def build_procedural_set(root: str | Path | None = None) -> Path:
    """Build the procedural models in ManiSkill2's layout unless they are there, and return their folder.

    The folder appears completely or not at all, and when several processes build at once the first one's stays.

    :param root: the folder; by default one in `$PICKCLUTTER_CACHE` or `~/.cache/pickclutter_lang`, whose name
        depends on the catalog and on `PROCEDURAL_VERSION`
    :raises InvalidArgumentError: when the folder cannot be written, or holds other files
    :raises MissingExtraError: without trimesh
    """
    target = Path(root).expanduser() if root is not None else default_procedural_root()
    if not (target / MODEL_DB_FILE).is_file():
        atomic_write_dir(target, MODEL_DB_FILE, _write_all)
    return target


def default_procedural_root() -> Path:
    """Return the default folder of the procedural models, in the cache."""
    key = hashlib.sha256(f"{PROCEDURAL_VERSION} {paper_catalog().fingerprint}".encode()).hexdigest()
    return cache_dir() / f"proxy-{key[:10]}"


def _write_all(root: Path) -> None:
    info = {}
    for item in paper_catalog():
        write_model(BUILDERS[item.model_id]().rescaled(item.size), root / "models" / item.model_id)
        info[item.model_id] = model_db_entry(item.size, item.scale, item.density)
    (root / MODEL_DB_FILE).write_text(json.dumps(info, indent=1) + "\n")
