"""Parts of a work that several machines share: `part=3/8` is the third of eight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pickclutter_lang.errors import InvalidArgumentError

MAX_PARTS = 100_000
Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """The part `number` (from 1) of `count`."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read `number/count`.

        :raises InvalidArgumentError: when it is anything else
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        part = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= part.number <= part.count <= MAX_PARTS:
            raise InvalidArgumentError(
                f"expected part to be K/N with K from 1 to N, such as 3/8, but got {text!r}; of a SLURM array: "
                "--array=1-N and part=$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
            )
        return part

    @classmethod
    def of_folder(cls, name: str) -> Part | None:
        """Return the part whose `folder_name` this is; None of another name."""
        found = re.fullmatch(r"([0-9]{1,6})_of_([0-9]{1,6})", name)
        return cls(int(found[1]), int(found[2])) if found else None

    @property
    def folder_name(self) -> str:
        """Name of the folder of this part, `3_of_8`."""
        return f"{self.number}_of_{self.count}"

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items of this part: neighbors, and equally many of each part up to one."""
        first, end = (len(items) * n // self.count for n in (self.number - 1, self.number))
        return items[first:end]


def part_folders(folder: Path) -> list[Path]:
    """Return the folders of parts that lie in a folder, by name."""
    return sorted(path for path in folder.glob("*_of_*") if path.is_dir() and Part.of_folder(path.name))


def check_part(text: str | None, items: int, what: str) -> None:
    """Check a setting `part`; None is no part.

    :param items: number of what is divided, at least one for each part
    :param what: its name, `shards`
    :raises InvalidArgumentError: when it is no part, or there are more parts than items
    """
    if text is not None and Part.parse(text).count > items:
        raise InvalidArgumentError(f"expected at most as many parts as {what}, {items}, but got part={text}")
