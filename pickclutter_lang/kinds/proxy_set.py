"""The object set `proxy`: instances of kinds in the sizes of the paper's 26 objects, where their scans are missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from pickclutter_lang.kinds.kind import all_kinds
from pickclutter_lang.kinds.kind_set import KINDS_VERSION
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.object_set import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.geometry import ModelGeometry, Part
from pickclutter_lang.objects.procedural.writer import atomic_write_dir, model_db_entry, write_model
from pickclutter_lang.utils.io import cache_dir, write_json

INSTANCES = {
    "002_master_chef_can": (2000704, "xyz"),
    "003_cracker_box": (2001778, "xyz"),
    "006_mustard_bottle": (2000532, "yxz"),
    "011_banana": (2000089, "xyz"),
    "012_strawberry": (2000036, "xyz"),
    "013_apple": (2000537, "xyz"),
    "014_lemon": (2000723, "xyz"),
    "015_peach": (2000060, "xyz"),
    "016_pear": (2000618, "yzx"),
    "017_orange": (2000270, "xyz"),
    "021_bleach_cleanser": (2001748, "yxz"),
    "024_bowl": (2000813, "xyz"),
    "026_sponge": (2000347, "xyz"),
    "030_fork": (2001325, "yxz"),
    "031_spoon": (2000564, "yxz"),
    "032_knife": (2000133, "yxz"),
    "035_power_drill": (2000148, "yzx"),
    "036_wood_block": (2000616, "xyz"),
    "037_scissors": (2000898, "xyz"),
    "043_phillips_screwdriver": (2000724, "yxz"),
    "048_hammer": (2000439, "xyz"),
    "053_mini_soccer_ball": (2000610, "xyz"),
    "056_tennis_ball": (2000030, "xyz"),
    "058_golf_ball": (2000405, "xyz"),
    "062_dice": (2000138, "xyz"),
    "077_rubiks_cube": (2000002, "xyz"),
}
"""Seed of the instance of the kind with an object's name, and its axes that lie along x, y and z of the scan.

Seeds are chosen for the catalog's colors, shape and proportions, and lie beyond those of training and evaluation.
"""


def build_proxy_set(root: str | Path | None = None) -> Path:
    """Write the objects in ManiSkill2's layout unless they are there, and return their folder.

    The folder appears completely or not at all, and when several processes build at once the first one's stays.

    :param root: the folder; by default one in `$PICKCLUTTER_CACHE` or `~/.cache/pickclutter_lang`, whose name
        depends on the catalog, on `INSTANCES` and on `KINDS_VERSION`
    :raises InvalidArgumentError: when the folder cannot be written, or holds other files
    :raises MissingExtraError: without trimesh
    """
    key = hashlib.sha256(f"{KINDS_VERSION} {INSTANCES} {paper_catalog().fingerprint}".encode()).hexdigest()
    target = cache_dir() / f"proxy-{key[:10]}" if root is None else Path(root).expanduser()
    atomic_write_dir(target, MODEL_DB_FILE, _write_all)
    return target


def _write_all(root: Path) -> None:
    kinds = {name: kind for kind in all_kinds() for name in (*kind.synonyms, kind.name)}
    info = {}
    for item in paper_catalog():
        seed, axes = INSTANCES[item.model_id]
        turn = np.eye(3)[["xyz".index(axis) for axis in axes]]  # lays these axes along x, y and z
        turn[1] *= np.linalg.det(turn)  # y is reversed where they are left-handed
        made = kinds[item.name].instance(seed).geometry
        parts = [Part(part.surface.transformed((0, 0, 0), turn), part.image) for part in made.parts]
        geometry = ModelGeometry(parts, [points @ turn.T for points in made.hulls])
        write_model(geometry.rescaled(item.size), root / "models" / item.model_id)
        info[item.model_id] = model_db_entry(item.size, item.scale, item.density)
    write_json(root / MODEL_DB_FILE, info)
