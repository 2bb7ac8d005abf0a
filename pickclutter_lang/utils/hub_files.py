"""Folders on the Hugging Face Hub: fetched by name into its cache, and pushed; their cards, whose metadata it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pickclutter_lang.errors import HubError
from pickclutter_lang.utils.validation import check_repository

CARD_FILE = "README.md"


class SharedFolder(NamedTuple):
    """A folder that can be shared: the pattern of the file that describes it, its type on the hub, its files.

    `check` raises a named error for a damaged folder. `card` returns the card of a folder in a repository, where it
    has none of its own.
    """

    file: str
    repo_type: Literal["model", "dataset"]
    patterns: tuple[str, ...]
    check: Callable[[Path], object]
    card: Callable[[Path, str], str] | None = None


def pretrained_folder(name_or_path: str | Path, shared: SharedFolder, **of_hub: Any) -> Path:
    """Return a folder that is there as it is, or that of a repository `owner/name`; what is cached needs no network.

    :param of_hub: `revision`, `cache_dir`, `token` and `endpoint` of `huggingface_hub.snapshot_download`
    :raises InvalidArgumentError: for neither
    :raises HubError: when there is no such repository, or the hub cannot be reached
    """
    if Path(name_or_path).is_dir():
        return Path(name_or_path)
    repository = str(name_or_path)
    check_repository("a name that is no folder", repository)
    from huggingface_hub import snapshot_download  # takes some tenths of a second

    with _hub_errors(f"fetch {repository} from the hub"):
        patterns = list(shared.patterns)
        return Path(snapshot_download(repository, repo_type=shared.repo_type, allow_patterns=patterns, **of_hub))


def files_of(repository: str, shared: SharedFolder, revision: str | None) -> tuple[str, dict[str, int]]:
    """Return the newest commit of a repository or of a revision, and all its files with their bytes.

    :raises HubError: when there is no such repository, or the hub cannot be reached
    """
    from huggingface_hub import HfApi

    with _hub_errors(f"fetch {repository} from the hub"):
        info: Any = HfApi().repo_info(repository, revision=revision, repo_type=shared.repo_type, files_metadata=True)
        return str(info.sha), {file.rfilename: file.size or 0 for file in info.siblings or ()}


def push_to_hub(folder: Path, shared: SharedFolder, repository: str, private: bool = False, **place: Any) -> str:
    """Check a folder, and push it with its card to a repository, which is made if it is not there.

    Such files that are in the repository, and not here, are deleted there.

    :param repository: `owner/name`
    :param place: `token` and `endpoint` of huggingface_hub
    :return: address of the commit
    :raises PickClutterError: HubError when the hub refuses it or cannot be reached, or what the check raises
    """
    check_repository("repository", repository)
    shared.check(folder)
    card = shared.card and shared.card(folder, repository)
    from huggingface_hub import HfApi

    api = HfApi(**place)
    files = list(shared.patterns)
    repo_type = shared.repo_type
    with _hub_errors(f"push to {repository}"):
        api.create_repo(repository, private=private, exist_ok=True, repo_type=repo_type)
        commit: Any = api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=files, delete_patterns=files, repo_type=repo_type
        )
        if card:
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


class Figure(NamedTuple):
    """A result for the hub's tables: a metric of a task on a data set."""

    task: str
    dataset: str
    metric: str
    value: float


def hub_card(title: str, text: str, figures: Sequence[Figure] = (), **metadata: Any) -> str:
    """Return a card, `README.md`: what the hub reads at its top, the title and the text.

    :param metadata: further keys of the front matter, such as `license` and `tags`
    """
    from huggingface_hub import EvalResult, ModelCardData  # takes some tenths of a second

    results = [
        EvalResult(task, "pickclutter-lang", name, metric.partition(",")[0], value, metric_name=metric)
        for task, name, metric, value in figures
    ]
    if results:
        metadata |= {"model_name": title, "eval_results": results}
    data = ModelCardData(**metadata)
    return f"---\n{data.to_yaml()}\n---\n\n# {title}\n\n{text}\n"
