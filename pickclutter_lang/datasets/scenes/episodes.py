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
from typing import Annotated, Any, TypedDict

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.reading import Text, check_json, read_json

EPISODES_FILE = "episodes.json.gz"
_FIELDS = ("actors", "scales", "poses", "rep_pts")
_MAX_BYTES = 2**30
_Meters = Annotated[float, Meta(ge=-10, le=10)]


class _Actor(TypedDict):
    model_id: Text
    scale: Annotated[float, Meta(ge=0.01, le=100)]
    pose: Annotated[list[_Meters], Meta(min_length=7, max_length=7)]
    rep_pts: Annotated[list[tuple[_Meters, _Meters, _Meters]], Meta(min_length=1)] | None


class _Episode(TypedDict):
    actors: Annotated[list[_Actor], Meta(min_length=1, max_length=100)]  # thousands end the simulator's process


def episode(row: Mapping[str, NDArray[Any]], model_ids: Sequence[str]) -> dict[str, Any]:
    """Return one scene as an episode.

    :param row: at least the fields `actors`, `scales`, `poses` and `rep_pts` of a scene, and `instances` if it has them
    :param model_ids: what `actors` are positions in, see `Manifest.actor_ids`
    """
    actors = []
    seeds = row.get("instances")
    for instance_id in np.flatnonzero(row["actors"] >= 0).tolist():
        points = row["rep_pts"][instance_id]
        model_id = model_ids[int(row["actors"][instance_id])]
        actors.append(
            {
                "model_id": model_id if seeds is None or seeds[instance_id] < 0 else f"{model_id}-{seeds[instance_id]}",
                "scale": _rounded(row["scales"][instance_id]),
                "pose": _rounded(row["poses"][instance_id]),
                "rep_pts": None if np.isnan(points).any() else _rounded(points, 5),
            }
        )
    return {"actors": actors}


def write_episodes(path: str | Path) -> None:
    """Write `episodes.json.gz` into a complete store, equal to the byte for equal scenes.

    :raises DatasetError: when the store does not know where its objects lie (imported scenes)
    """
    store = SceneStore.open(path)
    atomic_write(store.path / EPISODES_FILE, _packed(store))


def _packed(store: SceneStore) -> Iterator[bytes]:
    """Yield the file shard by shard, so that memory does not grow with the store."""
    gzip = zlib.compressobj(6, wbits=31)
    before = "["
    manifest = store.manifest
    names = [*_FIELDS, *({"instances"} & {*manifest.fields})]
    for number in range(manifest.shard_count):
        shard = manifest.shard_range(number)
        arrays = {name: store.array(name, shard) for name in names}
        rows = ({name: values[n] for name, values in arrays.items()} for n in range(len(shard)))
        part = [episode(row, manifest.actor_ids) for row in rows]
        yield gzip.compress((before + json.dumps(part, separators=(",", ":"))[1:-1]).encode())
        before = ","
    yield gzip.compress(b"]") + gzip.flush()


def read_episodes(path: str | Path) -> list[dict[str, Any]]:
    """Read an episode file, `.json` or `.json.gz`, and check every episode of it.

    :raises DatasetError: when it is not there or is no list of episodes
    :raises InvalidArgumentError: for an episode that the simulator cannot take
    """
    remedy = "it must be a ManiSkill2 episode file"
    episodes: list[dict[str, Any]] = read_json(Path(path), list[dict[str, Any]], DatasetError, remedy, limit=_MAX_BYTES)
    if not episodes:
        raise DatasetError(f"expected at least one episode in {path}")
    for number, one in enumerate(episodes):
        check_episode(one, f"episode {number} of {path}")
    return episodes


def check_episode(candidate: Any, where: str) -> None:
    """Check that an episode has ManiSkill2's form, with finite numbers and unit quaternions.

    :raises InvalidArgumentError: naming the key that is wrong, and where
    """
    try:
        plain = msgspec.to_builtins(candidate, enc_hook=lambda array: array.tolist())  # arrays of NumPy
        for actor in check_json(plain, _Episode)["actors"]:
            length = float(np.linalg.norm(actor["pose"][3:]))
            if not (np.isfinite([*actor["pose"], actor["scale"]]).all() and np.isfinite(actor["rep_pts"] or 0).all()):
                raise ValueError(f"expected finite numbers of {actor['model_id']}")
            if not 0.9 <= length <= 1.1:  # SAPIEN ends the process for a quaternion of zeros
                raise ValueError(f"expected a pose with a unit quaternion of {actor['model_id']}, but got {length:g}")
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidArgumentError(f"{where} is wrong ({error}); expected an episode of ManiSkill2") from error


def _rounded(values: Any, digits: int = 7) -> Any:
    """Return plain numbers; the digits cut away lie below the precision of float32 at a meter."""
    return np.round(np.asarray(values, np.float64), digits).tolist()
