"""Files of trajectories as the simulators have them: a part for each episode, and one file of all with its JSON."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import h5py
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.shards import open_array, open_hdf5
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.hub_files import CARD_FILE
from pickclutter_lang.utils.io import replaced_file, write_json
from pickclutter_lang.utils.reading import Text, check_finite, damage_of, parse_json, read_json

PARTS = "parts"
"""Folder of the parts."""
RECORD = "record"
"""Attribute of the group of an episode: what the JSON says of it."""
LICENSE = "## License\n\n"
_AXES = ("x", "y", "z")
_JOINTS = [f"joint_{n}" for n in range(1, 8)]
STATE = {
    "agent/qpos": [*_JOINTS, "finger_1", "finger_2"],
    "extra/tcp_pose": [f"tcp_{axis}" for axis in (*_AXES, "qw", "qx", "qy", "qz")],
    "extra/goal_pos": [f"goal_{axis}" for axis in _AXES],
}
"""Array of an observation -> names of its numbers."""
ACTIONS = {
    "pd_ee_delta_pose": [*_AXES, *(f"rotation_{axis}" for axis in _AXES), "gripper"],
    "pd_joint_delta_pos": [*_JOINTS, "gripper"],
}
"""Controller -> names of the numbers of an action."""
_GROUP = "traj_{}"
_CAMERAS = "obs/image", "obs/sensor_data"
"""Where ManiSkill2 and ManiSkill 3 have the images of cameras."""
_MAX_BYTES = 2**32
_AGAIN = "run pickclutter collect-demos again"


class _Part(TypedDict):
    episode_seed: int
    control_mode: Literal["pd_ee_delta_pose", "pd_joint_delta_pos"]
    elapsed_steps: Annotated[int, Meta(ge=1)]
    instruction: Text
    target: Text


class _Record(_Part):
    episode_id: int


class _EnvInfo(TypedDict):
    env_kwargs: dict[str, Any]


class _Json(TypedDict):
    env_info: _EnvInfo
    episodes: list[_Record]


class Source(NamedTuple):
    """Where an episode lies: a file, the name of its group, and what the JSON says of it."""

    path: Path
    group: str
    record: dict[str, Any]


def part_path(folder: Path, seed: int) -> Path:
    """Return the file of one episode, which is there until all are in one file."""
    return folder / PARTS / f"{seed:010d}.h5"


def find_episodes(folder: Path, trajectories: str) -> dict[int, Source]:
    """Return the episodes that a folder has, in the file of all and in parts, by seed; the first of each.

    :param trajectories: name of the file of all
    :raises DatasetError: when one of these cannot be read
    """
    found: dict[int, Source] = {}
    for path in (folder / trajectories, *sorted((folder / PARTS).glob("*.h5"))):
        if not path.exists():
            continue
        with damage_of(path, DatasetError, f"delete it; {_AGAIN}"), open_hdf5(path) as file:
            for name, group in file.items():
                record = parse_json(str(group.attrs[RECORD]).encode(), _Part)
                told: dict[str, Any] = dict(record)
                told.setdefault("success", bool(told.get("info", {}).get("success")))  # earlier ones have it in `info`
                found.setdefault(record["episode_seed"], Source(path, name, told))
    return found


def merge(folder: Path, trajectories: str, sources: Mapping[int, Source], meta: Mapping[str, Any]) -> list[Source]:
    """Put all episodes into one file in the order of their seeds, and write its JSON; remove the parts.

    :param sources: as `find_episodes` returns them
    :param meta: the JSON without its episodes
    :return: where the episodes are now
    :raises DatasetError: when the disk does not take it
    """
    target = folder / trajectories
    ordered = [sources[seed] for seed in sorted(sources)]
    merged = [Source(target, _GROUP.format(number), source.record) for number, source in enumerate(ordered)]
    if ordered != merged or not target.exists():
        needed = sum(path.stat().st_size for path in {source.path for source in ordered})
        free = shutil.disk_usage(folder).free
        if needed > free:  # HDF5 itself does not survive that
            raise DatasetError(
                f"cannot write {needed / 1e6:.1f} MB into {folder}: No space left on device, of which {free / 1e6:.1f} "
                "MB are free; make room and run the same command again, finished episodes are kept"
            )
        with replaced_file(target) as temporary, h5py.File(temporary, "w") as file:
            for number, source in enumerate(ordered):
                with open_hdf5(source.path) as part:
                    part.copy(source.group, file, name=_GROUP.format(number))
    episodes = [{"episode_id": number, **source.record} for number, source in enumerate(merged)]
    write_json(target.with_suffix(".json"), {**meta, "episodes": episodes})
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return merged


class Demonstration(NamedTuple):
    """One episode of a file: what the JSON says of it, and its arrays."""

    record: _Record
    group: h5py.Group

    def images(self) -> NDArray[np.uint8]:
        """Return the hand camera's images [T + 1, H, W, 3]."""
        return self.array(_camera(self.group))

    def array(self, name: str) -> NDArray[Any]:
        """Return an array of the trajectory by its path, such as `obs/agent/qpos`.

        :raises DatasetError: when it is not there
        """
        with damage_of(Path(self.group.file.filename), DatasetError, _AGAIN):
            return open_array(self.group, name, _MAX_BYTES)[()]  # type: ignore[no-any-return]


