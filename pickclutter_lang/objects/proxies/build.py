"""Builds the stand-ins for the 26 objects of the catalogue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from pickclutter_lang.files import cache_folder
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.objects.proxies import containers, cutlery, food, tools, toys
from pickclutter_lang.objects.proxies.body import Body
from pickclutter_lang.objects.proxies.writer import info_row, publish, write_body
from pickclutter_lang.objects.sets import INFO_FILE

PROXY_VERSION = 4
"""Raise it whenever a stand-in changes: it is part of the folder's name."""

RECIPES: dict[str, Callable[[], Body]] = {
    "002_master_chef_can": containers.can,
    "003_cracker_box": containers.cracker_box,
    "006_mustard_bottle": containers.mustard_bottle,
    "011_banana": food.banana,
    "012_strawberry": food.strawberry,
    "013_apple": food.apple,
    "014_lemon": food.lemon,
    "015_peach": food.peach,
    "016_pear": food.pear,
    "017_orange": food.orange,
    "021_bleach_cleanser": containers.bleach_bottle,
    "024_bowl": containers.bowl,
    "026_sponge": toys.sponge,
    "030_fork": cutlery.fork,
    "031_spoon": cutlery.spoon,
    "032_knife": cutlery.knife,
    "035_power_drill": tools.power_drill,
    "036_wood_block": toys.wood_block,
    "037_scissors": tools.scissors,
    "043_phillips_screwdriver": tools.screwdriver,
    "048_hammer": tools.hammer,
    "053_mini_soccer_ball": toys.mini_soccer_ball,
    "056_tennis_ball": toys.tennis_ball,
    "058_golf_ball": toys.golf_ball,
    "062_dice": toys.dice,
    "077_rubiks_cube": toys.rubiks_cube,
}


def build_proxies(root: str | Path | None = None) -> Path:
    """Build the stand-ins in ManiSkill2's layout unless they are there, and return their folder.

    The folder appears whole or not at all, and when several processes build at once the first one's stays.

    :param root: the folder; by default one in `$PICKCLUTTER_CACHE` or `~/.cache/pickclutter_lang`, whose name
        depends on the catalogue and on `PROXY_VERSION`
    :raises InvalidArgumentError: when the folder cannot be written, or holds something else
    :raises MissingExtraError: without trimesh
    """
    target = Path(root).expanduser() if root is not None else default_proxy_root()
    if not (target / INFO_FILE).is_file():
        publish(target, INFO_FILE, _write_all)
    return target


def default_proxy_root() -> Path:
    """Return where the stand-ins lie unless a folder is named."""
    key = hashlib.sha256(f"{PROXY_VERSION} {paper_catalogue().fingerprint}".encode()).hexdigest()
    return cache_folder() / f"proxy-{key[:10]}"


def _write_all(root: Path) -> None:
    info = {}
    for item in paper_catalogue():
        write_body(RECIPES[item.model_id]().fitted(item.size), root / "models" / item.model_id)
        info[item.model_id] = info_row(item.size, item.scale, item.density)
    (root / INFO_FILE).write_text(json.dumps(info, indent=1) + "\n")
