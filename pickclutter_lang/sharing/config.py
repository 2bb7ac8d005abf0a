"""Configuration of the commands that share folders through the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.utils.validation import check_path, check_repository, one_of

KINDS = ("policy", "teacher", "scenes", "demonstrations", "lerobot")
"""Kinds of folders that can be shared."""


@dataclass
class PushConfig:
    """A folder that goes to the Hugging Face Hub. `$HF_TOKEN` or `hf auth login` says who you are."""

    folder: str
    """Folder of a policy, of a teacher, of a scene store, of demonstrations, or of a LeRobot data set of these."""
    repository: str
    """`owner/name` on the hub."""
    private: bool = False
    """Make the repository private if it is new."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("folder", self.folder)
        check_repository("repository", self.repository)


@dataclass
class FetchConfig:
    """A folder that comes from the Hugging Face Hub."""

    repository: str
    """`owner/name` on the hub."""
    out: str
    """Folder for its files. An interrupted download into it goes on."""
    kind: str = "policy"
    """What it is: `policy`, `teacher`, `scenes`, `demonstrations` or `lerobot`."""
    revision: str | None = None
    """Branch, tag or commit. null: the newest."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("out", self.out)
        check_repository("repository", self.repository)
        one_of("kind", self.kind, KINDS)
