"""Converts a folder of version 0.1.0 into a new one, which then replaces it atomically."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.migration.folders import converted_files
from pickclutter_lang.utils.io import atomic_write, fsync
from pickclutter_lang.utils.locks import LOCK_FILE, dir_lock
from pickclutter_lang.utils.progress import track

_Files = Mapping[PurePosixPath, tuple[PurePosixPath, bytes | None]]
BACKUP_SUFFIX = ".0.1.0"
"""Suffix of the folder that keeps the files before a migration."""
_NEVER_CHANGED = (".safetensors", ".npz", ".h5", ".png")
"""Files that are replaced, never written into: both folders may share them."""


def migrate(folder: str | Path, dry_run: bool = False) -> tuple[list[str], Path]:
    """Convert a folder, which may hold many runs, and keep the old files next to it.

    Weights become hard links where the disk allows it, so that the copy takes little space. A migration that was ended
    halfway is done again, or ended, by the same call.

    :param dry_run: convert nothing, and only report what would change
    :return: a line for each file that changes, and the folder that keeps the old files
    :raises CheckpointError: when there is no such folder, nothing in it is of version 0.1.0, or a file is damaged
    :raises LockedError: when another process is at work in it, or in a run in it
    """
    places = _Places.of(Path(folder).absolute())
    root, backup = places.root, places.backup
    if not root.is_dir() and backup.is_dir() and places.finished.is_dir():
        if not dry_run:
            places.end()  # the last step, before which a migration was ended
        return ["all of it, by a migration that had been ended at its last step"], backup
    if not root.is_dir():
        raise CheckpointError(f"expected a folder at {folder}, but there is none")
    with ExitStack() as held:
        for place in [] if dry_run else sorted({root, *(lock.parent for lock in root.rglob(LOCK_FILE))}):
            held.enter_context(dir_lock(place))
        files = converted_files(root)
        changed = {old: new for old, (new, data) in files.items() if old != new or data is not None}
        if backup.is_dir() and not changed:
            if not dry_run:
                places.remove_locks()
            return ["all of it, by an earlier migration"], backup
        _check(root, backup, bool(changed))
        if not dry_run:
            _convert(places, files)
    return [f"{old} -> {new}" if old != new else str(old) for old, new in changed.items()], backup


class _Places(NamedTuple):
    """A folder that is converted, where its old files stay, and the new ones before and after the last is written."""

    root: Path
    backup: Path
    unfinished: Path
    finished: Path

    @classmethod
    def of(cls, root: Path) -> _Places:
        hidden = (root.with_name(f".{root.name}.{word}") for word in ("migrating", "migrated"))
        return cls(root, root.with_name(root.name + BACKUP_SUFFIX), *hidden)

    def end(self) -> None:
        """Put the new files into their place."""
        self.finished.rename(self.root)
        self.remove_locks()

    def remove_locks(self) -> None:
        """Remove the locks of a migration, which were renamed with the old files."""
        for lock in self.backup.rglob(LOCK_FILE):
            lock.unlink()


def _convert(places: _Places, files: _Files) -> None:
    for path in (places.unfinished, places.finished):
        shutil.rmtree(path, ignore_errors=True)
    try:
        _write_converted(places.root, files, places.unfinished)
        places.unfinished.rename(places.finished)
        places.root.rename(places.backup)
        places.end()
        fsync(places.root.parent)
    except OSError as error:
        raise CheckpointError(
            f"cannot convert {places.root}: {error.strerror}; fix that and run the same command again, nothing is lost"
        ) from error


def _check(root: Path, backup: Path, changed: bool) -> None:
    """Check that there is something to migrate, and no backup of an earlier migration."""
    if not changed:
        raise CheckpointError(
            f"expected a run, a sweep, a policy folder or a teacher's run of version 0.1.0 in {root}, but there is "
            "none; scene stores, views and exported teachers of 0.1.0 are read as they are"
        )
    if backup.exists():
        raise CheckpointError(
            f"expected no {backup}, which keeps the files before a migration: {root} was migrated before, and holds "
            "files of version 0.1.0 again. To migrate these, move that folder away"
        )


def _write_converted(root: Path, files: _Files, target_root: Path) -> None:
    """Write the converted files of a folder into another one, and sync them to disk."""
    for old, (new, data) in track(files.items(), "migrating", transient=True):
        target = target_root / new
        target.parent.mkdir(parents=True, exist_ok=True)
        if data is None:
            _share(root / old, target)
        else:
            atomic_write(target, data)
    fsync(target_root)


def _share(source: Path, target: Path) -> None:
    """Link what is never written into, and copy the rest, such as logs."""
    if source.suffix in _NEVER_CHANGED:
        try:
            os.link(source, target)
            return
        except OSError:  # such as on a disk without hard links
            pass
    shutil.copy2(source, target)
