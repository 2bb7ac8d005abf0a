"""What golden values are made of: hashes of content, and figures that hold on any machine. Nothing of the package."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import struct
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
    """One golden value.

    :param near: compared everywhere, each to `tolerance` times the larger of 1 and its size; None must stay None
    :param exact: a hash, compared where the values of this class of machines are recorded; None: `near` says it all
    """

    near: list[float | None]
    tolerance: float
    exact: str | None = None


Measures = dict[str, Measure]


def of_arrays(arrays: Iterable[Any], tolerance: float = 1e-3) -> Measure:
    """Measure arrays or tensors by content alone: neither their names nor their order count.

    Near are how many arrays and numbers there are, the mean and the root of the mean square of what is finite; the
    tolerance is a share of the latter.
    """
    found = [np.ascontiguousarray(one.detach() if isinstance(one, torch.Tensor) else one) for one in arrays]
    hashes = sorted(_digest(f"{a.dtype.str} {a.shape}\n".encode() + a.tobytes()) for a in found)
    numbers = np.concatenate([a.astype(np.float64).ravel() for a in found])
    finite = numbers[np.isfinite(numbers)]
    mean, size = float(finite.mean()), float(np.sqrt(np.mean(finite**2)))
    return Measure(
        [len(found), len(numbers), mean, size], tolerance * min(1.0, size), _digest("\n".join(hashes).encode())
    )


def of_figures(values: Iterable[float | None], tolerance: float = 1e-3) -> Measure:
    """Measure figures in their order."""
    figures = [None if value is None else float(value) for value in values]
    packed = b"".join(b"none" if value is None else struct.pack("<d", value) for value in figures)
    return Measure(figures, tolerance, _digest(packed))


def of_choices(arrays: Iterable[Any]) -> Measure:
    """Measure what may tip over on another machine, such as masks: only how many arrays there are holds there."""
    found = of_arrays(arrays)
    return Measure(found.near[:1], 0.0, found.exact)


def everywhere(values: Iterable[float | None]) -> Measure:
    """Measure figures that no machine may change."""
    return Measure([None if value is None else float(value) for value in values], 1e-9)


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


def machine(renders: bool) -> str:
    """Return the class of machines with equal bits: processor's maker and instructions, torch; and the renderer."""
    flags, vendor = _processor()
    features = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if name in flags]
    capability = torch.backends.cpu.get_cpu_capability()
    parts = [platform.machine(), vendor, capability, *features, f"torch {torch.__version__}", f"numpy {np.__version__}"]
    return ", ".join([*parts, _renderer()] if renders else parts)


def load_values() -> dict[str, Any]:
    """Return the recorded values: case -> revision (`recorded`), and case -> measure -> value (`near`, and `exact` by
    class of machines).
    """
    if not VALUES_FILE.is_file():
        return {"recorded": {}, "near": {}, "exact": {}}
    values: dict[str, Any] = json.loads(VALUES_FILE.read_text())
    return values


def save_values(values: Mapping[str, Any]) -> None:
    """Write values, a measure a line."""
    text = json.dumps(values, indent=1)
    VALUES_FILE.write_text(re.sub(r"\[[^\[\]{}\"]*\]", lambda found: " ".join(found[0].split()), text) + "\n")


def differences(case: str, found: Mapping[str, Measure], values: Mapping[str, Any], machine_class: str) -> list[str]:
    """Return a line for each measure of a case that is not as recorded."""
    near, exact = values["near"][case], values["exact"].get(machine_class, {}).get(case, {})
    near = values.get("near_of_class", {}).get(machine_class, {}).get(case, near)
    lines = []
    if near.keys() != found.keys():
        lines.append(f"recorded are {sorted(near)}, found are {sorted(found)}")
    for name in near.keys() & found.keys():
        measure = found[name]
        away = _away(measure.near, near[name])
        if away > measure.tolerance:
            lines.append(f"{name}: {away:.3g} away, more than {measure.tolerance}: {near[name]} / {measure.near}")
        if name in exact and exact[name] != measure.exact:
            lines.append(f"{name}: not the same bits ({away:.3g} away)")
    return sorted(lines)


def _away(found: Sequence[float | None], wanted: Sequence[float | None]) -> float:
    if len(found) != len(wanted) or any((a is None) != (b is None) for a, b in zip(found, wanted, strict=True)):
        return float("inf")
    pairs = [(a, b) for a, b in zip(found, wanted, strict=True) if a is not None and b is not None]
    return max((abs(a - b) / max(1.0, abs(b)) for a, b in pairs), default=0.0)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def _processor() -> tuple[set[str], str]:
    """Return the flags and the maker of the processor, as Linux names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set(), platform.processor()
    rows = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return set(rows.get("flags", "").split()), rows.get("vendor_id", "")


def _renderer() -> str:
    """Name Mesa's software driver by its content; a GPU renders as no other does."""
    drivers = sorted(Path("/usr/lib").glob("*/libvulkan_lvp.so"))
    if not drivers or Path("/dev/nvidiactl").exists() or any(Path("/dev/dri").glob("renderD*")):
        return "another renderer"
    return f"lavapipe {_digest(drivers[0].read_bytes())[:12]}"
