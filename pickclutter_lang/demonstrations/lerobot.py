"""`pickclutter export-lerobot`: demonstrations as a LeRobot data set, version 3.0 of its format.

Parquet files of some 100 MB have a row group for each episode, and a row for each observation with the action that
followed it; images lie in them as PNG. https://huggingface.co/docs/lerobot/lerobot-dataset-v3
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.scenes.description import data_card
from pickclutter_lang.demonstrations.config import ExportLerobotConfig
from pickclutter_lang.demonstrations.trajectories import ACTIONS, STATE, Demonstration, Demonstrations, license_of
from pickclutter_lang.errors import DatasetError, MissingExtraError
from pickclutter_lang.utils.hub_files import CARD_FILE
from pickclutter_lang.utils.io import TEMPORARY_SUFFIX, check_writable_dir, write_text
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.progress import ProgressBar

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise MissingExtraError("pyarrow", "export") from error

INFO_FILE, IMAGE = "meta/info.json", "observation.images.hand"
FPS = 20
"""Actions in a second of simulated time."""
FILES_IN_CHUNK, DATA_MEGABYTES = 1000, 100
"""Files in a folder, and the size at which the next file begins."""
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
Stats = dict[str, list[Any]]
"""`min`, `max`, `mean`, `std`, `count` and `q01` to `q99` of a feature; of images for each channel, in 0..1."""
_FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
_MADE_BY = "Made by `pickclutter export-lerobot`"
_TYPES = {"bool": pa.bool_(), "float32": pa.float32(), "int64": pa.int64()}


class Exported(NamedTuple):
    """A data set: its folder, and how many episodes, frames and different instructions it has."""

    folder: Path
    episodes: int
    frames: int
    tasks: int


def export_lerobot(config: ExportLerobotConfig) -> Exported:
    """Write a data set; one that is there is replaced once the new one is complete.

    :raises DatasetError: when the demonstrations cannot be read, `out` holds something else, or the disk is full
    :raises LockedError: when another process writes it
    """
    demonstrations = Demonstrations(config.demos)
    out = Path(config.out).absolute()
    check_writable_dir(out.parent)
    with file_lock(out):
        card = out / CARD_FILE
        ours = (out / INFO_FILE).is_file() and card.is_file() and _MADE_BY in card.read_text(errors="replace")
        if out.exists() and any(out.iterdir()) and not ours:  # one of a real robot is not replaced
            raise DatasetError(f"expected {out} to be empty or an export, but it is not; choose another out")
        new, old = (out.with_name(f".{out.name}.{part}{TEMPORARY_SUFFIX}") for part in ("new", "old"))
        for folder in (new, old):
            shutil.rmtree(folder, ignore_errors=True)
        try:
            done = _write(new, demonstrations)
            if out.exists():
                out.replace(old)
            new.replace(out)
        finally:
            for folder in (new, old):
                shutil.rmtree(folder, ignore_errors=True)
    return done._replace(folder=out)


def _write(folder: Path, demonstrations: Demonstrations) -> Exported:
    """Write all files of a data set into a new folder; the images of one episode at a time are in memory."""
    tasks: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    numbers: list[dict[str, NDArray[Any]]] = []
    total = np.zeros((3, 256), np.int64)
    features: dict[str, dict[str, Any]] = {}
    writer = None
    file_number = 0
    begin = 0
    failures = 0
    with demonstrations.open() as opened, ProgressBar("episodes", len(demonstrations)) as bar:
        for demonstration in opened:
            task = demonstration.record["instruction"]
            images = demonstration.images()[:-1]  # the last observation has no action
            features = features or _features(demonstration.record["control_mode"], images.shape[1:])
            values = _numbers(demonstration, len(rows), begin, tasks.setdefault(task, len(tasks)))
            chunk, file = divmod(file_number, FILES_IN_CHUNK)
            path = folder / "data" / f"{_FILE.format(chunk_index=chunk, file_index=file)}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = writer or pq.ParquetWriter(path, _schema(features))
            writer.write_table(_table(values, images, _schema(features)))
            counts = histogram(images)
            end = begin + len(images)
            row: dict[str, Any] = {
                "episode_index": len(rows),
                "tasks": [task],
                "length": len(images),
                "dataset_from_index": begin,
                "dataset_to_index": end,
                "data/chunk_index": chunk,
                "data/file_index": file,
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
            }
            for name, stats in _stats(values, counts, len(images)).items():
                row |= {f"stats/{name}/{key}": value for key, value in stats.items()}
            rows.append(row)
            numbers.append(values)
            total = total + counts
            begin = end
            failures = failures + (not values["next.success"].any())
            bar.advance()
            if path.stat().st_size > DATA_MEGABYTES * 2**20:
                writer.close()
                writer = None
                file_number = file_number + 1
    if writer is not None:
        writer.close()
    together = {key: np.concatenate([one[key] for one in numbers]) for key in numbers[0]}
    _write_meta(folder, features, rows, list(tasks), _stats(together, total, begin))
    text = _card(len(rows), failures, begin, demonstrations.arguments.get("objects"), demonstrations.path.parent)
    write_text(folder / CARD_FILE, text)
    return Exported(folder, len(rows), begin, len(tasks))


def _write_meta(
    folder: Path,
    features: Mapping[str, Any],
    rows: Sequence[dict[str, Any]],
    tasks: Sequence[str],
    stats: Mapping[str, Stats],
) -> None:
    """Write the files of `meta`."""
    meta = folder / "meta"
    episodes = meta / "episodes" / f"{_FILE.format(chunk_index=0, file_index=0)}.parquet"
    episodes.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([*rows]), episodes)
    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
        for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ]
    pandas = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"}
    schema = pa.schema([("task_index", pa.int64()), ("task", pa.string())], {"pandas": json.dumps(pandas)})
    pq.write_table(pa.table({"task_index": range(len(tasks)), "task": [*tasks]}, schema=schema), meta / "tasks.parquet")
    info = {
        "codebase_version": "v3.0",
        "robot_type": "panda",
        "total_episodes": len(rows),
        "total_frames": rows[-1]["dataset_to_index"],
        "total_tasks": len(tasks),
        "chunks_size": FILES_IN_CHUNK,
        "data_files_size_in_mb": DATA_MEGABYTES,
        "video_files_size_in_mb": DATA_MEGABYTES,
        "fps": FPS,
        "splits": {"train": f"0:{len(rows)}"},
        "data_path": f"data/{_FILE}.parquet",
        "video_path": None,
        "features": features,
    }
    for path, value in ((meta / "stats.json", stats), (folder / INFO_FILE, info)):
        write_text(path, json.dumps(value, indent=4) + "\n")


def _features(control_mode: str, size: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """Return the features as `meta/info.json` has them.

    :param size: height, width and channels of an image
    """
    state = [name for names in STATE.values() for name in names]
    action = ACTIONS[control_mode]
    counters = ("frame_index", "episode_index", "index", "task_index")
    return {
        IMAGE: {"dtype": "image", "shape": list(size), "names": ["height", "width", "channels"]},
        "observation.state": {"dtype": "float32", "shape": [len(state)], "names": state},
        "action": {"dtype": "float32", "shape": [len(action)], "names": action},
        "next.success": {"dtype": "bool", "shape": [1], "names": None},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        **{name: {"dtype": "int64", "shape": [1], "names": None} for name in counters},
    }


def _numbers(demonstration: Demonstration, episode: int, first: int, task: int) -> dict[str, NDArray[Any]]:
    """Return the numbers of T frames by feature, [T] or [T, d]: each observation with the action that followed it.

    :param episode: number of the episode
    :param first: number of its first frame in the data set
    :param task: number of its task
    """
    actions = demonstration.array("actions")
    frames = np.arange(len(actions))
    state = [demonstration.array(f"obs/{name}")[: len(actions)] for name in STATE]
    return {
        "observation.state": np.concatenate(state, axis=1).astype(np.float32),
        "action": actions.astype(np.float32),
        "next.success": demonstration.array("success").astype(bool),
        "timestamp": (frames / FPS).astype(np.float32),
        "frame_index": frames,
        "episode_index": np.full(len(actions), episode),
        "index": first + frames,
        "task_index": np.full(len(actions), task),
    }


def _schema(features: Mapping[str, Mapping[str, Any]]) -> pa.Schema:
    """Return the columns, with what the library `datasets` reads of them."""
    fields = []
    described = dict[str, Any]()
    for name, feature in features.items():
        if name == IMAGE:
            kind, described[name] = pa.struct([("bytes", pa.binary()), ("path", pa.string())]), {"_type": "Image"}
        else:
            kind, (length,) = _TYPES[feature["dtype"]], feature["shape"]
            described[name] = {"dtype": feature["dtype"], "_type": "Value"}
            if length > 1:
                kind = pa.list_(kind, length)
                described[name] = {"feature": described[name], "length": length, "_type": "Sequence"}
        fields.append(pa.field(name, kind))
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": described}})})


def _table(numbers: Mapping[str, NDArray[Any]], images: NDArray[np.uint8], schema: pa.Schema) -> pa.Table:
    columns = {name: [*values] for name, values in numbers.items()}
    return pa.table({**columns, IMAGE: [_encoded(n, pixels) for n, pixels in enumerate(images)]}, schema=schema)


def _encoded(number: int, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return {"bytes": stream.getvalue(), "path": f"frame-{number:06d}.png"}


def _stats(values: Mapping[str, NDArray[Any]], counts: NDArray[np.int64], images: int) -> dict[str, Stats]:
    """Return the statistics of numbers and images by feature."""
    of_numbers = {key: number_stats(np.reshape(one, (len(one), -1))) for key, one in values.items()}
    return {IMAGE: image_stats(counts, images), **of_numbers}


def number_stats(values: NDArray[Any]) -> Stats:
    """Return statistics of values [N, d] over the first axis."""
    numbers = values.astype(float)
    found = {"min": numbers.min(0), "max": numbers.max(0), "mean": numbers.mean(0), "std": numbers.std(0)}
    found |= {name: np.quantile(numbers, share, axis=0) for name, share in QUANTILES.items()}
    return {**{name: value.tolist() for name, value in found.items()}, "count": [len(values)]}


def histogram(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each value of each channel occurs in images [N, H, W, C], as [C, 256]."""
    return np.stack([np.bincount(images[..., n].ravel(), minlength=256) for n in range(images.shape[-1])])


