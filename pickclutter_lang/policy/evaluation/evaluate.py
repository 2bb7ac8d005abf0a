"""`pickclutter evaluate-policy`: variants of a policy on the same episodes, in parallel, and a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.result import git_revision
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.scene_run import load_run_config
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.policy.bundle import load_config
from pickclutter_lang.policy.evaluation.config import VARIANTS, PolicyEvalConfig
from pickclutter_lang.policy.evaluation.episode_log import EpisodeLog
from pickclutter_lang.policy.evaluation.plots import OUTCOMES_FILE, plot_outcomes
from pickclutter_lang.policy.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.policy.evaluation.rollout_metrics import summary, tables
from pickclutter_lang.policy.evaluation.student_folders import PHASES, check_same, export_students, save_identity
from pickclutter_lang.policy.evaluation.videos import write_videos
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.plugins import is_plugin
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.worker_pool import TaskFunction, WorkerPool

EPISODES_FILE, RESULT_FILE, REPORT_FILE = "episodes.jsonl", "result.json", "report.md"
SCHEMA = 4
Episode = tuple[str, int]
"""Variant and seed."""


def evaluate_policy(config: PolicyEvalConfig) -> Path:
    """Run the episodes that are missing, write `result.json`, the report and the videos; return the folder.

    :raises PickClutterError: what exporting, the environment and the detectors raise; MismatchError when the folder
        holds episodes of other settings; LockedError when another evaluation is at work in it; WorkerError when the
        worker of one episode died again and again
    """
    if config.run is not None:
        load_run_config(EvaluateConfig(config.run, config.scenes, 1, "cpu"))  # there is a run
    torch.set_num_threads(1)  # as in the workers, so that videos end as their episodes did
    folder = Path(config.out or Path(config.run or str(config.policy)) / "evaluation")
    create_dir(folder)
    with dir_lock(folder):
        rollouts, identity = _rollout_config(config, folder)
        variants = _variants(config, rollouts)
        requested = [(variant, config.seed + n) for variant in variants for n in range(config.episodes)]
        log = EpisodeLog(folder / EPISODES_FILE)
        _run_missing(rollouts, requested, log, config.workers, partial(save_identity, folder, identity))
        episodes = [log.episodes[one] for one in requested]
        _write(folder, config, episodes, [])  # whatever becomes of the videos
        _write(folder, config, episodes, write_videos(rollouts, episodes, config.n_videos, config.n_filmstrips, folder))
    return folder


def _rollout_config(config: PolicyEvalConfig, folder: Path) -> tuple[RolloutConfig, dict[str, Any]]:
    """Return how episodes are run, and what they are of, which the episodes that are there are too."""
    comparable: dict[str, Any] = {
        key: getattr(config, key) for key in ("objects", "split", "absent_probability", "control_mode")
    }
    comparable["schema"] = SCHEMA
    if config.proposer is not None:  # logs without the key are of the package's proposer
        comparable["proposer"] = config.proposer
    comparable["meshes"] = load_object_set(config.objects, config.objects_root).fingerprint[:16]
    if config.run is not None:
        policies = export_students(config.run, config.scenes, folder, comparable)
    else:
        phase = load_config(str(config.policy)).student.phase
        policies = {variant: str(config.policy) for variant, of in PHASES.items() if of == phase}
    identity = check_same(folder, comparable, policies)
    rollouts = RolloutConfig(
        environment_id(config.objects),
        config.objects_root,
        config.split,
        config.absent_probability,
        config.control_mode,
        policies,
        config.trust_code or config.run is not None,
        config.proposer,
    )
    return rollouts, identity


def _variants(config: PolicyEvalConfig, rollouts: RolloutConfig) -> list[str]:
    """Return the variants in the order of `VARIANTS`, those from outside last.

    :raises InvalidArgumentError: when there is no student of one
    """
    available = [variant for variant in VARIANTS if variant not in PHASES or variant in rollouts.policies]
    available += [variant for variant in config.variants or () if is_plugin(variant)]
    lacking = sorted(set(config.variants or ()) - set(available))
    if lacking:
        raise InvalidArgumentError(
            f"expected variants out of {', '.join(available)}, since {config.policy} holds the student of one phase, "
            f"but got {', '.join(lacking)}; give run= instead of policy="
        )
    return [variant for variant in available if config.variants is None or variant in config.variants]


def _run_missing(
    rollouts: RolloutConfig,
    requested: Sequence[Episode],
    log: EpisodeLog,
    workers: int,
    before_first: Callable[[], None],
) -> None:
    """Run and log the episodes that are missing; `before_first` is called before any is logged."""
    # By seed: all variants of an episode are run before the next, so that what is there can be compared at any time.
    missing = sorted((one for one in requested if one not in log.episodes), key=lambda one: one[1])
    if not missing:
        return
    revision = git_revision()
    with ProgressBar("episodes", len(requested), len(requested) - len(missing)) as bar:
        pool: WorkerPool[Episode, dict[str, Any]] = WorkerPool(
            partial(make_rollout_function, rollouts),
            min(workers, len(missing)),
            lambda one: f"the episode of seed {one[1]} with {one[0]}",
            on_retry=bar.print,
        )
        with pool:
            for number, (_, episode) in enumerate(pool.imap_unordered(missing)):
                if number == 0:  # settings that cannot run an episode leave nothing behind
                    before_first()
                log.append(episode | {"revision": revision})
                bar.advance()


def make_rollout_function(config: RolloutConfig) -> TaskFunction[Episode, dict[str, Any]]:
    """Prepare a worker process: return the function that runs an episode, in an environment built at the first one."""
    torch.set_num_threads(1)
    runner = RolloutRunner(config)

    def rollout(episode: Episode, step: Callable[[], None]) -> dict[str, Any]:
        return runner.rollout(*episode)

    return rollout


def _write(folder: Path, config: PolicyEvalConfig, episodes: Sequence[dict[str, Any]], videos: Sequence[str]) -> None:
    result = {
        "schema": SCHEMA,
        "config": asdict(config),
        "revisions": sorted({str(episode["revision"]) for episode in episodes}),
        "variants": summary(episodes),
        "videos": list(videos),
    }
    atomic_write(folder / RESULT_FILE, (json.dumps(result, indent=1) + "\n").encode())
    plot_outcomes(episodes, folder)
    atomic_write(folder / REPORT_FILE, _report(config, episodes, videos).encode())


def _report(config: PolicyEvalConfig, episodes: Sequence[dict[str, Any]], videos: Sequence[str]) -> str:
    """Return the report, Markdown."""
    parts = [
        "# Picking by name",
        f"{config.episodes} episodes a variant (seeds {config.seed} to {config.seed + config.episodes - 1}), "
        f"objects `{config.objects}`, split `{config.split}`, an absent object named with probability "
        f"{config.absent_probability}, control mode `{config.control_mode}`. "
        "Cells: percent (95% interval; episodes).",
        f"![Outcomes of the episodes]({OUTCOMES_FILE})",
        tables(episodes),
    ]
    revisions = sorted({str(episode["revision"]) for episode in episodes})
    if len(revisions) > 1:
        parts.append(f"These episodes were run by {len(revisions)} revisions of the program: {', '.join(revisions)}.")
    for title, suffix in (("Videos", ".gif"), ("Graspable targets that were not placed", ".png")):
        files = [f"![{name}]({name})" for name in videos if name.endswith(suffix)]
        if files:
            parts.append(f"## {title}\n\n" + "\n\n".join(files))
    return "\n\n".join(parts) + "\n"
