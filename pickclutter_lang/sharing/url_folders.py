"""Folders on object storage: what describes a folder goes last, so that nobody finds half of one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.object_storage import delete_url, files_at, join, read_url, size_at, write_url

_MAX_BYTES = 2**40
UNFINISHED_FILE = ".unfinished_push"
"""At a URL: what an earlier push left there is being replaced, although the file that describes it is away."""


def push_to_url(
    folder: Path, files: Sequence[str], stale: Collection[str], last: str, url: str, known: Mapping[str, str]
) -> None:
    """Write what differs of a folder to a URL, and delete what an earlier folder left there.

    A file of the same size there is read back and compared, unless `known` says what it holds.

    :param files: paths in the folder
    :param stale: paths at the URL to delete
    :param last: the one that describes the others; it is there only while all of these are
    :param known: file -> sha256 of what lies there
    :raises StorageError: when the storage refuses it or cannot be reached
    """
    parts = [name for name in files if name != last]
    changed = [name for name in parts if _differs(folder / name, join(url, name), known.get(name))]
    mark = join(url, UNFINISHED_FILE)
    marked = size_at(mark) is not None
    if not (changed or stale or _differs(folder / last, join(url, last), None)):
        if marked:  # of a push that was stopped at its last step
            delete_url(mark)
        return
    described = size_at(join(url, last)) is not None
    if stale or described:
        marked = True
        write_url(mark, b"\n")
    if described:
        delete_url(join(url, last))
    for name in sorted(stale):
        delete_url(join(url, name))
    for name in changed:
        write_url(join(url, name), (folder / name).read_bytes())
    write_url(join(url, last), (folder / last).read_bytes())
    if marked:
        delete_url(mark)


def _differs(path: Path, url: str, known: str | None) -> bool:
    data = path.read_bytes()
    if size_at(url) != len(data):
        return True
    return _sha256(data) != (known or _sha256(read_url(url, len(data))))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetch_from_url(url: str, patterns: Sequence[str], out: Path) -> set[str]:
    """Write the files of a folder at a URL into a folder here; return their paths below it.

    :raises StorageError: when they cannot be read
    :raises DatasetError: for a path that leads out of the folder
    """
    names = {name for pattern in patterns for name in files_at(url, pattern)}
    for name in sorted(names):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DatasetError(f"expected files below {url}, but got {name}")
        path = out / name
        ensure_dir(path.parent)
        atomic_write(path, read_url(join(url, name), _MAX_BYTES))
    return names