def image_stats(counts: NDArray[np.int64], images: int) -> Stats:
    """Return statistics of images from the histogram [C, 256] of all their pixels, each as [C, 1, 1].

    :param images: how many they are
    """
    values = np.arange(256) / 255
    total = counts.sum(1)
    mean = counts @ values / total
    reached = counts.cumsum(1) / total[:, None]
    found = {
        "min": values[(counts > 0).argmax(1)],
        "max": values[255 - (counts[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt((counts * (values - mean[:, None]) ** 2).sum(1) / total),
        **{name: values[(reached >= share).argmax(1)] for name, share in QUANTILES.items()},
    }
    return {**{name: value.reshape(-1, 1, 1).tolist() for name, value in found.items()}, "count": [images]}


def _card(episodes: int, failures: int, frames: int, objects: object, demonstrations: Path) -> str:
    failed = f"\n{failures} of the episodes failed: their `next.success` is never true.\n" if failures else ""
    text = f"""{episodes} episodes, {frames} frames, {FPS} in a second: a simulated Panda arm picks the object that
`task` names out of a pile, by a scripted picker. {_MADE_BY} in the form of LeRobot v3.0.
{failed}
{license_of(demonstrations)}"""
    configs = [{"config_name": "default", "data_files": "data/*/*.parquet"}]
    return data_card("lerobot", "Demonstrations of picks by name", text, objects, ["LeRobot"], configs=configs)
