"""A cache of decoded images on disk, so that each is decoded once, whichever process needs it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import DatasetError

_PAGE = 4096
_CHECKSUM = np.dtype("<u4")


class PixelCache:
    """One sparse file: a checksum (CRC-32) of each image, 0 until it is cached, then all pixels, uint8 [N, S, S, 3].

    An image counts as cached after its pixels are flushed to the disk, so a killed process leaves a file that is right.
    Two processes at once write the same pixels. Pixels are not held in the memory of the process.
    """

    def __init__(self, path: Path, count: int, side: int) -> None:
        self._path, self._shape, self._bytes = path, (side, side, 3), side * side * 3
        self._head = -(-count * _CHECKSUM.itemsize // _PAGE) * _PAGE
        self._size = self._head + count * self._bytes
        self._cached = np.zeros(count, dtype=_CHECKSUM)

    def missing(self, rows: Sequence[int]) -> list[int]:
        """Return which of some rows are not cached, each once.

        :raises DatasetError: when the file is of another size than it must have
        """
        wanted = np.unique(np.asarray(rows, dtype=np.int64))
        if not self._cached[wanted].all() and self._path.is_file():
            size = self._path.stat().st_size
            if size not in (0, self._size):  # 0: another process is about to give it its size
                raise DatasetError(f"expected {self._size} bytes in {self._path}, but got {size}; delete that file")
            cached = np.fromfile(self._path, dtype=_CHECKSUM, count=len(self._cached))
            self._cached[: len(cached)] = cached
        return [int(row) for row in wanted[self._cached[wanted] == 0]]

    def write(self, rows: Sequence[int], pixels: NDArray[np.uint8]) -> None:
        """Keep the pixels [n, S, S, 3] of rows.

        :raises DatasetError: when they cannot be written
        """
        checksums = np.array([_checksum(image) for image in pixels], dtype=_CHECKSUM)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
                if os.fstat(file.fileno()).st_size == 0:
                    os.ftruncate(file.fileno(), self._size)
                for row, image in zip(rows, pixels, strict=True):
                    file.seek(self._place(row))
                    file.write(image.tobytes())
                file.flush()
                os.fsync(file.fileno())
                for row, checksum in zip(rows, checksums, strict=True):
                    file.seek(row * _CHECKSUM.itemsize)
                    file.write(checksum.tobytes())
        except OSError as error:
            raise DatasetError(
                f"cannot keep decoded images in {self._path} ({self._size / 1e6:.0f} MB in all): {error.strerror}; "
                "fix that, or name another folder with data.cache=..."
            ) from error
        self._cached[list(rows)] = checksums

    def read(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return the pixels [n, S, S, 3] of cached rows.

        :raises DatasetError: when the file is damaged, or was truncated or removed meanwhile
        """
        pixels = np.empty((len(rows), *self._shape), dtype=np.uint8)
        try:
            with self._path.open("rb", buffering=0) as file:
                for n, row in enumerate(rows):
                    file.seek(self._place(row))
                    if file.readinto(memoryview(pixels[n]).cast("B")) != self._bytes:
                        raise DatasetError(
                            f"expected {self._size} bytes in {self._path}, but there are fewer; delete it"
                        )
                    if _checksum(pixels[n]) != self._cached[row]:
                        raise DatasetError(f"the pixels of image {row} in {self._path} are damaged (CRC-32); delete it")
        except OSError as error:
            raise DatasetError(
                f"cannot read decoded images from {self._path}: {error.strerror}; start again"
            ) from error
        return pixels

    def _place(self, row: int) -> int:
        return self._head + row * self._bytes


def _checksum(image: NDArray[np.uint8]) -> int:
    """Return a checksum that is never 0."""
    return zlib.crc32(np.ascontiguousarray(image).data) or 1