class Demonstrations:
    """The demonstrations of a folder of `pickclutter collect-demos`, in the order of their numbers."""

    def __init__(self, folder: str | Path) -> None:
        """Read the JSON of a folder.

        :raises DatasetError: when it is missing, damaged or not finished
        """
        named = sorted(Path(folder).glob("trajectory.rgbd.*.h5"))
        found = [path for path in named if path.name.count(".") == 3]  # what a simulator's tools make of it has more
        remedy = f"make it: pickclutter collect-demos out={folder}"
        if len(found) != 1:
            raise DatasetError(
                f"expected one file trajectory.rgbd.*.h5 in {folder}, but there are {len(found)}; {remedy}"
            )
        self.path = found[0]
        self._size: tuple[int, ...] = ()
        content = read_json(self.path.with_suffix(".json"), _Json, DatasetError, remedy, limit=2**30)
        self.arguments = content["env_info"]["env_kwargs"]
        self.records = content["episodes"]
        if not self.records:
            raise DatasetError(f"expected demonstrations in {self.path}, but it has none; play more: episodes=")
        ids, modes = ([record[key] for record in self.records] for key in ("episode_id", "control_mode"))
        if len({*ids}) < len(ids) or len({*modes}) > 1:
            raise DatasetError(f"expected each episode once, and one controller, in {self.path}; {remedy}")

    def __len__(self) -> int:
        return len(self.records)

    @contextmanager
    def open(self) -> Iterator[Iterator[Demonstration]]:
        """Open the file; the demonstrations can be read while the block runs.

        :raises DatasetError: when it cannot be read, lacks an episode of the JSON, or has another form or NaN
        """
        with damage_of(self.path, DatasetError, _AGAIN):
            file = open_hdf5(self.path)
        with file:
            yield map(partial(self._demonstration, file), self.records)

    def _demonstration(self, file: h5py.File, record: _Record) -> Demonstration:
        """Return an episode whose arrays have the form and the length that the JSON says, and finite numbers."""
        steps = record["elapsed_steps"]
        number = record["episode_id"]
        with damage_of(self.path, DatasetError, _AGAIN):
            group = file[_GROUP.format(number)]
            camera = _camera(group)
            self._size = self._size or open_array(group, camera, _MAX_BYTES).shape[1:3]
            forms = {
                "actions": ("f", [steps, len(ACTIONS[record["control_mode"]])]),
                "success": ("b", [steps]),
                camera: ("u", [steps + 1, *self._size, 3]),
                **{f"obs/{name}": ("f", [steps + 1, len(names)]) for name, names in STATE.items()},
            }
            for name, (kind, shape) in forms.items():
                found = open_array(group, name, _MAX_BYTES)
                if found.dtype.kind != kind or [*found.shape] != shape:
                    raise ValueError(
                        f"expected {name} of episode {number} as {kind} {shape}, but got {found.dtype} {[*found.shape]}"
                    )
                check_finite({f"{name} of episode {number}": found[()]} if kind == "f" else {})
        return Demonstration(record, group)


def _camera(group: h5py.Group) -> str:
    """Return the name of the hand camera's images."""
    found = next((name for name in _CAMERAS if name in group), _CAMERAS[0])
    return f"{found}/hand_camera/rgb"


def license_of(folder: Path) -> str:
    """Return what the card of demonstrations says of the license of the meshes; nothing where there is no card."""
    path = folder / CARD_FILE
    return path.read_text().partition(LICENSE)[2].strip() if path.is_file() else ""
