"""`pickclutter evaluate-policy`: variants of a policy on the same episodes, several side by side, and a report."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.errors import (
    CheckpointError,
    DatasetError,
    MismatchError,
    PickClutterError,
    rebuild_error,
)
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy
from pickclutter_lang.experiments.scenes.result import git_revision
from pickclutter_lang.experiments.scenes.scene_run import load_run_config
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.policy.bundle import CONFIG_FILE, TEXT_FILE, WEIGHTS_FILE
from pickclutter_lang.policy.evaluation.config import VARIANTS, PolicyEvalConfig
from pickclutter_lang.policy.evaluation.plots import ENDS_FILE, plot_outcomes
from pickclutter_lang.policy.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.policy.evaluation.rollout_metrics import summary, tables
from pickclutter_lang.policy.evaluation.videos import write_videos
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.processes import die_with_parent, dir_lock

EPISODES_FILE, RESULT_FILE, REPORT_FILE, EVAL_CONFIG_FILE = (
    "episodes.jsonl",
    "result.json",
    "report.md",
    "settings.json",
)
SCHEMA = 3
Result = dict[str, Any] | tuple[str, str]
"""What a worker sends: an episode, or name and text of an error."""
_FRESH = ".policies"
_PHASES = {"few_shot": "few_shot", "zero_shot": "distill"}


def evaluate_policy(config: PolicyEvalConfig) -> Path:
    """Play the episodes that are not yet played, write `result.json`, the report and the films; return the folder.

    :raises PickClutterError: what exporting, the environment and the judges raise; MismatchError when the folder
        holds episodes of other settings
    """
    load_run_config(EvaluateConfig(config.run, config.scenes, 1, "cpu"))  # there is a run
    torch.set_num_threads(1)  # as the workers, so that films end as their episodes did
    folder = Path(config.out)
    create_dir(folder)
    with dir_lock(folder):
        stage = _stage(config, folder)
        wanted = [(v, s) for s in range(config.seed, config.seed + config.episodes) for v in config.variants]
        episodes = _read(folder / EPISODES_FILE)
        left = [one for one in wanted if one not in episodes]
        revision = git_revision()
        for found in _play(stage, left, len(wanted), config.workers):
            episode = found | {"revision": revision}
            _append(folder / EPISODES_FILE, episode)
            episodes[episode["variant"], episode["seed"]] = episode
        played = [episodes[variant, seed] for variant, seed in sorted(wanted, key=lambda w: VARIANTS.index(w[0]))]
        _write(folder, config, played, [])  # whatever becomes of the films
        _write(folder, config, played, write_videos(stage, played, config.n_videos, config.n_filmstrips, folder))
    return folder


def _write(folder: Path, config: PolicyEvalConfig, played: Sequence[dict[str, Any]], videos: Sequence[str]) -> None:
    result = {
        "schema": SCHEMA,
        "settings": asdict(config),
        "revisions": sorted({str(episode["revision"]) for episode in played}),
        "variants": summary(played),
        "films": list(videos),
    }
    atomic_write(folder / RESULT_FILE, (json.dumps(result, indent=1) + "\n").encode())
    plot_outcomes(played, folder)
    atomic_write(folder / REPORT_FILE, _report(config, played, videos).encode())


def _stage(config: PolicyEvalConfig, folder: Path) -> RolloutConfig:
    """Export the student after both phases, and say where it acts.

    :raises MismatchError: before anything is replaced, when there are episodes of another student or environment
    """
    place = folder / "policies"
    for left in folder.glob(f"{_FRESH}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_FRESH, dir=folder) as fresh:
        for variant, phase in _PHASES.items():
            export_policy(PolicyExportConfig(config.run, phase, config.scenes, 1, str(Path(fresh) / variant)))
        _check_same(folder, config, Path(fresh))
        shutil.rmtree(place, ignore_errors=True)
        create_dir(place)
        for variant in _PHASES:
            (Path(fresh) / variant).replace(place / variant)
    policies = {variant: str(place / variant) for variant in _PHASES}
    return RolloutConfig(
        environment_id(config.objects),
        config.objects_root,
        config.split,
        config.absent_probability,
        config.control_mode,
        policies,
    )


def _check_same(folder: Path, config: PolicyEvalConfig, policies: Path) -> None:
    """Check that episodes that are there are of the same students and environment; note down what they are of."""
    own: dict[str, Any] = {
        key: getattr(config, key) for key in ("objects", "split", "absent_probability", "control_mode")
    }
    own["schema"] = SCHEMA
    own["meshes"] = load_object_set(config.objects, config.objects_root).fingerprint[:16]
    own |= {variant: _fingerprint(policies / variant) for variant in _PHASES}
    path = folder / EVAL_CONFIG_FILE
    if path.is_file():
        try:
            there = dict(json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(f"{path} is damaged ({error}); choose another out, or remove that folder") from error
        if there != own:
            differ = [f"{key}: {there.get(key)} / {own[key]}" for key in own if there.get(key) != own[key]]
            raise MismatchError(
                f"the episodes in {folder} are of another student or environment (there / now): {'; '.join(differ)}; "
                "choose another out, or remove that folder"
            )
    atomic_write(path, (json.dumps(own, indent=1) + "\n").encode())


def _fingerprint(policy: Path) -> str:
    """Return a hash of what a policy folder holds."""
    found = hashlib.sha256()
    for name in (CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE):
        found.update((policy / name).read_bytes())
    return found.hexdigest()[:16]


def _read(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the episodes that are there; a line that was cut off by the end of a process is played again."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    if not path.is_file():
        return found
    whole = []
    for line in path.read_text().splitlines():
        try:
            episode = json.loads(line)
        except ValueError:
            continue
        found[episode["variant"], episode["seed"]] = episode
        whole.append(line)
    atomic_write(path, "".join(f"{line}\n" for line in whole).encode())
    return found


def _append(path: Path, episode: dict[str, Any]) -> None:
    try:
        with path.open("a") as stream:
            stream.write(json.dumps(episode) + "\n")
    except OSError as error:
        raise DatasetError(
            f"cannot write {path}: {error.strerror}; mend that and run the same command again"
        ) from error


def _play(stage: RolloutConfig, left: Sequence[tuple[str, int]], total: int, workers: int) -> Iterator[dict[str, Any]]:
    """Yield what became of each episode, in the order in which they end."""
    if not left:
        return
    columns = TextColumn("episodes"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn()
    context = multiprocessing.get_context("spawn")  # a renderer does not survive a fork
    with (
        Progress(*columns) as progress,
        ProcessPoolExecutor(min(workers, len(left)), context, _initialize_worker, (stage, os.getpid())) as pool,
    ):
        task = progress.add_task("episodes", total=total, completed=total - len(left))
        futures: set[Future[Result]] = {pool.submit(_play_one, *one) for one in left}
        try:
            for episode in _results(futures):
                progress.advance(task)
                yield episode
        except BrokenProcessPool as error:
            raise DatasetError(
                "a worker ended unexpectedly; run the same command again to go on, with fewer workers if memory was "
                "short (pickclutter check-install checks the simulator)"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _results(futures: Iterable[Future[Result]]) -> Iterator[dict[str, Any]]:
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            found = future.result()
            if isinstance(found, tuple):
                raise rebuild_error(*found)
            yield found


_stage_of_worker: RolloutConfig | None = None
_runner: RolloutRunner | None = None


def _initialize_worker(stage: RolloutConfig, parent: int) -> None:
    """Begin a worker: it ends with its parent, which alone handles Ctrl-C, and computes with one thread."""
    global _stage_of_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    arrange = die_with_parent(parent)
    if arrange is not None:
        arrange()
    torch.set_num_threads(1)
    _stage_of_worker = stage


def _play_one(variant: str, seed: int) -> Result:
    """Play an episode, in a theatre that the worker opens at its first; a named error comes back as its two parts."""
    global _runner
    assert _stage_of_worker is not None
    try:
        _runner = _runner or RolloutRunner(_stage_of_worker)
        return _runner.rollout(variant, seed)
    except PickClutterError as error:
        return type(error).__name__, str(error)


def _report(config: PolicyEvalConfig, episodes: Sequence[dict[str, Any]], videos: Sequence[str]) -> str:
    """Return the report, Markdown."""
    lines = [
        "# Picking by name",
        f"{config.episodes} episodes a variant (seeds {config.seed} to {config.seed + config.episodes - 1}), "
        f"objects `{config.objects}`, split `{config.split}`, an absent object named with probability "
        f"{config.absent_probability}, control mode `{config.control_mode}`. "
        "Cells: percent (95% interval; episodes).",
        f"![How the episodes ended]({ENDS_FILE})",
        tables(episodes),
    ]
    revisions = {str(episode["revision"]) for episode in episodes}
    if len(revisions) > 1:
        lines.append(
            f"These episodes were played by {len(revisions)} revisions of the program: {', '.join(revisions)}."
        )
    for title, suffix in (("Films", ".gif"), ("Graspable, and not brought to the goal", ".png")):
        own = [f"![{name}]({name})" for name in videos if name.endswith(suffix)]
        if own:
            lines.append(f"## {title}\n\n" + "\n\n".join(own))
    return "\n\n".join(lines) + "\n"
