"""Checkpoints without pickle: tensors as safetensors, everything else as JSON, each folder written atomically.

`ROOT/epoch_0007/` holds `model.safetensors`, `optimizer.safetensors`, `rng.safetensors` and `state.json`. The folder
is written under a temporary name, synced and renamed, so the last one is always complete; a run keeps its last and
its best epoch.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict, cast

import numpy as np
import torch
from msgspec import Meta
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from pickclutter_lang.errors import CheckpointError, TeacherError
from pickclutter_lang.utils.array_files import read_tensors
from pickclutter_lang.utils.io import fsync
from pickclutter_lang.utils.json_files import Sha256, read_json

STATE_FILE = "state.json"
SCHEMA = 1
_LONG = 6  # values of two lists that a message names in full
_PARTS = ("model", "optimizer", "rng")
_REMEDY = "delete that folder and train again, which resumes from the checkpoint before, if there is one"

_Epoch = Annotated[int, Meta(ge=1, le=10**6)]


class TeacherEntry(TypedDict):
    """The teacher that a run has: name, width and fingerprint."""

    name: str
    embed_dim: Annotated[int, Meta(ge=1)]
    fingerprint: str


class DescriptionEntry(TypedDict):
    """The content hash of a run's descriptions, and whether their writer had images of the objects."""

    content: str
    images_seen: bool


class HistoryRow(TypedDict):
    """An epoch of a phase; it has the losses too, and the validation where there is one."""

    phase: str
    epoch: _Epoch
    seconds: float


class _ValidatedRow(HistoryRow, total=False):
    validation: dict[str, float | None]


class CheckpointState(TypedDict):
    """Content of every `state.json`; `sha256` is that of each file of tensors."""

    schema: int
    optimizer: dict[str, Any]
    rng: dict[str, Any]
    sha256: dict[str, Sha256]


class PhaseState(CheckpointState):
    """Content of the `state.json` of a phase, after an epoch."""

    phase: str
    epoch: _Epoch
    labels: list[str]
    architecture: dict[str, Any]
    teacher: TeacherEntry
    schedule: dict[str, Any]
    history: list[_ValidatedRow]


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint folder. `state` is JSON: epoch, architecture, teacher, schedule, history.

    A part that was not asked for is empty.
    """

    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    rng: dict[str, Tensor]
    state: dict[str, Any]


def epoch_folder(root: Path, epoch: int) -> Path:
    """Return the folder of an epoch's checkpoint."""
    return root / f"epoch_{epoch:04d}"


def saved_epochs(root: Path) -> list[int]:
    """Return the epochs that have a complete checkpoint under `root`, ascending."""
    names = [path.name for path in root.glob("epoch_*") if (path / STATE_FILE).exists()]
    return sorted(int(name[6:]) for name in names if re.fullmatch(r"epoch_[0-9]{4,7}", name))


