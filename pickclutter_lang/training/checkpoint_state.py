"""Content of the `state.json` of a checkpoint."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from pickclutter_lang.utils.json_files import Sha256

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


class _Schedule(TypedDict):
    last_epoch: int


class _Optimizer(TypedDict):
    values: dict[str, Any]
    groups: list[dict[str, Any]]


class _Random(TypedDict):
    python: tuple[int, list[int], float | None]
    numpy: tuple[str, int, int, float]


class _Written(TypedDict):
    schema: int
    optimizer: _Optimizer
    rng: _Random


class CheckpointState(_Written, total=False):
    """Content of every `state.json`; `sha256` is that of each file of tensors, which earlier versions lack."""

    sha256: dict[str, Sha256]


class PhaseState(CheckpointState):
    """Content of the `state.json` of a phase, after an epoch."""

    phase: str
    epoch: _Epoch
    labels: list[str]
    architecture: dict[str, Any]
    teacher: TeacherEntry
    schedule: _Schedule
    history: list[_ValidatedRow]
