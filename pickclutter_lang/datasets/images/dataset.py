"""A dataset of labeled images: its classes, and its images as files or arrays of one square size."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError
from pickclutter_lang.utils.images import read_image
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.validation import check_line

_BLOCK, _SHA256 = 256, 32

Item = TypeVar("Item")
Result = TypeVar("Result")


class ArrayImages:
    """N images `rgb` uint8 [N, S, S, 3] in memory, with an id for each.

    `image_size` is S, their side in pixels. `content_hash` (sha256, hex) is the hash of what they were made from.
    They have no files.
    """

    paths: tuple[Path, ...] = ()
    file_hashes: tuple[bytes, ...] = ()

    def __init__(self, ids: Sequence[str], rgb: NDArray[np.uint8], content_hash: str) -> None:
        _check_ids(ids, len(rgb))
        self.ids, self.image_size, self.content_hash = tuple(ids), int(rgb.shape[1]), content_hash
        self._rgb = rgb

    def load(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return images [n, S, S, 3]."""
        return self._rgb[list(rows)]


class ImageFiles:
    """N image files, with an id for each (`<class folder>/<file name>`), decoded at their first use.

    To decode a photo takes milliseconds, and the runs of a table read each hundreds of times. So the squares are kept
    in a file under `cache`, which processes share. Its name depends on the files' ids, paths, sizes and modification
    times. The folder may be deleted at any time.
    """

    def __init__(self, paths: Sequence[Path], ids: Sequence[str], side: int, cache: Path) -> None:
        """Check that the files are there, without reading them.

        :raises InvalidArgumentError: for ids that are repeated, or not one for each file
        :raises MissingAssetsError: naming a file that is not there
        """
        _check_ids(ids, len(paths))
        self.paths, self.ids, self.image_size = tuple(paths), tuple(ids), side
        self._cache, self._key = cache, _key(self.paths, self.ids)[:32]

    @cached_property
    def file_hashes(self) -> tuple[bytes, ...]:
        """Hash (sha256) of the bytes of each file, computed once and then cached.

        :raises DatasetError: when they cannot be cached
        """
        cached = self._cache / f"{self._key}.sha256"
        if not cached.is_file():
            atomic_write(cached, b"".join(_in_threads(_digest, self.paths)))
        joined = cached.read_bytes()
        return tuple(joined[n : n + _SHA256] for n in range(0, len(joined), _SHA256))

    @cached_property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of ids and bytes of all files."""
        digest = hashlib.sha256()
        for name, file_hash in zip(self.ids, self.file_hashes, strict=True):
            digest.update(name.encode(errors="surrogateescape") + b"\n" + file_hash)
        return digest.hexdigest()

    def load(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return images [n, S, S, 3], resized to squares without keeping the aspect ratio.

        :raises InvalidArgumentError: naming a file that is not an image
        :raises DatasetError: when the decoded images cannot be cached
        """
        decoded, squares = self._open_cache()
        new = [row for row in dict.fromkeys(rows) if not decoded[row]]
        for row, image in zip(new, _in_threads(lambda row: self._decode(self.paths[row]), new), strict=True):
            squares[row] = image
            decoded[row] = 1  # after its pixels, so that a killed process leaves no wrong image
        return squares[list(rows)]

    def _open_cache(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return which images are decoded [N], and their pixels [N, S, S, 3], mapped from the file of the cache."""
        path = self._cache / f"{self._key}_{self.image_size}.squares"
        count = len(self.ids)
        side = self.image_size
        size = count * (1 + side * side * 3)
        create_dir(self._cache)
        try:
            with path.open("ab") as file:
                if file.tell() != size:
                    os.posix_fallocate(file.fileno(), 0, size)  # an error where the disk is full, not a signal later
            content = np.memmap(path, np.uint8, "r+", shape=(size,))
        except OSError as error:
            raise DatasetError(
                f"cannot keep decoded images in {path} ({size / 1e6:.0f} MB in all): {error.strerror}; fix that, or "
                "name another folder with data.cache=..."
            ) from error
        return content[:count], content[count:].reshape(count, side, side, 3)

    def _decode(self, path: Path) -> NDArray[np.uint8]:
        return np.asarray(read_image(path).resize((self.image_size, self.image_size), Image.Resampling.BILINEAR))


ImageSource = ArrayImages | ImageFiles


@dataclass(frozen=True)
class ImageClass:
    """A class of images: its folder (the first part of its images' ids), and its name in a prompt."""

    folder: str
    name: str
    description: str = ""
    category: str = ""


@dataclass(frozen=True)
class ImageDataset:
    """A dataset: N images, and for each the index of its class in `classes`.

    `captions` has a text for the ids of some or all images. `class_split` are the classes (Y_id, Y_ood) where the
    dataset itself defines them. `notes` are lines to print, such as on files that do not fit.
    """

    name: str
    classes: tuple[ImageClass, ...]
    labels: NDArray[np.int64]
    images: ImageSource
    captions: Mapping[str, str] = field(default_factory=dict)
    class_split: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that all fits together.

        :raises InvalidArgumentError: for a name that is no line of text, two classes with one folder or name (whatever
            its case), or labels that are none
        :raises MissingAssetsError: for a class without images
        """
        for item in self.classes:
            check_line(f"the name of the class in {item.folder!a}", item.name)
        _check_unique("folder of a class", [item.folder for item in self.classes])
        _check_unique("name of a class", [item.name.lower() for item in self.classes])
        counts = Counter(self.labels.tolist())
        count = len(self.classes)
        if self.labels.shape != (len(self.images.ids),) or not {*counts} <= {*range(count)}:
            raise InvalidArgumentError(
                f"expected labels below {count} for each of {len(self.images.ids)} images, but got {counts}"
            )
        empty = [item.folder for n, item in enumerate(self.classes) if not counts[n]]
        if empty:
            raise MissingAssetsError(f"expected images of every class, but there are none of {', '.join(empty)}")


def _check_unique(what: str, values: Sequence[str]) -> None:
    repeated = [value for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise InvalidArgumentError(f"expected each {what} once, but these are repeated: {', '.join(repeated[:5])}")


def _check_ids(ids: Sequence[str], count: int) -> None:
    if len(ids) != count:
        raise InvalidArgumentError(f"expected an id for each of {count} images, but got {len(ids)}")
    _check_unique("id of an image", ids)


def _in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Apply a function that lets other threads run; by blocks, so that results do not pile up."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(items), _BLOCK):
            yield from pool.map(function, items[start : start + _BLOCK])


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _key(paths: Sequence[Path], ids: Sequence[str]) -> str:
    """Hash of ids, paths, sizes and modification times of files; it changes when a file is replaced."""
    key = hashlib.sha256()
    for path, name in zip(paths, ids, strict=True):
        if not path.is_file():  # reading a pipe would not end
            raise MissingAssetsError(f"expected an image at {path}, but there is no such file")
        status = path.stat()
        row = f"{name}\0{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\n"
        key.update(row.encode(errors="surrogateescape"))
    return key.hexdigest()
