"""What golden values are made of: figures that hold on any machine, each to a tolerance. Nothing of the package."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

VALUES_FILE = Path(__file__).with_name("values.json")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?![\w.])")


@dataclass(frozen=True)
class Measure:
    """One golden value: figures, each with a tolerance that is a share of its size, or of 1; None must stay None."""

    figures: list[float | None]
    tolerance: float


Measures = dict[str, Measure]


def of_arrays(arrays: Iterable[Any], tolerance: float = 1e-3) -> Measure:
    """Measure arrays or tensors by content alone: neither their names nor their order count.

    Figures are how many arrays and numbers there are, the mean and the root of the mean square of what is finite; the
    tolerance is a share of the latter.
    """
    found = [np.asarray(one.detach() if isinstance(one, torch.Tensor) else one, np.float64).ravel() for one in arrays]
    numbers = np.concatenate(found)
    finite = numbers[np.isfinite(numbers)]
    mean = float(finite.mean())
    size = float(np.sqrt(np.mean(finite**2)))
    return Measure([len(found), len(numbers), mean, size], tolerance * min(1.0, size))


def of_figures(values: Iterable[float | None], tolerance: float = 1e-3) -> Measure:
    """Measure figures in their order."""
    return Measure([None if value is None else float(value) for value in values], tolerance)


def everywhere(values: Iterable[float | None]) -> Measure:
    """Measure figures that no machine may change."""
    return of_figures(values, 1e-9)


def of_tables(*texts: str, whole: bool = True) -> Measure:
    """Measure the numbers of tables, Markdown or CSV, whatever their labels say: not those within words (`X2`, `k10`).

    :param whole: keep all, in their order; otherwise a hash of them, in any order
    """
    is_page = any(text.startswith("#") for text in texts)
    rows = [line for text in texts for line in text.splitlines() if line.startswith("|") or not is_page]
    numbers = [float(found) for row in rows for found in _NUMBER.findall(row)]
    if whole:
        return everywhere(numbers)
    return of_content(_digest(" ".join(sorted(f"{number:.5g}" for number in numbers)).encode()))


def of_content(key: str) -> Measure:
    """Measure a hash that no machine may change, by its first digits."""
    return everywhere([int(key[:7], 16)])


def load_values() -> dict[str, Any]:
    """Return the recorded values: case -> revision (`recorded`), and case -> measure -> figures (`figures`)."""
    if not VALUES_FILE.is_file():
        return {"recorded": {}, "figures": {}}
    values: dict[str, Any] = json.loads(VALUES_FILE.read_text())
    return values


def save_values(values: Mapping[str, Any]) -> None:
    """Write values, a measure a line."""
    text = json.dumps(values, indent=1)
    VALUES_FILE.write_text(re.sub(r"\[[^\[\]{}\"]*\]", lambda found: " ".join(found[0].split()), text) + "\n")


def differences(found: Mapping[str, Measure], recorded: Mapping[str, list[float | None]]) -> list[str]:
    """Return a line for each measure of a case that is not as recorded."""
    lines = []
    if recorded.keys() != found.keys():
        lines.append(f"recorded are {sorted(recorded)}, found are {sorted(found)}")
    for name in recorded.keys() & found.keys():
        measure = found[name]
        away = _away(measure.figures, recorded[name])
        if not away <= measure.tolerance:
            lines.append(
                f"{name}: {away:.3g} away, more than {measure.tolerance:.3g}: {recorded[name]} / {measure.figures}"
            )
    return sorted(lines)


def _away(found: Sequence[float | None], wanted: Sequence[float | None]) -> float:
    if len(found) != len(wanted) or any((a is None) != (b is None) for a, b in zip(found, wanted, strict=True)):
        return float("inf")
    pairs = [(a, b) for a, b in zip(found, wanted, strict=True) if a is not None and b is not None]
    return max((abs(a - b) / max(1.0, abs(b)) for a, b in pairs), default=0.0)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]
