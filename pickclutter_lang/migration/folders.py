"""Which files of a folder of version 0.1.0 change, and into what."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.migration import renames
from pickclutter_lang.migration.policy_config import policy_config
from pickclutter_lang.utils.array_files import read_npz
from pickclutter_lang.utils.json_files import read_json, read_json_lines
from pickclutter_lang.utils.locks import LOCK_FILE

RUN_FILE, RESULT_FILE, STATE_FILE, LOG_FILE = "settings.json", "result.json", "state.json", "log.jsonl"
POLICY_FILE, STORE_FILE = "policy.json", "manifest.json"
RESULT_SCHEMA = 4
_ARRAYS = {"held_out": "unseen", "pictures": "images"}
"""Names of arrays in the predictions of a run."""

Json = dict[str, Any]


def converted_files(root: Path) -> dict[PurePosixPath, tuple[PurePosixPath, bytes | None]]:
    """Return every file below a folder: its path -> its new path, and its new content (None: unchanged).

    :raises CheckpointError: when a file is damaged, or the folder is a part of a run, or has a link to another folder
    """
    for folder in root.parents:
        if _is_old_run(folder):
            raise CheckpointError(f"expected a whole run, but {root} is a part of {folder}: migrate that")
    links = [path for path in sorted(root.rglob("*")) if path.is_symlink() and path.is_dir()]
    if links:
        raise CheckpointError(f"expected folders, but {links[0]} is a link to one; put the folder itself there")
    found = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file() and path.name != LOCK_FILE):
        new, data = _convert(path, root)
        found[PurePosixPath(path.relative_to(root))] = (PurePosixPath(new.relative_to(root)), data)
    return found


def _convert(path: Path, root: Path) -> tuple[Path, bytes | None]:
    """Return where a file below a folder goes and what it then holds."""
    kind, run = _kind_of_run(path, root)
    if path.name == POLICY_FILE:
        return path, _converted(path, lambda old: policy_config(old) if old.get("schema") == 2 else None)
    if run is None:
        return path, _converted(path, _teacher_state) if path.name == STATE_FILE else None
    target = run.joinpath(*_renamed_parts(path.relative_to(run).parts))
    config = renames.scene_config if kind == "scenes" else renames.image_config
    if path.name == RUN_FILE:
        return target, _converted(path, lambda old: _run_record(old, config))
    if path.name == RESULT_FILE:
        return target, _converted(path, lambda old: _result(old, config, kind))
    if path.name == STATE_FILE:
        return target, _converted(path, _state)
    if path.name == LOG_FILE:
        return target, "".join(f"{json.dumps(_log_row(row))}\n" for row in _rows(path)).encode()
    if path.parent.name == "predictions" and path.suffix == ".npz":
        return target, _predictions(path)
    return target, None


def _kind_of_run(path: Path, root: Path) -> tuple[str, Path | None]:
    """Return what kind of run of 0.1.0 a file belongs to, `scenes` or `images`, and the run's folder."""
    for folder in path.parents:
        if not folder.is_relative_to(root):
            break
        record = folder / RUN_FILE
        if record.is_file():
            settings = _read(record).get("settings")
            if isinstance(settings, dict) and "fewshot" in settings:
                return ("scenes" if "train" in settings["data"] else "images"), folder
            return "", None
    return "", None


def _is_old_run(folder: Path) -> bool:
    """Return whether a folder above the one that is migrated is a run of 0.1.0; a foreign file there is none."""
    record = folder / RUN_FILE
    try:
        settings = _read(record).get("settings") if record.is_file() else None
    except CheckpointError:
        return False
    return isinstance(settings, dict) and "fewshot" in settings


def _renamed_parts(parts: tuple[str, ...]) -> list[str]:
    """Rename the folder of a phase, which is the first or, for TensorBoard, the second part of a path."""
    names = list(parts)
    place = 1 if names[0] == "tensorboard" else 0
    if place < len(names) - 1:
        names[place] = renames.PHASES.get(names[place], names[place])
    return names


def _run_record(old: Json, config: Callable[[Mapping[str, Any]], Json]) -> Json:
    return old | {"settings": config(old["settings"]), "data": _data(old["data"])}


def _data(old: Json) -> Json:
    """Rename the known classes of a dataset of images."""
    return renames.rename(old, {"known": "seen"})


def _result(old: Json, config: Callable[[Mapping[str, Any]], Json], kind: str) -> Json:
    new = old | {"schema": RESULT_SCHEMA, "kind": kind, "config": config(old["config"]), "data": _data(old["data"])}
    new.setdefault("name", new["config"].get("method"))
    new["seconds"] = renames.rename(old["seconds"], renames.PHASES)
    history = renames.rename(old["history"], renames.PHASES)
    new["history"] = {phase: [_log_row(row) for row in rows] for phase, rows in history.items()}
    if kind == "scenes":
        new["metrics"] = {name: _stage(stage) for name, stage in old["metrics"].items()}
    return new


def _stage(old: Json) -> Json:
    names = {"model_at_alarm": "model_matched_fpr"}
    return {key: renames.rename(cell, names) if isinstance(cell, dict) else cell for key, cell in old.items()}


def _state(old: Json) -> Json:
    new = old | {"phase": renames.PHASES.get(old["phase"], old["phase"])}
    new["architecture"] = renames.architecture(old["architecture"])
    new["history"] = [_log_row(row) for row in old["history"]]
    return new


def _teacher_state(old: Json) -> Json | None:
    settings = old.get("settings")
    new = renames.teacher_config(settings) if isinstance(settings, dict) else settings
    return None if new == settings else old | {"settings": new}


def _log_row(old: Json) -> Json:
    new = renames.rename(old, renames.LOSSES)
    return new | {"phase": renames.PHASES.get(old["phase"], old["phase"])} if "phase" in old else new


def _predictions(path: Path) -> bytes:
    stream = io.BytesIO()
    arrays = read_npz(path, None, CheckpointError, "remove it and migrate again", f"expected {path}")
    np.savez_compressed(stream, **renames.rename(arrays, _ARRAYS))
    return stream.getvalue()


def _converted(path: Path, convert: Callable[[Json], Json | None]) -> bytes | None:
    try:
        new = convert(_read(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not as version 0.1.0 wrote it: {error!r}") from error
    return None if new is None else (json.dumps(new, indent=1) + "\n").encode()


def _rows(path: Path) -> list[Json]:
    return read_json_lines(path, Json, CheckpointError, "delete it, and migrate again")


def _read(path: Path) -> Json:
    return read_json(path, Json, CheckpointError, "restore it")
