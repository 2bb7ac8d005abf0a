"""`pickclutter export-lerobot`: demonstrations as a LeRobot data set, version 3.0 of its format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.description import hub_license
from pickclutter_lang.demonstrations.card import license_of
from pickclutter_lang.demonstrations.config import ExportLerobotConfig
from pickclutter_lang.demonstrations.lerobot_features import FPS, IMAGE, features, images, numbers
from pickclutter_lang.demonstrations.lerobot_files import (
    DATA_MEGABYTES,
    FILE,
    FILES_IN_CHUNK,
    VIDEO_MEGABYTES,
    FrameWriter,
    Place,
    VideoWriter,
    write_episodes,
    write_tasks,
)
from pickclutter_lang.demonstrations.lerobot_stats import Stats, histogram, image_stats, number_stats
from pickclutter_lang.demonstrations.trajectories import Demonstration, Demonstrations
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.io import TEMPORARY_SUFFIX, check_writable_dir, write_text
from pickclutter_lang.utils.locks import LOCK_FILE, dir_lock, file_lock
from pickclutter_lang.utils.progress import ProgressBar

INFO_FILE = "meta/info.json"
_MADE_BY = "Made by `pickclutter export-lerobot`"


class Exported(NamedTuple):
    """A data set: its folder, and how many episodes, frames and different instructions it has."""

    folder: Path
    episodes: int
    frames: int
    tasks: int


def export_lerobot(config: ExportLerobotConfig) -> Exported:
    """Write a data set; one that is there is replaced once the new one is complete.

    :raises DatasetError: when the demonstrations cannot be read, `out` holds something else, or the disk is full
    :raises InvalidArgumentError: for images of an odd size as a video
    :raises LockedError: when another process writes it
    """
    demonstrations, out = Demonstrations(config.demos), Path(config.out).absolute()
    check_writable_dir(out.parent)
    with file_lock(out):  # that in the folder ends where the folder is replaced
        try:
            with dir_lock(out):
                return _replace(out, demonstrations, config.images == "video")
        finally:
            with suppress(OSError):
                out.rmdir()  # where nothing came of it


def _replace(out: Path, demonstrations: Demonstrations, video: bool) -> Exported:
    if {path.name for path in out.iterdir()} - {LOCK_FILE} and not _is_exported(out):
        raise DatasetError(f"expected {out} to be empty or an earlier export, but it is not; choose another out")
    new, old = (out.with_name(f".{out.name}.{part}{TEMPORARY_SUFFIX}") for part in ("new", "old"))
    _remove(new, old)
    try:
        done = _write(new, demonstrations, video)
        out.replace(old)
        new.replace(out)
    except OSError as error:
        raise DatasetError(f"cannot write {out}: {error.strerror or error}; run the same command again") from error
    finally:
        _remove(new, old)
    return done._replace(folder=out)


def _is_exported(folder: Path) -> bool:
    """Return whether a folder is a LeRobot data set that this command wrote; one of a real robot is not replaced."""
    card = folder / "README.md"
    return (folder / INFO_FILE).is_file() and card.is_file() and _MADE_BY in card.read_text(errors="replace")


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, demonstrations: Demonstrations, video: bool) -> Exported:
    """Write all files of a data set into a new folder; one episode at a time is in memory."""
    with demonstrations.open() as opened, ProgressBar("episodes", len(demonstrations)) as bar:
        first = next(opened)
        export = _Export(folder, first, video)
        for demonstration in chain([first], opened):
            export.add(demonstration)
            bar.advance()
    return export.finish(demonstrations.arguments.get("objects"), license_of(demonstrations.path.parent))


class _Export:
    """A data set that is being written."""

    def __init__(self, folder: Path, first: Demonstration, video: bool) -> None:
        size = images(first).shape[1:]
        self._folder, self._video = folder, VideoWriter(folder / "videos" / IMAGE, size) if video else None
        self._features = features(first.record["control_mode"], size, video)
        self._frames = FrameWriter(folder / "data", self._features)
        self._tasks: dict[str, int] = {}
        self._rows: list[dict[str, Any]] = []
        self._numbers: list[dict[str, NDArray[Any]]] = []
        self._histogram = np.zeros((size[2], 256), np.int64)
        self._failures = 0

    def add(self, demonstration: Demonstration) -> None:
        """Write an episode."""
        begin = self._rows[-1]["dataset_to_index"] if self._rows else 0
        task = demonstration.record["instruction"]
        frames = images(demonstration)
        values = numbers(demonstration, len(self._rows), begin, self._tasks.setdefault(task, len(self._tasks)))
        self._failures += not values["next.success"].any()
        counts = histogram(frames)
        self._histogram += counts
        self._numbers.append(values)
        place = self._frames.write(values, frames)
        row: dict[str, Any] = {
            "episode_index": len(self._rows),
            "tasks": [task],
            "length": len(frames),
            "dataset_from_index": begin,
            "dataset_to_index": begin + len(frames),
            **{f"data/{key}": number for key, number in place._asdict().items()},
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        if self._video is not None:
            row |= {f"videos/{IMAGE}/{key}": value for key, value in self._video.write(frames).items()}
        for name, stats in _stats(values, counts, len(frames)).items():
            row |= {f"stats/{name}/{key}": value for key, value in stats.items()}
        self._rows.append(row)

    def finish(self, objects: object, meshes: str) -> Exported:
        """Write what describes the data set.

        :param objects: object set
        :param meshes: where the meshes come from, and their license
        """
        self._frames.close()
        if self._video is not None:
            self._video.close()
        meta, count = self._folder / "meta", self._rows[-1]["dataset_to_index"]
        write_episodes(Place.of(0).path(meta / "episodes", ".parquet"), self._rows)
        write_tasks(meta / "tasks.parquet", list(self._tasks))
        together = {key: np.concatenate([one[key] for one in self._numbers]) for key in self._numbers[0]}
        _write_json(meta / "stats.json", _stats(together, self._histogram, count))
        info = {
            "codebase_version": "v3.0",
            "robot_type": "panda",
            "total_episodes": len(self._rows),
            "total_frames": count,
            "total_tasks": len(self._tasks),
            "chunks_size": FILES_IN_CHUNK,
            "data_files_size_in_mb": DATA_MEGABYTES,
            "video_files_size_in_mb": VIDEO_MEGABYTES,
            "fps": FPS,
            "splits": {"train": f"0:{len(self._rows)}"},
            "data_path": f"data/{FILE}.parquet",
            "video_path": None if self._video is None else f"videos/{{video_key}}/{FILE}.mp4",
            "features": self._features,
        }
        _write_json(self._folder / INFO_FILE, info)
        write_text(self._folder / "README.md", _card(len(self._rows), self._failures, count, objects, meshes))
        return Exported(self._folder, len(self._rows), count, len(self._tasks))


def _stats(values: Mapping[str, NDArray[Any]], counts: NDArray[np.int64], images: int) -> dict[str, Stats]:
    """Return the statistics of numbers and images by feature."""
    of_numbers = {key: number_stats(np.reshape(one, (len(one), -1))) for key, one in values.items()}
    return {IMAGE: image_stats(counts, images), **of_numbers}


def _write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=4) + "\n")


def _card(episodes: int, failures: int, frames: int, objects: object, meshes: str) -> str:
    """Return the card, with what the Hugging Face Hub reads at its top."""
    failed = f"\n{failures} of the episodes failed: their `next.success` is never true.\n" if failures else ""
    return f"""---
license: {hub_license(objects)}
task_categories:
- robotics
tags:
- LeRobot
configs:
- config_name: default
  data_files: data/*/*.parquet
---

# Demonstrations of picks by name

{episodes} episodes, {frames} frames, {FPS} in a second: a simulated Panda arm picks the object that `task` names out of
a pile, by a scripted picker. {_MADE_BY} in the form of LeRobot v3.0.
{failed}
{meshes}
"""
