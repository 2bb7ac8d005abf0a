"""Builds the stand-ins for the 26 objects of the catalogue."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from pickclutter_lang.objects.catalogue import CatalogueObject, paper_catalogue
from pickclutter_lang.objects.proxies import containers, cutlery, food, tools, toys
from pickclutter_lang.objects.proxies.body import Body
from pickclutter_lang.objects.proxies.writer import write_body

PROXY_VERSION = 1
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

    The folder appears whole or not at all: it is built beside its place and renamed, and when several processes
    build at once the first one's stays.

    :param root: the folder; by default one in `$PICKCLUTTER_CACHE` or `~/.cache/pickclutter_lang`, whose name
        depends on the catalogue and on `PROXY_VERSION`
    """
    target = Path(root).expanduser() if root is not None else default_proxy_root()
    if (target / "info_pick_v0.json").is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _write_all(temporary)
        temporary.chmod(0o755)
        temporary.rename(target)
    except OSError:
        if not (target / "info_pick_v0.json").is_file():  # otherwise another process was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def default_proxy_root() -> Path:
    """Return where the stand-ins lie unless a folder is named."""
    cache = Path(os.environ.get("PICKCLUTTER_CACHE") or Path.home() / ".cache" / "pickclutter_lang")
    key = hashlib.sha256(f"{PROXY_VERSION} {paper_catalogue().fingerprint}".encode()).hexdigest()
    return cache / f"proxy-{key[:10]}"


def _write_all(root: Path) -> None:
    info = {}
    for item in paper_catalogue():
        body = RECIPES[item.model_id]().fitted(item.size)
        write_body(body, root / "models" / item.model_id)
        info[item.model_id] = _info(item)
    (root / "info_pick_v0.json").write_text(json.dumps(info, indent=1) + "\n")


def _info(item: CatalogueObject) -> dict[str, object]:
    half = [round(side / 2, 6) for side in item.size]
    bbox = {"min": [-h for h in half], "max": half}
    return {"bbox": bbox, "scales": [item.scale], "density": item.density}
