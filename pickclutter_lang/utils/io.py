"""Atomic writing of files: under a temporary name, flushed to the disk, renamed."""

from __future__ import annotations

import csv
import glob
import io
import json
import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import DatasetError

log = logging.getLogger(__name__)
TEMPORARY_SUFFIX = ".tmp"


def cache_dir() -> Path:
    """Return the folder for files made at their first use: `$PICKCLUTTER_CACHE` or `~/.cache/pickclutter_lang`."""
    return Path(os.environ.get("PICKCLUTTER_CACHE") or Path.home() / ".cache" / "pickclutter_lang")


def atomic_write(path: Path, data: bytes | Iterator[bytes], remove_stale: bool = True) -> None:
    """Write a file so that it is never seen half written; missing folders are created.

    :param data: the content, or its parts in order, where it is too large for the memory
    :param remove_stale: remove what a writer of the same file left when it was killed. It lists the folder: of a
        folder of many files, clean all with `clean_temp_files` instead
    :raises DatasetError: when it cannot be written; no temporary file is left
    """
    with replaced_file(path) as temporary, temporary.open("wb") as stream:
        if remove_stale:
            _remove_stale(path)
        stream.writelines((data,) if isinstance(data, bytes) else data)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give a temporary path, whose file takes the place of `path` when the block ends well.

    :raises DatasetError: when it cannot be written
    """
    create_dir(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        try:
            yield temporary
            fsync(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        fsync(path.parent)
    except OSError as error:
        raise DatasetError(
            f"cannot write {path}: {error.strerror}; fix that and run the same command again, finished files are kept"
        ) from error


def _remove_stale(path: Path) -> None:
    """Remove the temporary files of a file whose writers are gone."""
    pattern = f".{glob.escape(path.name)}.*{TEMPORARY_SUFFIX}"
    for left in path.parent.glob(pattern):
        if not is_running(left.name.split(".")[-2]):
            left.unlink(missing_ok=True)
            log.debug("removed %s, which a killed process left", left)


def is_running(process_id: str) -> bool:
    """Return whether there is a process of an id; anything but a number is no id."""
    if not process_id.isdecimal():
        return False
    try:
        os.kill(int(process_id), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it runs as another user
        pass
    return True


def fsync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk, so that what was renamed survives a crash."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create_dir(path: Path) -> None:
    """Create a folder to write to, and those above it that are missing.

    :raises DatasetError: when that cannot be done, or the folder cannot be written to
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"cannot create the folder {path}: {error.strerror}") from error
    check_writable_dir(path)


def check_vacant(folder: Path, marker: str, begun: Collection[str] = ()) -> None:
    """Check that a folder is new or empty, or one of its kind, so that nothing else is mixed with what is written.

    :param marker: a file that a folder of this kind has
    :param begun: what one that was interrupted may hold without it
    :raises DatasetError: when something else is there
    """
    there = {one.name for one in folder.iterdir() if not one.name.startswith(".")} if folder.is_dir() else set[str]()
    if marker not in there and (other := sorted(there.difference(begun))):
        raise DatasetError(f"expected {folder} to be new or empty, but it holds {other[0]}; choose another out")


def check_writable_dir(path: Path) -> None:
    """Check that a folder is there and can be written to, before any work for what goes into it.

    :raises DatasetError: when it is missing or cannot be written to
    """
    if not path.is_dir():
        raise DatasetError(f"expected the folder {path} to be there, but it is not; create it: mkdir -p {path}")
    if not os.access(path, os.W_OK | os.X_OK):
        raise DatasetError(f"expected a folder that can be written to, but {path} is not; choose another one")


def clean_temp_files(folder: Path) -> None:
    """Remove what a process that was killed while writing left in a folder."""
    for path in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        path.unlink(missing_ok=True)


def write_csv(path: Path, lines: Iterable[Sequence[object]]) -> None:
    """Write a CSV file atomically; missing folders are created."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    write_text(path, stream.getvalue())


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically; missing folders are created."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def write_json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file with JSON in each line atomically; missing folders are created."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    r"""Write a text file atomically; missing folders are created.

    Bytes of names that are no UTF-8, which Python has as halves of surrogate pairs, are written as `\udcff`.

    :raises DatasetError: when it cannot be written
    """
    atomic_write(path, text.encode(errors="backslashreplace"))
