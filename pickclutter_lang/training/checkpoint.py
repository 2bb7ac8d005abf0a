"""Checkpoints without pickle: tensors as safetensors, everything else as JSON, each folder written atomically.

`ROOT/epoch_0007/` holds `model.safetensors`, `optimizer.safetensors`, `rng.safetensors`, `state.json`, and the hashes
of these in `hashes.json`. The folder is written under a temporary name, synced and renamed, so the last one is always
complete; a run keeps its last and its best epoch.
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
from typing import Annotated, Any, cast

import numpy as np
import torch
from msgspec import Meta
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from typing_extensions import NotRequired, TypedDict

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.utils.io import fsync
from pickclutter_lang.utils.reading import (
    Sha256,
    damage_of,
    describe_differences,
    parse_json,
    read_bytes,
    read_json,
    read_tensors,
)

STATE_FILE, _HASHES_FILE = "state.json", "hashes.json"
_PARTS = ("model", "optimizer", "rng")
_REMEDY = "delete that folder and train again, which resumes from the checkpoint before, if there is one"

_Epoch = Annotated[int, Meta(ge=1, le=10**6)]


class _Hashes(TypedDict):
    """Content of every `hashes.json`: the sha256 of each other file."""

    model: Sha256
    optimizer: Sha256
    rng: Sha256
    state: Sha256


class HistoryRow(TypedDict):
    """An epoch of a phase; it has the losses too."""

    phase: str
    epoch: _Epoch
    seconds: float
    validation: NotRequired[dict[str, float | None]]


class PhaseState(TypedDict):
    """Content of the `state.json` of a phase, after an epoch; no tensors of the optimizer and of random generators."""

    optimizer: list[dict[str, Any]]
    rng: dict[str, Any]
    phase: str
    epoch: _Epoch
    schedule: dict[str, Any]
    history: list[HistoryRow]


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint folder. `state` is JSON: epoch, schedule, history.

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

    :param state: JSON values to save with it; the keys `optimizer` and `rng` are added
    """
    saved, (rng_tensors, rng) = optimizer.state_dict(), _rng_state()
    moments = {f"{n}.{key}": value for n, entries in saved["state"].items() for key, value in entries.items()}
    parts = [_on_cpu(model.state_dict()), _on_cpu(moments), rng_tensors]
    files = {f"{name}.safetensors": save(part) for name, part in zip(_PARTS, parts, strict=True)}
    files[STATE_FILE] = json.dumps({**state, "optimizer": saved["param_groups"], "rng": rng}, indent=1).encode()
    hashes = {name.partition(".")[0]: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[_HASHES_FILE] = json.dumps(hashes, indent=1).encode()
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        for path in [*temporary.iterdir(), temporary]:
            fsync(path)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        fsync(folder.parent)
    finally:  # of a full disk: what was written would take the room of the next try
        shutil.rmtree(temporary, ignore_errors=True)


def _on_cpu(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors among some values."""
    return {k: v.detach().cpu().contiguous() for k, v in tensors.items() if isinstance(v, Tensor)}


def load_checkpoint(folder: Path, parts: Collection[str] = _PARTS) -> Checkpoint:
    """Read a checkpoint.

    :param parts: those of `model`, `optimizer` and `rng` that are read; the optimizer has twice the size of the model
    :raises CheckpointError: where files are missing, damaged, or of another version
    """
    state = load_state(folder)
    hashes = cast(dict[str, str], _read_hashes(folder))
    files = {name: folder / f"{name}.safetensors" for name in parts}
    read = {name: read_tensors(path, hashes[name], CheckpointError, _REMEDY) for name, path in files.items()}
    return Checkpoint(read.get("model", {}), read.get("optimizer", {}), read.get("rng", {}), state)


def load_state(folder: Path) -> dict[str, Any]:
    """Read the state of a checkpoint without its tensors; arguments and errors as of `load_checkpoint`."""
    path = folder / STATE_FILE
    data = read_bytes(path, _read_hashes(folder)["state"], CheckpointError, _REMEDY)
    with damage_of(path, CheckpointError, _REMEDY):
        return dict(parse_json(data, PhaseState))


def _read_hashes(folder: Path) -> _Hashes:
    missing = f"expected a checkpoint at {folder}, but {_HASHES_FILE} is not there; {_REMEDY}"
    return read_json(folder / _HASHES_FILE, _Hashes, CheckpointError, _REMEDY, missing)


def description_differences(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return one line for each source of descriptions whose texts differ, as `describe_differences`.

    :param saved: `descriptions` gives the origin of each source; without it nothing is compared
    :param wanted: likewise; a source that one of them lacks is a difference of settings
    """
    one, other = ({s: o["content"] for s, o in record.get("descriptions", {}).items()} for record in (saved, wanted))
    contents = ({"descriptions": {s: of[s] for s in one.keys() & other.keys()}} for of in (one, other))
    return describe_differences(*contents)


def restore(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer, schedule: LRScheduler) -> None:
    """Restore model, optimizer, schedule and the global random generators from a checkpoint.

    :raises CheckpointError: when one of them does not fit
    """
    restore_model(checkpoint, model)
    try:
        _restore_optimizer(checkpoint, optimizer)
        schedule.load_state_dict(checkpoint.state["schedule"])
        _restore_generators(checkpoint)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise CheckpointError(
            f"the checkpoint of epoch {checkpoint.state.get('epoch')} does not fit its optimizer, schedule or random "
            f"generators ({type(error).__name__}: {' '.join(str(error).split())[:200]}); delete its folder"
        ) from error


def _restore_optimizer(checkpoint: Checkpoint, optimizer: torch.optim.Optimizer) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in checkpoint.optimizer.items():
        number, key = name.split(".", 1)
        moments.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": moments, "param_groups": checkpoint.state["optimizer"]})
    for parameter, entries in optimizer.state.items():
        for key, value in entries.items():
            if value.ndim:  # fused optimizers walk through memory: it must lie there as the parameter (channels last)
                entries[key] = torch.empty_like(parameter).copy_(value)


def _rng_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the states of the global generators of python, numpy and torch."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {"numpy": torch.from_numpy(np.asarray(keys, np.int64)), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    return tensors, {"python": random.getstate(), "numpy": [str(name), position, has_gauss, gauss]}


def _restore_generators(checkpoint: Checkpoint) -> None:
    rng = checkpoint.state["rng"]
    random.setstate((rng["python"][0], tuple(rng["python"][1]), rng["python"][2]))
    name, position, has_gauss, gauss = rng["numpy"]
    np.random.set_state((name, checkpoint.rng["numpy"].numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(checkpoint.rng["torch"])
    if torch.cuda.is_available() and "cuda" in checkpoint.rng:
        torch.cuda.set_rng_state(checkpoint.rng["cuda"])


def restore_model(checkpoint: Checkpoint, model: nn.Module) -> None:
    """Load only the weights.

    :raises CheckpointError: naming the tensors that are missing, left over, or of another shape
    """
    try:
        model.load_state_dict(checkpoint.model)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:500]
        raise CheckpointError(f"the checkpoint's tensors do not fit the model: {reason}") from error


def copy_checkpoints(source: Path, root: Path, epochs: set[int]) -> None:
    """Copy the checkpoints of some epochs of a phase.

    :param root: where they go; it appears with all of them or not at all
    """
    temporary = root.with_name(f".{root.name}.copy")
    shutil.rmtree(temporary, ignore_errors=True)
    for epoch in epochs:
        shutil.copytree(epoch_folder(source, epoch), epoch_folder(temporary, epoch))
    shutil.rmtree(root, ignore_errors=True)
    temporary.rename(root)
    fsync(root.parent)


def prune(root: Path, retained: set[int]) -> None:
    """Delete the checkpoints of all epochs but these, and what a killed run left half written."""
    for epoch in {*saved_epochs(root)} - retained:
        shutil.rmtree(epoch_folder(root, epoch))
    for path in root.glob(".epoch_*"):
        shutil.rmtree(path)
