"""Files of a LeRobot data set: Parquet with one row group for each episode, and videos with episodes after another."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.demonstrations.lerobot_features import FPS, IMAGE
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise MissingExtraError("pyarrow", "export") from error

FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
FILES_IN_CHUNK = 1000
DATA_MEGABYTES, VIDEO_MEGABYTES = 100, 200
"""Size at which the next file begins."""
_FEATURES = {"bool": pa.bool_(), "float32": pa.float32(), "int64": pa.int64()}
_QUALITY = 18  # of x264: no loss that one sees


class Place(NamedTuple):
    """Number of a file, and of its folder."""

    chunk_index: int
    file_index: int

    @classmethod
    def of(cls, number: int) -> Place:
        """Return the place of the file of a number."""
        return cls(*divmod(number, FILES_IN_CHUNK))

    def path(self, folder: Path, suffix: str) -> Path:
        """Return the file in a folder, which is created."""
        path = folder / (FILE.format(**self._asdict()) + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class FrameWriter:
    """Writes frames as Parquet files of some 100 MB."""

    def __init__(self, folder: Path, features: Mapping[str, Mapping[str, Any]]) -> None:
        """Write into a folder.

        :param features: as `meta/info.json` has them; those of dtype `video` are elsewhere
        """
        self._folder, self._schema = folder, _schema(features)
        self._number = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, numbers: Mapping[str, NDArray[Any]], images: NDArray[np.uint8]) -> Place:
        """Write the frames of an episode as a row group; return where."""
        place = Place.of(self._number)
        path = place.path(self._folder, ".parquet")
        self._writer = self._writer or pq.ParquetWriter(path, self._schema)
        columns = {
            field.name: _encoded(images) if field.name == IMAGE else _column(numbers[field.name], field.type)
            for field in self._schema
        }
        self._writer.write_table(pa.table(columns, schema=self._schema))
        if path.stat().st_size > DATA_MEGABYTES * 2**20:
            self.close()
            self._number += 1
        return place

    def close(self) -> None:
        """Finish the last file."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def _schema(features: Mapping[str, Mapping[str, Any]]) -> pa.Schema:
    """Return the columns, with what the library `datasets` reads of them."""
    fields, described = [], dict[str, Any]()
    for name, feature in features.items():
        if feature["dtype"] == "video":
            continue
        if feature["dtype"] == "image":
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            described[name] = {"_type": "Image"}
        else:
            kind, (length,) = _FEATURES[feature["dtype"]], feature["shape"]
            described[name] = {"dtype": feature["dtype"], "_type": "Value"}
            if length > 1:
                kind = pa.list_(kind, length)
                described[name] = {"feature": described[name], "length": length, "_type": "Sequence"}
        fields.append(pa.field(name, kind))
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": described}})})


def _column(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values, kind)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), kind.value_type), kind.list_size)


def _encoded(images: NDArray[np.uint8]) -> list[dict[str, Any]]:
    found = []
    for number, pixels in enumerate(images):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        found.append({"bytes": stream.getvalue(), "path": f"frame-{number:06d}.png"})
    return found


class VideoWriter:
    """Writes images as MP4 files (H.264) of some 200 MB, episodes after another, each second frame a key frame."""

    def __init__(self, folder: Path, size: tuple[int, ...]) -> None:
        """Write into a folder.

        :param size: height, width and channels of an image
        :raises InvalidArgumentError: for an odd height or width, which H.264 does not have
        :raises MissingExtraError: without imageio-ffmpeg
        """
        if size[0] % 2 or size[1] % 2:
            raise InvalidArgumentError(
                f"expected images of even height and width for images=video, but got {size[:2]}; take images=png"
            )
        try:
            import imageio_ffmpeg
        except ImportError as error:
            raise MissingExtraError("imageio-ffmpeg", "export") from error
        self._ffmpeg: Any = imageio_ffmpeg
        self._folder, self._size = folder, size
        self._number = self._frames = 0
        self._writer: Any = None

    def write(self, images: NDArray[np.uint8]) -> dict[str, float]:
        """Append the images of an episode; return file and seconds, as the table of episodes has them."""
        place = Place.of(self._number)
        path = place.path(self._folder, ".mp4")
        if self._writer is None:
            self._writer = self._ffmpeg.write_frames(
                str(path), (self._size[1], self._size[0]), fps=FPS, macro_block_size=2, ffmpeg_log_level="error",
                output_params=["-crf", str(_QUALITY), "-g", "2", "-bf", "0", "-threads", "1"],
            )  # fmt: skip
            self._writer.send(None)
            self._frames = 0
        first, self._frames = self._frames, self._frames + len(images)
        for pixels in images:
            self._writer.send(np.ascontiguousarray(pixels))
        found = {**place._asdict(), "from_timestamp": first / FPS, "to_timestamp": self._frames / FPS}
        if path.exists() and path.stat().st_size > VIDEO_MEGABYTES * 2**20:
            self.close()
            self._number += 1
        return found

    def close(self) -> None:
        """Finish the last file."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """Write the tasks by number, with the text as what pandas takes for the index."""
    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
        for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ]
    described = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"}
    schema = pa.schema([("task_index", pa.int64()), ("task", pa.string())], {"pandas": json.dumps(described)})
    pq.write_table(pa.table({"task_index": range(len(tasks)), "task": list(tasks)}, schema=schema), path)


def write_episodes(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table of episodes, whose rows have the same keys."""
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