def save_checkpoint(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Write a checkpoint with the present state of the model, the optimizer and the random generators.

    :param state: JSON values to save with it; the keys `schema`, `optimizer`, `rng` and `sha256` are added
    """
    tensors, groups = _flatten_optimizer(optimizer)
    rng_tensors, rng = _rng_state()
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    hashes = {}
    try:
        temporary.mkdir(parents=True)
        for name, part in zip(_PARTS, (weights, tensors, rng_tensors), strict=True):
            data = save(part)
            hashes[name] = hashlib.sha256(data).hexdigest()
            (temporary / f"{name}.safetensors").write_bytes(data)
        text = json.dumps({**state, "schema": SCHEMA, "optimizer": groups, "rng": rng, "sha256": hashes}, indent=1)
        (temporary / STATE_FILE).write_text(text)
        for path in [*temporary.iterdir(), temporary]:
            fsync(path)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        fsync(folder.parent)
    finally:  # of a full disk: what was written would take the room of the next try
        shutil.rmtree(temporary, ignore_errors=True)


def load_checkpoint(
    folder: Path, kind: type[CheckpointState] = CheckpointState, parts: Collection[str] = _PARTS
) -> Checkpoint:
    """Read a checkpoint.

    :param kind: what its state must have
    :param parts: those of `model`, `optimizer` and `rng` that are read; the optimizer has twice the size of the model
    :raises CheckpointError: where files are missing, damaged, or of another schema
    """
    state = load_state(folder, kind)
    files = {name: folder / f"{name}.safetensors" for name in parts}
    read = {name: read_tensors(path, state["sha256"][name], CheckpointError, _REMEDY) for name, path in files.items()}
    return Checkpoint(read.get("model", {}), read.get("optimizer", {}), read.get("rng", {}), state)


def load_state(folder: Path, kind: type[CheckpointState] = CheckpointState) -> dict[str, Any]:
    """Read the state of a checkpoint without its tensors; arguments and errors as of `load_checkpoint`."""
    missing = f"expected a checkpoint at {folder}, but {STATE_FILE} is not there"
    state = read_json(folder / STATE_FILE, kind, CheckpointError, _REMEDY, missing)
    if state["schema"] != SCHEMA:
        raise CheckpointError(f"expected checkpoint schema {SCHEMA} at {folder}, but got {state['schema']}")
    if kind is PhaseState:
        _check_epoch(folder, cast(PhaseState, state))
    return dict(state)


def _check_epoch(folder: Path, state: PhaseState) -> None:
    epoch, rows = state["epoch"], len(state["history"])
    if rows != epoch or folder.name != epoch_folder(folder, epoch).name:
        raise CheckpointError(
            f"expected the checkpoint at {folder} to be of its epoch, with a row of history for each, but it is of "
            f"epoch {epoch} with {rows} rows; {_REMEDY}"
        )


def check_fits(state: Mapping[str, Any], architecture: dict[str, Any], teacher: Mapping[str, Any]) -> None:
    """Check that the state of a checkpoint is for this architecture and this teacher.

    :raises CheckpointError: naming each part of the architecture that differs
    :raises TeacherError: for a teacher of another width or fingerprint
    """
    saved = state["teacher"]
    for key in ("embed_dim", "fingerprint"):
        if saved[key] != teacher[key]:
            raise TeacherError(
                f"the checkpoint was trained with a teacher whose {key} is {saved[key]}, but this teacher's is "
                f"{teacher[key]}; choose the same teacher, or train again in another folder"
            )
    differences = describe_differences(state["architecture"], architecture)
    if differences:
        raise CheckpointError(
            "the checkpoint is of another architecture (checkpoint / requested): " + "; ".join(differences)
        )


def describe_differences(saved: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> list[str]:
    """Return one line, `key: saved / wanted`, for each leaf in which two nested dictionaries differ."""
    lines = []
    for key in sorted({*saved, *wanted}):
        left, right = saved.get(key, "(none)"), wanted.get(key, "(none)")
        if isinstance(left, dict) and isinstance(right, dict):
            lines += describe_differences(left, right, f"{prefix}{key}.")
        elif left != right and isinstance(left, list) and isinstance(right, list) and len(left) + len(right) > _LONG:
            common = len([value for value in left if value in right])
            lines.append(f"{prefix}{key}: {len(left)} / {len(right)} values, {common} of them the same")
        elif left != right:
            lines.append(f"{prefix}{key}: {left} / {right}")
    return lines


def description_differences(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return one line for each source of descriptions whose texts differ, as `describe_differences`.

    :param saved: `descriptions` gives the origin of each source; without it nothing is compared
    :param wanted: likewise; a source that one of them lacks is a difference of settings
    """
    one, other = ({s: o["content"] for s, o in record.get("descriptions", {}).items()} for record in (saved, wanted))
    shared = one.keys() & other.keys()
    return describe_differences({s: one[s] for s in shared}, {s: other[s] for s in shared}, "descriptions.")


def restore(
    checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer, schedule: LRScheduler | None = None
) -> None:
    """Restore model, optimizer, schedule and the global random generators from a checkpoint.

    :raises CheckpointError: when one of them does not fit
    """
    restore_model(checkpoint, model)
    try:
        _restore_optimizer(checkpoint, optimizer)
        if schedule is not None:
            schedule.load_state_dict(dict(checkpoint.state["schedule"]))
        _restore_generators(checkpoint)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise CheckpointError(
            f"the checkpoint of epoch {checkpoint.state.get('epoch')} does not fit its optimizer, schedule or random "
            f"generators ({type(error).__name__}: {' '.join(str(error).split())[:200]}); delete its folder"
        ) from error


def _restore_optimizer(checkpoint: Checkpoint, optimizer: torch.optim.Optimizer) -> None:
    optimizer.load_state_dict(_unflatten_optimizer(checkpoint))
    for parameter, entries in optimizer.state.items():
        for key, value in entries.items():
            if not isinstance(value, Tensor) or not value.ndim:
                continue
            if value.shape != parameter.shape:
                raise ValueError(f"expected {key} of {list(parameter.shape)}, but got {list(value.shape)}")
            # Fused optimizers walk through memory: a state must lie there as its parameter does (channels last).
            entries[key] = torch.empty_like(parameter).copy_(value)


def _restore_generators(checkpoint: Checkpoint) -> None:
    rng = checkpoint.state["rng"]
    random.setstate((rng["python"][0], tuple(rng["python"][1]), rng["python"][2]))
    name, position, has_gauss, gauss = rng["numpy"]
    np.random.set_state((name, checkpoint.rng["numpy"].numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(checkpoint.rng["torch"])
    if torch.cuda.is_available() and "cuda" in checkpoint.rng:
        torch.cuda.set_rng_state(checkpoint.rng["cuda"])


def restore_model(checkpoint: Checkpoint, model: nn.Module) -> None:
    """Load the weights alone.

    :raises CheckpointError: naming the tensors that are missing, left over, or of another shape
    """
    try:
        model.load_state_dict(checkpoint.model)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:500]
        raise CheckpointError(f"the checkpoint's tensors do not fit the model: {reason}") from error


def copy_checkpoints(source: Path, root: Path, epochs: set[int]) -> None:
    """Copy the checkpoints of some epochs of a phase; files are hard links where both folders are on one disk.

    :param root: where they go; it appears with all of them or not at all
    """
    temporary = root.with_name(f".{root.name}.copy")
    shutil.rmtree(temporary, ignore_errors=True)
    for epoch in epochs:
        shutil.copytree(epoch_folder(source, epoch), epoch_folder(temporary, epoch), copy_function=_link_or_copy)
    shutil.rmtree(root, ignore_errors=True)
    temporary.rename(root)
    fsync(root.parent)


def prune(root: Path, retained: set[int]) -> None:
    """Delete the checkpoints of all epochs but these, and what a killed run left half written."""
    for epoch in saved_epochs(root):
        if epoch not in retained:
            shutil.rmtree(epoch_folder(root, epoch))
    for path in root.glob(".epoch_*"):
        shutil.rmtree(path)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _flatten_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split an optimizer's state into tensors, named `<parameter>.<key>`, and JSON values."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = {}
    for number, entries in state["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{key}"] = value.detach().cpu().contiguous()
            else:
                values[f"{number}.{key}"] = value
    return tensors, {"values": values, "groups": state["param_groups"]}


def _unflatten_optimizer(checkpoint: Checkpoint) -> dict[str, Any]:
    """Undo `_flatten_optimizer`."""
    saved = checkpoint.state["optimizer"]
    state: dict[int, dict[str, Any]] = {}
    for name, value in [*checkpoint.optimizer.items(), *saved["values"].items()]:
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = value
    return {"state": state, "param_groups": saved["groups"]}


def _rng_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the states of the global generators of python, numpy and torch."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {"numpy": torch.from_numpy(np.asarray(keys, np.int64)), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    return tensors, {"python": random.getstate(), "numpy": [str(name), position, has_gauss, gauss]}
