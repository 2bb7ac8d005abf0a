"""Sources of images of one square size: files, which are decoded once, or arrays in memory."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pickclutter_lang.datasets.images.pixel_cache import PixelCache
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError
from pickclutter_lang.utils.io import atomic_write

_MAX_FILE_BYTES = 100_000_000
_BLOCK, _SHA256 = 256, 32
# What Pillow raises, by the format and by how the file is broken.
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)

Result = TypeVar("Result")


class ImageSource(Protocol):
    """N images of S x S pixels."""

    @property
    def ids(self) -> Sequence[str]:
        """N ids, each once: `<class folder>/<file name>` of files."""

    @property
    def image_size(self) -> int:
        """S, in pixels."""

    @property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of ids and contents of all images, whatever the image size."""

    def load(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return images [n, S, S, 3], RGB, resized to squares (bilinear) without keeping the aspect ratio."""

    def subset(self, rows: Sequence[int]) -> ImageSource:
        """Return some of the images, in this order."""


class ArrayImages:
    """Images in memory, `rgb` [N, S, S, 3]; `content_hash` is the hash of what they were made from."""

    def __init__(self, ids: Sequence[str], rgb: NDArray[np.uint8], content_hash: str) -> None:
        if rgb.dtype != np.uint8 or rgb.ndim != 4 or rgb.shape[1] != rgb.shape[2] or rgb.shape[3] != 3:
            raise InvalidArgumentError(f"expected images uint8 [N, S, S, 3], but got {rgb.dtype} {list(rgb.shape)}")
        _check_ids(ids, len(rgb))
        self.ids, self.image_size, self.content_hash = tuple(ids), int(rgb.shape[1]), content_hash
        self._rgb = rgb

    def load(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return images [n, S, S, 3]."""
        return self._rgb[list(rows)]

    def subset(self, rows: Sequence[int]) -> ArrayImages:
        """Return some of the images; their content hash follows from this one's and their ids."""
        ids = [self.ids[row] for row in rows]
        content = hashlib.sha256("\n".join([self.content_hash, *ids]).encode()).hexdigest()
        return ArrayImages(ids, self._rgb[list(rows)], content)


class ImageFiles:
    """Image files, decoded at their first use, with one thread per core, and then cached as uint8 under `cache`.

    The cache key has the files' ids, paths, sizes and modification times. The folder may be deleted at any time.
    """

    def __init__(self, paths: Sequence[Path], ids: Sequence[str], side: int, cache: Path) -> None:
        """Check that the files are there, without reading them.

        :raises InvalidArgumentError: for ids that are repeated, or not one for each file
        :raises MissingAssetsError: naming a file that is not there
        """
        _check_ids(ids, len(paths))
        self.paths, self.ids, self.image_size = tuple(paths), tuple(ids), side
        self._cache = cache
        self._key = _key(self.paths, self.ids)
        self._pixels = PixelCache(cache / f"{self._key[:32]}_{side}.v3.pixels", len(self.paths), side)

    @cached_property
    def file_hashes(self) -> tuple[bytes, ...]:
        """Hash (sha256) of the bytes of each file, computed once and then cached.

        :raises InvalidArgumentError: naming a file that cannot be read
        :raises DatasetError: when they cannot be cached
        """
        cached = self._cache / f"{self._key[:32]}.v2.sha256"
        joined = cached.read_bytes() if cached.is_file() else b""
        # The last of the hashes is that of the others, so that a damaged file is made again.
        joined, own = joined[:-_SHA256], joined[-_SHA256:]
        if len(joined) != _SHA256 * len(self.paths) or hashlib.sha256(joined).digest() != own:
            joined = b"".join(self._in_threads(_digest, self.paths))
            try:
                self._cache.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatasetError(f"cannot create the folder {self._cache}: {error.strerror}") from error
            atomic_write(cached, joined + hashlib.sha256(joined).digest())
        return tuple(joined[n : n + _SHA256] for n in range(0, len(joined), _SHA256))

    @cached_property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of ids and bytes of all files.

        :raises InvalidArgumentError, DatasetError: as `file_hashes`
        """
        digest = hashlib.sha256()
        for name, file_hash in zip(self.ids, self.file_hashes, strict=True):
            digest.update(name.encode() + b"\n" + file_hash)
        return digest.hexdigest()

    def load(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return images [n, S, S, 3], resized to squares without keeping the aspect ratio.

        :raises InvalidArgumentError: naming a file that is not an image
        :raises DatasetError: when the decoded images cannot be cached or read
        """
        new = self._pixels.missing(rows)
        for start in range(0, len(new), _BLOCK):
            block = new[start : start + _BLOCK]
            self._pixels.write(block, np.stack(list(self._in_threads(self._decode, [self.paths[n] for n in block]))))
        return self._pixels.read(rows)

    def subset(self, rows: Sequence[int]) -> ImageFiles:
        """Return some of the images; they are cached in a separate file."""
        paths, ids = [self.paths[row] for row in rows], [self.ids[row] for row in rows]
        return ImageFiles(paths, ids, self.image_size, self._cache)

    def _decode(self, path: Path) -> NDArray[np.uint8]:
        return np.asarray(decode(path).resize((self.image_size, self.image_size), Image.Resampling.BILINEAR))

    def _in_threads(self, function: Callable[[Path], Result], paths: Sequence[Path]) -> Iterator[Result]:
        """Apply a function that lets other threads run; by blocks, so that results do not pile up."""
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for start in range(0, len(paths), _BLOCK):
                yield from pool.map(function, paths[start : start + _BLOCK])


def decode(path: Path) -> Image.Image:
    """Return an image file in RGB, as large as it is, turned as its camera was (EXIF).

    :raises InvalidArgumentError: naming a file that is not an image
    """
    try:
        with Image.open(path) as image:
            return _upright(image).convert("RGB")
    except _UNREADABLE as error:
        raise InvalidArgumentError(
            f"expected an image at {path}, but: {error}; replace the file or remove it"
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    """Return an image as its camera was turned (EXIF); one whose EXIF data cannot be read stays as it is."""
    try:
        return ImageOps.exif_transpose(image)
    except (*_UNREADABLE, ArithmeticError, TypeError, KeyError, struct.error):
        return image


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError as error:
        raise InvalidArgumentError(f"expected an image at {path}, but: {error.strerror}") from error


def _key(paths: Sequence[Path], ids: Sequence[str]) -> str:
    """Hash of ids, paths, sizes and modification times of files; it changes when a file is replaced."""
    key = hashlib.sha256()
    for path, name in zip(paths, ids, strict=True):
        try:
            found = path.stat()
        except OSError as error:
            raise MissingAssetsError(f"expected an image at {path}, but: {error.strerror}") from error
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device would not end
            raise InvalidArgumentError(f"expected an image at {path}, but it is no regular file; remove it")
        if found.st_size > _MAX_FILE_BYTES:
            raise InvalidArgumentError(
                f"expected an image of at most {_MAX_FILE_BYTES // 10**6} MB at {path}, but got "
                f"{found.st_size / 1e6:.0f} MB; make it smaller"
            )
        key.update(f"{name}\0{path.absolute()}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return key.hexdigest()


def _is_text(name: str) -> bool:
    """Return whether a name can be written: Python reads bytes that are no UTF-8 as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_ids(ids: Sequence[str], count: int) -> None:
    for name in ids:
        if not _is_text(name):
            raise InvalidArgumentError(f"expected file names in UTF-8, but got {name!a}; rename it")
    if len(ids) != count:
        raise InvalidArgumentError(f"expected an id for each of {count} images, but got {len(ids)}")
    if len(set(ids)) < len(ids):
        name, count_of_name = Counter(ids).most_common(1)[0]
        raise InvalidArgumentError(f"expected a different id for each image, but {name} occurs {count_of_name} times")
