"""Makes one shard of a scene store in a worker process, from a source of scenes such as the simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from pickclutter_lang.datasets.scenes import Manifest, ShardEntry, write_shard
from pickclutter_lang.utils.worker_pool import TaskFunction


class SceneSource(Protocol):
    """What makes scenes: the same scene for the same arguments, whatever it made before."""

    def generate(self, seed: int, split: str, index: int) -> Mapping[str, Any]:
        """Return the row of the store for the scene of (seed, split, index)."""
        ...


SourceFactory = Callable[[], SceneSource]


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker has to know: how scenes are made, and the folder and manifest of their store."""

    make_source: SourceFactory
    folder: Path
    manifest: Manifest


def make_shard_function(spec: WorkerSpec) -> TaskFunction[int, ShardEntry]:
    """Return what makes and writes the shard of a number; a step is a scene."""
    return partial(_make_shard, spec, spec.make_source())


def _make_shard(spec: WorkerSpec, source: SceneSource, number: int, step: Callable[[], None]) -> ShardEntry:
    manifest = spec.manifest
    rows = []
    for index in manifest.shard_range(number):
        rows.append(source.generate(manifest.seed or 0, manifest.split, index))
        step()
    return write_shard(spec.folder, number, rows, manifest.layout)
