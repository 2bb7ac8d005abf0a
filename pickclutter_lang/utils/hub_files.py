"""Folders on the Hugging Face Hub: fetched by name, and pushed with a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pickclutter_lang.errors import HubError
from pickclutter_lang.utils.validation import check_repository

CARD_FILE = "README.md"
RepoType = Literal["model", "dataset"]


def fetch_files(
    repository: str,
    patterns: Sequence[str],
    repo_type: RepoType = "model",
    revision: str | None = None,
    local_dir: str | Path | None = None,
    **place: Any,
) -> Path:
    """Return the folder with the files of a repository that fit one of the patterns.

    :param repository: `owner/name`
    :param revision: branch, tag or commit
    :param local_dir: folder for the files, by default Hugging Face's cache
    :param place: `token` and `endpoint`, and without `local_dir` also `cache_dir`, of huggingface_hub
    :raises HubError: when there is no such repository, or the hub cannot be reached
    """
    from huggingface_hub import HfApi, snapshot_download  # takes some tenths of a second

    with _hub_errors(f"fetch {repository} from the hub"):
        if local_dir is not None:  # without an answer, the client takes what is there for the whole
            revision = HfApi(**place).repo_info(repository, revision=revision, repo_type=repo_type).sha
        folder = snapshot_download(
            repository,
            repo_type=repo_type,
            revision=revision,
            local_dir=local_dir,
            allow_patterns=list(patterns),
            **place,
        )
    return Path(folder)


def list_files(repository: str, repo_type: RepoType, revision: str | None) -> list[str]:
    """Return the files of a repository.

    :raises HubError: when there is no such repository, or the hub cannot be reached
    """
    from huggingface_hub import HfApi

    with _hub_errors(f"fetch {repository} from the hub"):
        return list(HfApi().list_repo_files(repository, revision=revision, repo_type=repo_type))


def push_folder(
    folder: Path,
    patterns: Sequence[str],
    card: str,
    repository: str,
    repo_type: RepoType = "model",
    private: bool = False,
    **place: Any,
) -> str:
    """Push files of a folder and a card to a repository, which is made if it is not there.

    :param patterns: of the files; what fits them in the repository, and is not here, is deleted there
    :param card: text of its README.md, with the hub's metadata
    :param place: `token` and `endpoint` of huggingface_hub
    :return: address of the commit
    :raises HubError: when the hub refuses it or cannot be reached
    :raises InvalidArgumentError: for another form of `repository`
    """
    check_repository("repository", repository)
    from huggingface_hub import HfApi

    api, files = HfApi(**place), list(patterns)
    with _hub_errors(f"push to {repository}"):
        api.create_repo(repository, private=private, exist_ok=True, repo_type=repo_type)
        api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=files, delete_patterns=files, repo_type=repo_type
        )
        commit = api.upload_file(
            path_or_fileobj=card.encode(), path_in_repo=CARD_FILE, repo_id=repository, repo_type=repo_type
        )
    return str(commit.commit_url)


@contextmanager
def _hub_errors(action: str) -> Iterator[None]:
    """Raise HubError for what the client raises, which are errors of several libraries."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise HubError(
            f"cannot {action} ({reason}); check the name and the network, and log in with `hf auth login`"
        ) from error
