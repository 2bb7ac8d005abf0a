"""Atomic writing of files: under a temporary name, flushed to the disk, renamed."""

from __future__ import annotations

import csv
import glob
import io
import json
import logging
import os
import secrets
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
            clean_temp_files(path.parent, path.name)
        stream.writelines((data,) if isinstance(data, bytes) else data)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give an empty file, which takes the place of `path` when the block ends well.

    Its name cannot be guessed, and a link in its place is not followed: what `path` is a link to stays as it is.

    :raises DatasetError: when it cannot be written
    """
    create_dir(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
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


def clean_temp_files(folder: Path, name: str | None = None) -> None:
    """Remove what processes that were killed while writing left in a folder.

    :param name: of the file that they were writing; None: any
    """
    of_name = "" if name is None else f"{glob.escape(name)}."
    for left in folder.glob(f".{of_name}*{TEMPORARY_SUFFIX}"):
        writer = left.name.removesuffix(TEMPORARY_SUFFIX).rpartition(".")[2].partition("-")[0]
        if not left.is_dir() and not is_running(writer):
            left.unlink(missing_ok=True)
            log.debug("removed %s, which a killed process left", left)


def move_files(new: Path, folder: Path, marker: str, stale: Iterable[str] = ()) -> None:
    """Put the files of a folder in the place of those in another one, whose marker is there only while all are.

    :param marker: the file that describes the others
    :param stale: files of the other folder that go, unless new ones take their place
    """
    names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    for name in [marker, *sorted({*stale}.difference(names))]:
        (folder / name).unlink(missing_ok=True)
    for name in sorted(names, key=lambda name: name == marker):
        create_dir((folder / name).parent)
        (new / name).replace(folder / name)


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
