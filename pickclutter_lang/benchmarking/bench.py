"""Measures rows in turn, keeps them in one JSON file, and shows them as a table."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from pickclutter_lang.benchmarking.config import BenchConfig
from pickclutter_lang.benchmarking.inputs import BenchInputs
from pickclutter_lang.benchmarking.measure import Pair, measure
from pickclutter_lang.benchmarking.report import SCHEMA, BenchReport, MeasuredRow, read_report
from pickclutter_lang.benchmarking.rows import ROWS, chosen_rows
from pickclutter_lang.errors import MismatchError, MissingAssetsError, MissingExtraError, RendererError
from pickclutter_lang.experiments.result import git_revision
from pickclutter_lang.policy.manifest import policy_folder, read_manifest
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.versions import installed_version

_MODULES = {
    "decision": "decisions",
    "closeups": "decisions",
    "student": "networks",
    "teacher": "networks",
    "step": "networks",
    "scenes": "simulator",
    "env": "simulator",
    "start": "processes",
}
"""Topic of a row -> the module that makes what it measures."""
_PACKAGES = ("pickclutter-lang", "torch", "onnxruntime", "numpy", "scikit-image", "open_clip_torch", "sapien")
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
"""Instructions of which the speed of networks depends."""


def bench(config: BenchConfig) -> BenchReport:
    """Measure the rows that the file lacks, and return all that it then has.

    What a row needs and is not there, an extra, a renderer or objects, is the reason why it is skipped; such a row is
    tried again by the next call.

    :raises MismatchError: when the file is of another machine, revision or other settings, without `anew`
    :raises InvalidArgumentError, CheckpointError: for settings or a policy that are wrong
    :raises DatasetError, LockedError: when the file cannot be read or written
    """
    out = Path(config.out)
    create_dir(out.parent)
    torch.set_num_threads(config.num_threads)
    with file_lock(out):
        report, names = _opened(out, config), chosen_rows(config.only)
        todo = [name for name in names if config.anew or name not in report.rows or report.rows[name].skipped]
        with tempfile.TemporaryDirectory() as folder, ProgressBar("turns", len(todo) * config.repeats) as bar:
            inputs = BenchInputs(config, Path(folder))
            for name in todo:
                bar.note(name)
                before = bar.completed
                report.rows[name] = _measured(name, inputs, bar)
                bar.advance(before + config.repeats - bar.completed)
                atomic_write(out, json.dumps(asdict(report), indent=1).encode())
    return report


def maker(name: str) -> Callable[[BenchInputs], Pair]:
    """Return what makes the pair of a row."""
    module = import_module(f"pickclutter_lang.benchmarking.{_MODULES[name.partition('/')[0]]}")
    found: Callable[[BenchInputs], Pair] = module.MAKERS[name]
    return found


def _measured(name: str, inputs: BenchInputs, bar: ProgressBar) -> MeasuredRow:
    """Measure a row, or say why it is skipped."""
    row = ROWS[name]
    try:
        pair = maker(name)(inputs)
        try:
            found = measure(pair, row.ratio, inputs.config.repeats, bar.advance)
        finally:
            pair.close()
    except (MissingExtraError, MissingAssetsError, RendererError) as error:
        return MeasuredRow(row.title, row.reference, row.ratio, None, skipped=str(error))
    return MeasuredRow(row.title, row.reference, row.ratio, found, skipped=None)


def _opened(out: Path, config: BenchConfig) -> BenchReport:
    """Return the rows that are kept, with what they were measured on."""
    fresh = BenchReport(SCHEMA, _settings(config), _machine(), _versions(), git_revision(), {})
    if not out.exists():
        return fresh
    kept = read_report(out)
    now, then = ({**asdict(one), "rows": {}} for one in (fresh, kept))
    different = [f"{part} {_difference(then[part], now[part])}" for part in now if then[part] != now[part]]
    if not different:
        return kept
    if not config.anew or {*kept.rows} - {*chosen_rows(config.only)}:
        raise MismatchError(
            f"expected rows in {out} that were measured as these are, but they have {'; '.join(different)[:300]}; name "
            "another file in out, or measure all its rows anew: anew=true without only"
        )
    return fresh


def _difference(then: Any, now: Any) -> str:
    """Return where two values differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = [key for key in now if then.get(key) != now[key]]
        return ", ".join(f"{key}={then.get(key)!r} (now {now[key]!r})" for key in keys)
    return f"{then!r} (now {now!r})"


def _settings(config: BenchConfig) -> dict[str, Any]:
    """Return what the numbers depend on; a policy by what its folder holds.

    :raises CheckpointError: for a policy that is missing or damaged
    """
    policy = None if config.policy is None else dict(read_manifest(policy_folder(config.policy)).sha256)
    return {
        "repeats": config.repeats,
        "num_threads": config.num_threads,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
        "policy": policy,
        "objects": config.objects,
        "clip": config.clip,
    }


def _machine() -> dict[str, Any]:
    """Return the CPU: its model, the instructions that matter, cores there are and those that this process may use."""
    found: dict[str, str] = {}
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.is_file() else ():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return {
        "cpu": found.get("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in _FLAGS if flag in found.get("flags", "").split()],
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _versions() -> dict[str, str | None]:
    """Return the versions of the packages that the numbers depend on; None of one that is missing."""
    return {name: installed_version(name) for name in _PACKAGES}
