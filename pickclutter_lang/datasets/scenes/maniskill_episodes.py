"""Scenes as ManiSkill2's PickClutter episodes, which stock `PickClutterYCB-v0` loads.

A file is a JSON list (`.json.gz`) of `{"actors": [{"model_id", "scale", "pose", "rep_pts"}]}`; `pose` is x y z
qw qx qy qz in meters, `rep_pts` points [x, y, z] seen by the hand camera, or null for an object that is not
visible and therefore never the target.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import read_json

_MAX_BYTES = 2**30
EPISODES_FILE = "episodes.json.gz"
EPISODE_FIELDS = ("actors", "scales", "poses", "rep_pts")


def episode(row: Mapping[str, NDArray[Any]], model_ids: Sequence[str]) -> dict[str, Any]:
    """Return one scene as an episode.

    :param row: at least the fields `actors`, `scales`, `poses` and `rep_pts` of a scene, and `instances` if it has them
    :param model_ids: what `actors` are positions in, see `Manifest.actor_ids`
    """
    actors, seeds = [], row.get("instances")
    for instance_id in np.flatnonzero(row["actors"] >= 0).tolist():
        points, model_id = row["rep_pts"][instance_id], model_ids[int(row["actors"][instance_id])]
        actors.append(
            {
                "model_id": model_id if seeds is None or seeds[instance_id] < 0 else f"{model_id}-{seeds[instance_id]}",
                "scale": _rounded(row["scales"][instance_id]),
                "pose": _rounded(row["poses"][instance_id]),
                "rep_pts": None if np.isnan(points).any() else _rounded(points, 5),
            }
        )
    return {"actors": actors}


def write_episodes(path: str | Path) -> Path:
    """Write `episodes.json.gz` into a complete store, equal to the byte for equal scenes.

    :raises DatasetError: when the store does not know where its objects lie (imported scenes)
    """
    store = SceneStore.open(path)
    target = store.path / EPISODES_FILE
    atomic_write(target, _packed(store))
    return target


def _packed(store: SceneStore) -> Iterator[bytes]:
    """Yield the file shard by shard, so that memory does not grow with the store."""
    gzip, before = zlib.compressobj(6, wbits=31), "["
    for part in _episodes_by_shard(store):
        yield gzip.compress((before + json.dumps(part, separators=(",", ":"))[1:-1]).encode())
        before = ","
    yield gzip.compress(b"]") + gzip.flush()


def _episodes_by_shard(store: SceneStore) -> Iterator[list[dict[str, Any]]]:
    """Yield the episodes of each shard."""
    optional = [name for name in ("instances",) if name in store.manifest.fields]
    for number in range(store.manifest.shard_count):
        shard = store.manifest.shard_range(number)
        arrays = {name: store.array(name, shard) for name in (*EPISODE_FIELDS, *optional)}
        rows = ({name: values[n] for name, values in arrays.items()} for n in range(len(shard)))
        yield [episode(row, store.manifest.actor_ids) for row in rows]


def read_episodes(path: str | Path) -> list[dict[str, Any]]:
    """Read an episode file, `.json` or `.json.gz`.

    :raises DatasetError: when it is not there or is no list of episodes
    """
    remedy = "it must be a ManiSkill2 episode file"
    episodes: list[dict[str, Any]] = read_json(Path(path), list[dict[str, Any]], DatasetError, remedy, limit=_MAX_BYTES)
    if not all(isinstance(one.get("actors"), list) and one["actors"] for one in episodes):
        raise DatasetError(f"expected a list of episodes with actors in {path}")
    return episodes


def _rounded(values: Any, digits: int = 7) -> Any:
    """Return plain numbers; the digits cut away lie below the precision of float32 at a meter."""
    return np.round(np.asarray(values, np.float64), digits).tolist()
