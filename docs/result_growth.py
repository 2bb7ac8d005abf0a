"""How costs grow with the number of scenes, from a file of `scripts/profiling/growth.py`; and what follows for more."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

from result_data import DATA, markdown, source_of, wrapped_point

from pickclutter_lang.utils.json_files import MAX_JSON_BYTES

_MEMORY_MB = 64_000
"""Memory of the machine that a forecast asks about."""


class Size(NamedTuple):
    """What it took to make a store by the simulator, of copies, to train on it, to open and to read; None: not done."""

    scenes: int
    collected: dict[str, Any] | None
    copied: dict[str, Any] | None
    trained: dict[str, Any] | None
    opened: dict[str, float]


def sizes_of(name: str) -> list[Size]:
    """Return the stores of a file, by their number of scenes."""
    source_of(name)
    stores = json.loads((DATA / f"{name}.json").read_text())["stores"]
    sizes = [
        Size(
            scenes=int(scenes),
            collected=parts.get("collect"),
            copied=parts.get("repeat"),
            trained=parts.get("train"),
            opened=_reading(parts["read"]),
        )
        for scenes, parts in stores.items()
    ]
    return sorted(sizes, key=lambda size: size.scenes)


def _reading(processes: list[dict[str, Any]]) -> dict[str, float]:
    """Return the medians over the processes that opened and read a store."""
    found = {
        "open_seconds": [one["open_seconds"] for one in processes],
        "first_reads": [one["reads_per_second"][0] for one in processes],
        "further_reads": [one["reads_per_second"][1] for one in processes],
        "imported_mb": [one["peak_mb"][0] for one in processes],
        "opened_mb": [one["peak_mb"][1] for one in processes],
        "read_mb": [one["peak_mb"][2] for one in processes],
    }
    return {key: statistics.median(values) for key, values in found.items()}


def growth_writing(name: str) -> str:
    """Return what it took to write stores; the slopes are those from the store of the same kind above."""
    header = ("scenes", "by", "CPU s", "per 1,000 more", "peak MB, command", "peak MB, worker", "MB on disk")
    lines = []
    for words, cost, of in (("simulator", _collecting, _collected), ("copies", _copying, _copied)):
        before: Size | None = None
        for size in sizes_of(name):
            if made := of(size):
                memory = f"{made['peak_mb']:.0f}", f"{made['children_peak_mb'][0]:.0f}"
                cells = f"{size.scenes:,}", words, f"{cost(size):.0f}", _slope_cell(before, size, cost), *memory
                lines.append((*cells, f"{made['bytes'] / 1e6:,.0f}"))
                before = size
    return markdown(header, lines)


def growth_training(name: str) -> str:
    """Return what an epoch took; the slopes are those from the row above."""
    header = ("scenes", "CPU s", "per 1,000 more", "of it to open the stores", "peak MB")
    lines, before = [], None
    for size in sizes_of(name):
        if size.trained is not None:
            opening = size.trained["opened"][0] - size.trained["imported"][0]
            cells = f"{size.scenes:,}", f"{_training(size):.0f}", _slope_cell(before, size, _training), f"{opening:.1f}"
            lines.append((*cells, f"{_memory(size):,.0f}"))
            before = size
    return markdown(header, lines)


def growth_reading(name: str) -> str:
    """Return how long each store takes to open, and how many images by random index are read in a second."""
    header = (
        "scenes", "shards", "manifest, MB", "opening, s", "first reads a second", "further reads a second",
        "memory for the manifest, MB", "and after reading, MB",
    )  # fmt: skip
    lines = []
    for size in sizes_of(name):
        made, opened = _collected(size) or _copied(size), size.opened
        lines.append(
            (
                f"{size.scenes:,}",
                f"{made['shards']:,}",
                f"{made['manifest_bytes'] / 1e6:.2f}",
                f"{opened['open_seconds']:.3f}",
                f"{opened['first_reads']:,.0f}",
                f"{opened['further_reads']:,.0f}",
                f"{opened['opened_mb'] - opened['imported_mb']:.0f}",
                f"{opened['read_mb'] - opened['imported_mb']:.0f}",
            )
        )
    return markdown(header, lines)


def growth_forecast(name: str, scenes: str) -> str:
    """Return what a store of so many scenes costs, by the slopes between the two largest sizes of each kind."""
    count, sizes = int(scenes), sizes_of(name)
    collected = [size for size in sizes if size.collected][-2:]
    trained = [size for size in sizes if size.trained is not None][-2:]
    largest, made = sizes[-1], _copied(sizes[-1]) or _collected(sizes[-1])
    shard_size = largest.scenes / made["shards"]
    opened = largest.opened["open_seconds"] * count / largest.scenes
    reading = count / largest.opened["first_reads"] / 3600
    limits = {
        _MEMORY_MB / _slope(*trained, _memory): f"A training needs {_MEMORY_MB / 1000:.0f} GB of memory",
        MAX_JSON_BYTES * largest.scenes / made["manifest_bytes"]: f"`manifest.json` reaches the "
        f"{MAX_JSON_BYTES / 2**20:.0f} MiB that a reader takes",
    }
    facts = [
        f"**Where it lies**: in one folder, {count * _slope(*collected, _bytes) / 1e9:.0f} GB in "
        f"{count / shard_size:,.0f} files of {shard_size:.0f} scenes.",
        f"**What it costs**: {count * _slope(*collected, _collecting) / 3600:.0f} core hours to collect, "
        f"{count * _slope(*trained, _training) / 3600:.0f} for an epoch, {opened:.0f} s to open. "
        f"One process reads each image by random index in {reading:.0f} hours.",
        "**What breaks first**: "
        + " ".join(f"{words} at {at / 1e6:.0f} million scenes." for at, words in sorted(limits.items())),
    ]
    return "\n".join(map(wrapped_point, facts))


def _collected(size: Size) -> dict[str, Any]:
    return size.collected or {}


def _copied(size: Size) -> dict[str, Any]:
    return size.copied or {}


def _collecting(size: Size) -> float:
    return float(_collected(size)["cpu_seconds"])


def _copying(size: Size) -> float:
    return float(_copied(size)["cpu_seconds"])


def _bytes(size: Size) -> float:
    return float(_collected(size)["bytes"])


def _training(size: Size) -> float:
    return float((size.trained or {})["cpu_seconds"])


def _memory(size: Size) -> float:
    return float((size.trained or {})["trained"][1])


def _slope(before: Size, size: Size, cost: Callable[[Size], float]) -> float:
    return (cost(size) - cost(before)) / (size.scenes - before.scenes)


def _slope_cell(before: Size | None, size: Size, cost: Callable[[Size], float]) -> str:
    return "" if before is None else f"{1000 * _slope(before, size, cost):.1f}"
