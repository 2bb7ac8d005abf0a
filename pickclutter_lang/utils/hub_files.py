"""Folders on the Hugging Face Hub: fetched by name, and pushed in one commit with a card."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
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

    try:
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
    except Exception as error:  # its client raises errors of several libraries
        raise _not_fetched(repository, error) from error
    return Path(folder)


def list_files(repository: str, repo_type: RepoType, revision: str | None) -> tuple[str, set[str]]:
    """Return the commit of a revision of a repository, and its files.

    :param revision: branch, tag or commit; None: the default branch
    :raises HubError: when there is no such repository, or the hub cannot be reached
    """
    from huggingface_hub import HfApi

    try:
        found = HfApi().repo_info(repository, revision=revision, repo_type=repo_type)
    except Exception as error:
        raise _not_fetched(repository, error) from error
    return str(found.sha), {one.rfilename for one in getattr(found, "siblings", None) or ()}


def push_files(
    folder: Path,
    files: Sequence[str],
    card: str,
    repository: str,
    repo_type: RepoType = "model",
    private: bool = False,
    replaced: Sequence[str] = (),
    **place: Any,
) -> str:
    """Push files of a folder and a card to a repository, which is made if it is not there.

    :param files: paths in the folder
    :param replaced: patterns, the first of the file that says what a folder is. Where the repository has that one, its
        files that fit a pattern and are not pushed again are deleted
    :param card: text of its README.md, with the hub's metadata
    :param place: `token` and `endpoint` of huggingface_hub
    :return: address of the commit
    :raises HubError: when the hub refuses it or cannot be reached
    :raises InvalidArgumentError: for another form of `repository`
    """
    check_repository("repository", repository)
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api = HfApi(**place)
    operations: list[Any] = [CommitOperationAdd(name, str(folder / name)) for name in files]
    operations.append(CommitOperationAdd(CARD_FILE, card.encode()))
    try:
        api.create_repo(repository, private=private, exist_ok=True, repo_type=repo_type)
        there = api.list_repo_files(repository, repo_type=repo_type) if replaced else []
        if any(fnmatch(name, replaced[0]) for name in there):
            old = [name for name in there if any(fnmatch(name, pattern) for pattern in replaced)]
            operations += [CommitOperationDelete(name) for name in old if name not in (*files, CARD_FILE)]
        commit = api.create_commit(repository, operations, commit_message="From pickclutter-lang", repo_type=repo_type)
    except Exception as error:
        raise HubError(
            f"cannot push to {repository} ({_line(error)}); log in with `hf auth login`, and check the name and the "
            "network"
        ) from error
    return str(commit.commit_url)


def _not_fetched(repository: str, error: BaseException) -> HubError:
    return HubError(
        f"cannot fetch {repository} from the hub ({_line(error)}); check the name and the network, or copy the folder "
        "here"
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
