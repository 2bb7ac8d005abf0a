"""Policies, teachers, scene stores and demonstrations on the hub or at a URL; each is checked on both sides."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple, TypedDict

from pickclutter_lang.datasets.scenes import read_manifest, verify_store
from pickclutter_lang.datasets.scenes.description import (
    DATASET_CARD_FILE,
    GRASP_CHECK_FILE,
    SHEET_FILE,
    hub_license,
    write_dataset_card,
)
from pickclutter_lang.datasets.scenes.episodes import EPISODES_FILE
from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER
from pickclutter_lang.datasets.scenes.remote import fetch_shard, listed_shards
from pickclutter_lang.demonstrations.card import CARD_FILE
from pickclutter_lang.demonstrations.lerobot import INFO_FILE as LEROBOT_FILE
from pickclutter_lang.demonstrations.trajectories import Demonstrations
from pickclutter_lang.errors import CheckpointError, DatasetError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE
from pickclutter_lang.policy.folder import CONFIG_FILE, load_catalog, load_config
from pickclutter_lang.policy.hub import POLICY_FILES, policy_card
from pickclutter_lang.policy.torch_networks import load_pretrained
from pickclutter_lang.sharing.config import FetchConfig, PushConfig
from pickclutter_lang.sharing.fetched import NOTE_FILE, Fetched, begin, delete_below
from pickclutter_lang.sharing.url_folders import UNFINISHED_FILE, fetch_from_url, push_to_url
from pickclutter_lang.teachers import pocket
from pickclutter_lang.teachers.hub import teacher_card
from pickclutter_lang.utils.hub_files import CARD_FILE as README
from pickclutter_lang.utils.hub_files import RepoType, fetch_files, list_files, push_files
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.object_storage import files_at, is_url


class Shared(NamedTuple):
    """A kind of folder that can be shared: `file`, a pattern, tells it from the others."""

    file: str
    repo_type: RepoType
    files: tuple[str, ...]
    """Files and patterns that belong to it."""
    check: Callable[[Path], object]
    """Raises a named error for a damaged folder."""
    card: Callable[[Path, str], str]
    """Returns the card, for a folder and a repository."""


def _policy_card(folder: Path, repository: str) -> str:
    return policy_card(load_config(folder), repository, load_catalog(folder))


def _store_card(folder: Path, repository: str) -> str:
    if not (folder / DATASET_CARD_FILE).is_file():
        write_dataset_card(folder)
    store = read_manifest(folder)
    objects = None if store.has_catalog else store.object_set  # a folder of one's own may be called ycb
    return _dataset_card(folder / DATASET_CARD_FILE, objects, "scenes", repository)


def _demonstrations_card(folder: Path, repository: str) -> str:
    objects = Demonstrations(folder).arguments.get("objects")
    return _dataset_card(folder / CARD_FILE, objects, "demonstrations", repository)


def _dataset_card(card: Path, object_set: object, kind: str, repository: str) -> str:
    from huggingface_hub import DatasetCardData

    data = DatasetCardData(
        license=hub_license(object_set),
        task_categories=["robotics"],
        tags=["pickclutter-lang", "clutter", "grasping"],
    )
    text = card.read_text() if card.is_file() else "Made by pickclutter-lang.\n"
    return (
        f"---\n{data.to_yaml()}\n---\n\n# {repository}\n\n{text}\n"
        f"```sh\npickclutter fetch repository={repository} kind={kind} out={kind}\n```\n"
    )


def _check_demonstrations(folder: Path) -> None:
    """Read every action of demonstrations."""
    with Demonstrations(folder).open() as opened:
        for demonstration in opened:
            demonstration.array("actions")


def _lerobot_card(folder: Path, repository: str) -> str:
    return (folder / README).read_text()


def _check_lerobot(folder: Path) -> None:
    """Check that a LeRobot data set has the files of its frames and episodes.

    :raises DatasetError: naming what is missing
    """
    info = read_json(folder / LEROBOT_FILE, _Info, DatasetError, "export it again: pickclutter export-lerobot")
    needed: tuple[str, ...] = (
        README,
        "meta/tasks.parquet",
        "meta/stats.json",
        "meta/episodes/*/*.parquet",
        "data/*/*.parquet",
    )
    needed += ("videos/*/*/*.mp4",) if info["video_path"] else ()
    missing = [pattern for pattern in needed if not any(folder.glob(pattern))]
    if missing:
        raise DatasetError(f"expected {', '.join(missing)} in {folder}, but there is none; export it again")


class _Info(TypedDict):
    total_episodes: int
    video_path: str | None


KINDS = {
    "policy": Shared(
        CONFIG_FILE,
        "model",
        (*POLICY_FILES, CATALOG_FILE),
        lambda folder: load_pretrained(folder, trust_code=True),  # only read: no code of it runs
        _policy_card,
    ),
    "teacher": Shared(
        pocket.CONFIG_FILE,
        "model",
        pocket.TEACHER_FILES,
        pocket.load_pocket_teacher,
        teacher_card,
    ),
    "scenes": Shared(
        MANIFEST_FILE,
        "dataset",
        (
            MANIFEST_FILE,
            f"{SHARD_FOLDER}/*.h5",
            DATASET_CARD_FILE,
            SHEET_FILE,
            EPISODES_FILE,
            GRASP_CHECK_FILE,
            CATALOG_FILE,
        ),
        verify_store,
        _store_card,
    ),
    "demonstrations": Shared(
        "trajectory.rgbd.*.json",
        "dataset",
        ("trajectory.rgbd.*.json", "trajectory.rgbd.*.h5", CARD_FILE, SHEET_FILE, "videos/*"),
        _check_demonstrations,
        _demonstrations_card,
    ),
    "lerobot": Shared(
        LEROBOT_FILE,
        "dataset",
        ("meta/*", "meta/episodes/*/*", "data/*/*", "videos/*/*/*", README),
        _check_lerobot,
        _lerobot_card,
    ),
}
"""Name -> kind of folder; the names are `config.KINDS`."""


def push(config: PushConfig) -> str:
    """Check a folder, push it, and return the address of the commit on the hub, or its URL; the hub gets a card.

    :raises PickClutterError: DatasetError for a folder of none of `KINDS`, what its check raises, or HubError
    """
    folder = Path(config.folder)
    found = [kind for kind in KINDS.values() if any(folder.glob(kind.file))]
    if len(found) != 1:
        listed = ", ".join(f"{kind.file} ({name})" for name, kind in KINDS.items())
        raise DatasetError(f"expected a folder with one of {listed}, but {folder} has {'several' if found else 'none'}")
    (kind,) = found
    kind.check(folder)
    paths = {path for part in kind.files for path in folder.glob(part) if path.is_file()}
    files = sorted({path.relative_to(folder).as_posix() for path in paths})
    if is_url(config.repository):
        return _push_to_url(folder, files, kind, config.repository)
    card = kind.card(folder, config.repository)
    own = [name for name in files if name != README]
    replaced = (kind.file, *kind.files)
    return push_files(folder, own, card, config.repository, kind.repo_type, config.private, replaced)


def _push_to_url(folder: Path, files: list[str], kind: Shared, url: str) -> str:
    last = next(folder.glob(kind.file)).relative_to(folder).as_posix()
    stale: set[str] = set()
    if files_at(url, kind.file) or files_at(url, UNFINISHED_FILE):  # elsewhere what fits may be of somebody else
        stale = {name for pattern in kind.files for name in files_at(url, pattern)} - {*files}
    push_to_url(folder, files, stale, last, url, listed_shards(url) if kind.file == MANIFEST_FILE else {})
    return url


def fetch(config: FetchConfig) -> Path:
    """Fetch the files of a repository into a folder, check them, and return the folder.

    Files that an earlier fetch left there, and that are gone from the repository, are deleted.

    :raises PickClutterError: HubError when they cannot be fetched, DatasetError for a folder that holds something else,
        or what their check raises
    """
    kind, out = KINDS[config.kind], Path(config.out)
    create_dir(out)
    with dir_lock(out):
        patterns = [*(known.file for known in KINDS.values()), *kind.files]
        before = begin(out, config.repository, config.kind, patterns)
        try:
            there = _fetch_files(config, kind, out)
        finally:
            if not any(path.is_file() for pattern in kind.files for path in out.glob(pattern)):
                (out / NOTE_FILE).unlink(missing_ok=True)  # whatever comes here next is of somebody else
        if not any(fnmatch(name, kind.file) for name in there):
            delete_below(out, (*there, NOTE_FILE))
            raise CheckpointError(
                f"expected {kind.file} in {config.repository}, but it is not there; choose another kind="
            )
        before.delete_gone(out, there)
        Fetched(config.repository, config.kind, sorted(there)).write(out)
        kind.check(out)
    return out


def _fetch_files(config: FetchConfig, kind: Shared, out: Path) -> set[str]:
    """Fetch the files of a kind, and return their paths below the folder."""
    if is_url(config.repository):
        return _fetch_from_url(config.repository, kind, out)
    commit, names = list_files(config.repository, kind.repo_type, config.revision)
    fetch_files(config.repository, kind.files, kind.repo_type, commit, out)
    return {name for name in names if any(fnmatch(name, pattern) for pattern in kind.files)}


def _fetch_from_url(url: str, kind: Shared, out: Path) -> set[str]:
    shards = f"{SHARD_FOLDER}/*.h5"
    names = fetch_from_url(url, [pattern for pattern in kind.files if pattern != shards], out)
    if shards in kind.files and MANIFEST_FILE in names:
        create_dir(out / SHARD_FOLDER)
        for entry in read_manifest(out).shards:
            fetch_shard(url, out, entry)
            names.add(f"{SHARD_FOLDER}/{entry.file}")
    return names
