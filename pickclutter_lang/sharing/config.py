"""Configuration of the commands that push a folder to the Hugging Face Hub, and fetch one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pickclutter_lang.utils.validation import check_path, check_repository, check_values, one_of

KINDS = ("policy", "teacher", "scenes", "demonstrations", "lerobot")
"""Kinds of folders that can be shared."""


@dataclass
class PushConfig:
    """A folder that goes to the Hugging Face Hub. `$HF_TOKEN` or `hf auth login` says who you are."""

    folder: Annotated[str, check_path]
    """Folder of a policy, of a teacher, of a scene store, of demonstrations, or of a LeRobot data set of these."""
    repository: Annotated[str, check_repository]
    """`owner/name` on the hub."""
    private: bool = False
    """Make the repository on the hub private if it is new."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)


@dataclass
class FetchConfig:
    """A folder that comes from the Hugging Face Hub."""

    repository: Annotated[str, check_repository]
    """`owner/name` on the hub."""
    out: Annotated[str, check_path]
    """Folder for its files: a new one, or one of an earlier fetch, whose files that are gone there are deleted."""
    kind: Annotated[str, one_of, KINDS] = "policy"
    """What it is: `policy`, `teacher`, `scenes`, `demonstrations` or `lerobot`."""
    revision: str | None = None
    """Branch, tag or commit on the hub. null: the newest."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)
