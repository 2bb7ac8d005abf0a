"""Converts a folder of version 0.1.0 into a new one, which then replaces it atomically."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.migration.folders import converted_files
from pickclutter_lang.utils.io import atomic_write, fsync
from pickclutter_lang.utils.progress import track

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
    """
    root = Path(folder).absolute()
    backup = root.with_name(root.name + BACKUP_SUFFIX)
    unfinished, finished = (root.with_name(f".{root.name}.{word}") for word in ("migrating", "migrated"))
    if not root.is_dir() and backup.is_dir() and finished.is_dir():
        finished.rename(root)  # the last step, before which a migration was ended
        return ["all of it, by a migration that had been ended at its last step"], backup
    if not root.is_dir():
        raise CheckpointError(f"expected a folder at {folder}, but there is none")
    files = converted_files(root)
    changed = {old: new for old, (new, data) in files.items() if old != new or data is not None}
    if backup.is_dir() and not changed:
        return ["all of it, by an earlier migration"], backup
    _check(root, backup, bool(changed))
    lines = [f"{old} -> {new}" if old != new else str(old) for old, new in changed.items()]
    if dry_run:
        return lines, backup
    for path in (unfinished, finished):
        shutil.rmtree(path, ignore_errors=True)
    try:
        _write_converted(root, files, unfinished)
        unfinished.rename(finished)
        root.rename(backup)
        finished.rename(root)
        fsync(root.parent)
    except OSError as error:
        raise CheckpointError(
            f"cannot convert {folder}: {error.strerror}; fix that and run the same command again, nothing is lost"
        ) from error
    return lines, backup


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


def _write_converted(
    root: Path, files: Mapping[PurePosixPath, tuple[PurePosixPath, bytes | None]], target_root: Path
) -> None:
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
