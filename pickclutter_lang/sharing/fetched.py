"""The note in a fetched folder: where its files are from, and which they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.json_files import read_json

NOTE_FILE = ".fetched_from"


@dataclass(frozen=True)
class Fetched:
    """A repository or URL, the kind of folder that was fetched from it, and its files, as paths below the folder."""

    repository: str
    kind: str
    files: list[str]

    @classmethod
    def of(cls, folder: Path) -> Fetched | None:
        """Read the note in a folder; None where there is none.

        :raises DatasetError: when it is damaged
        """
        path = folder / NOTE_FILE
        there = path.exists() or path.is_symlink()
        return read_json(path, cls, DatasetError, "fetch into another folder") if there else None

    def write(self, folder: Path) -> None:
        """Write the note into a folder."""
        write_text(folder / NOTE_FILE, f"{json.dumps(asdict(self), indent=1)}\n")

    def delete_gone(self, folder: Path, there: Collection[str]) -> None:
        """Delete what was fetched before and is no longer there."""
        delete_below(folder, set(self.files) - set(there))


def delete_below(folder: Path, names: Iterable[str]) -> None:
    """Delete files of a folder, and nothing outside of it, whatever a repository calls its files."""
    for name in names:
        if not Path(name).is_absolute() and ".." not in Path(name).parts:
            (folder / name).unlink(missing_ok=True)


def begin(folder: Path, repository: str, kind: str, patterns: Sequence[str]) -> Fetched:
    """Note what is to come into a folder, and return what was fetched into it before.

    :param patterns: of files that tell a folder of any kind, and of the files to come
    :raises DatasetError: for a folder that holds any that were not fetched from there
    """
    before = Fetched.of(folder)
    if before is None or (before.repository, before.kind) != (repository, kind):
        found = sorted(path for pattern in patterns for path in folder.glob(pattern) if path.is_file())
        if found:
            whose = "of its own" if before is None else f"from {before.repository}"
            raise DatasetError(
                f"expected out to be a new folder, or one of an earlier fetch of {repository}, but {folder} has "
                f"{found[0].relative_to(folder)} {whose}; choose another out=, or delete it"
            )
        before = Fetched(repository, kind, [])
    before.write(folder)
    return before
