"""Configuration of the commands that share folders through the Hugging Face Hub or object storage."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.object_storage import check_url, is_url
from pickclutter_lang.utils.validation import check_path, check_repository, one_of

KINDS = ("policy", "teacher", "scenes", "demonstrations", "lerobot")
"""Kinds of folders that can be shared."""


@dataclass
class PushConfig:
    """A folder that goes to the Hugging Face Hub or to object storage.

    On the hub `$HF_TOKEN` or `hf auth login` says who you are, on S3 its usual environment, such as `$AWS_PROFILE`.
    """

    folder: str
    """Folder of a policy, of a teacher, of a scene store, of demonstrations, or of a LeRobot data set of these."""
    repository: str
    """`owner/name` on the hub, or the URL of a folder on object storage: `s3://bucket/path`."""
    private: bool = False
    """Make the repository on the hub private if it is new."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("folder", self.folder)
        _check_place(self.repository)
        if self.private and is_url(self.repository):
            raise InvalidArgumentError(
                f"expected private=false with {self.repository}: who may read there is set at the storage itself"
            )


@dataclass
class FetchConfig:
    """A folder that comes from the Hugging Face Hub or from object storage."""

    repository: str
    """`owner/name` on the hub, or the URL of a folder on object storage: `s3://bucket/path`."""
    out: str
    """Folder for its files: a new one, or one of an earlier fetch, whose files that are gone there are deleted. An
    interrupted download from the hub goes on; from a URL, only whole shards are kept."""
    kind: str = "policy"
    """What it is: `policy`, `teacher`, `scenes`, `demonstrations` or `lerobot`."""
    revision: str | None = None
    """Branch, tag or commit on the hub. null: the newest."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("out", self.out)
        _check_place(self.repository)
        one_of("kind", self.kind, KINDS)
        if self.revision is not None and is_url(self.repository):
            raise InvalidArgumentError(f"expected no revision= with {self.repository}: a URL has what lies there now")


def _check_place(repository: str) -> None:
    if is_url(repository):
        check_url("repository", repository)
    else:
        check_repository("repository", repository)
