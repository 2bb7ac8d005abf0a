"""Folders on the Hugging Face Hub: policies, teachers, scene stores and demonstrations.

Each is checked before it is sent, and before it takes the place of what was there.
"""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path

from pickclutter_lang.errors import CheckpointError, DatasetError, PickClutterError, rebuild_error
from pickclutter_lang.policy_folder.folder import check_nothing_lost, learned_files
from pickclutter_lang.sharing.config import FetchConfig, PushConfig
from pickclutter_lang.utils.hub_files import CARD_FILE, SharedFolder, files_of, pretrained_folder, push_to_hub
from pickclutter_lang.utils.io import TEMPORARY_SUFFIX, move_files, replaced_file, write_text
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.reading import MAX_BYTES

NOTE_FILE = ".fetched_from"
"""In a fetched folder: its repository, and what it is."""


def _shared_folders() -> dict[str, SharedFolder]:
    """Return what can be shared by name; what checks them is imported here, since it takes seconds."""
    from pickclutter_lang.datasets.scenes import verify_store
    from pickclutter_lang.datasets.scenes.description import GRASP_CHECK_FILE, SHEET_FILE
    from pickclutter_lang.datasets.scenes.episodes import EPISODES_FILE
    from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, SHARD_FOLDER
    from pickclutter_lang.objects.catalog_file import CATALOG_FILE
    from pickclutter_lang.policy.hub import POLICY
    from pickclutter_lang.teachers.pocket import TEACHER

    shards = f"{SHARD_FOLDER}/*.h5"
    store = (MANIFEST_FILE, shards, CARD_FILE, SHEET_FILE, EPISODES_FILE, GRASP_CHECK_FILE, CATALOG_FILE)
    trajectories = ("trajectory.rgbd.*.json", "trajectory.rgbd.*.h5")
    return {
        "policy": POLICY,
        "teacher": TEACHER,
        "scenes": SharedFolder(MANIFEST_FILE, "dataset", store, verify_store),
        "demonstrations": SharedFolder(
            trajectories[0], "dataset", (*trajectories, CARD_FILE, "videos/*"), _check_demonstrations
        ),
        "lerobot": SharedFolder(
            "meta/info.json", "dataset", ("meta/*", "data/*/*", "videos/*/*/*", CARD_FILE), lambda folder: None
        ),
    }


def _check_demonstrations(folder: Path) -> None:
    """Read every action of demonstrations."""
    from pickclutter_lang.demonstrations.trajectories import Demonstrations

    with Demonstrations(folder).open() as opened:
        for demonstration in opened:
            demonstration.array("actions")


def push(config: PushConfig) -> str:
    """Check a folder, push it with a card, and return the address of the commit.

    :raises PickClutterError: DatasetError for a folder of none of `KINDS`, what its check raises, or HubError
    """
    folder = Path(config.folder)
    known = _shared_folders()
    found = [shared for shared in known.values() if any(folder.glob(shared.file))]
    if len(found) != 1:
        listed = ", ".join(f"{shared.file} ({name})" for name, shared in known.items())
        raise DatasetError(f"expected a folder with one of {listed}, but {folder} has {'several' if found else 'none'}")
    (shared,) = found
    return push_to_hub(folder, shared, config.repository, config.private)


def _files_in(folder: Path, shared: SharedFolder) -> list[str]:
    """Return the files that are shared of a folder, as paths below it, sorted."""
    found = {path for pattern in shared.patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(folder).as_posix() for path in found)


def fetch(config: FetchConfig) -> Path:
    """Fetch the files of a repository into a folder beside `out`'s, check them, move them there, and return `out`.

    :raises PickClutterError: HubError when they cannot be fetched, DatasetError for a folder that holds
        something else, InvalidArgumentError for a policy there that learned what would be lost, or what their check
        raises
    """
    shared = _shared_folders()[config.kind]
    out = Path(config.out)
    note = f"{config.kind} of {config.repository}\n"
    new = out / f".new{TEMPORARY_SUFFIX}"
    with dir_lock(out):
        is_new = not (out / NOTE_FILE).is_file() or (out / NOTE_FILE).read_text() != note
        others = sorted(path.name for path in out.iterdir() if path.name not in (".lock", new.name))
        if is_new and others:
            raise DatasetError(
                f"expected out to be a new folder, or one of an earlier fetch of {config.repository}, but {out} has "
                f"{others[0]}; choose another out=, or delete it"
            )
        try:
            shutil.rmtree(new, ignore_errors=True)
            _bring(config, shared, new)
            try:
                shared.check(new)
            except PickClutterError as error:
                raise rebuild_error(type(error).__name__, str(error).replace(str(new), config.repository)) from error
            check_nothing_lost(out, learned_files(new))
            write_text(out / NOTE_FILE, note)
            files = _files_in(new, shared)
            marker = next(name for name in files if fnmatch(name, shared.file))
            move_files(new, out, marker, _files_in(out, shared))
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return out


def _bring(config: FetchConfig, shared: SharedFolder, new: Path) -> None:
    """Write the files of a repository that are shared into a new folder.

    :raises CheckpointError: when the file that describes them is not there
    :raises DatasetError: for a path that leads out of the folder, or a file that is too large
    """
    commit, sizes = files_of(config.repository, shared, config.revision)
    files = {name: size for name, size in sizes.items() if any(fnmatch(name, one) for one in shared.patterns)}
    if not any(fnmatch(name, shared.file) for name in files):
        raise CheckpointError(
            f"expected {shared.file} in {config.repository}, but it is not there; choose another kind="
        )
    for name, size in files.items():
        check_name(name)
        if size > MAX_BYTES:
            raise DatasetError(f"expected {name} of at most {MAX_BYTES / 1e6:.0f} MB, but it has {size / 1e6:.0f} MB")
    cached = pretrained_folder(config.repository, shared, revision=commit)
    for name in files:
        with replaced_file(new / name) as temporary:
            shutil.copyfile(cached / name, temporary)


def check_name(name: str) -> None:
    """Raise DatasetError for a name of a file that leads out of its folder."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DatasetError(f"expected files below the folder, but got {name!r}")
