"""`pickclutter evaluate-policy`: variants of a policy on the same episodes, in parallel, and a report."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.episode_log import EpisodeKey, EpisodeLog
from pickclutter_lang.evaluation.instructions import SUITES
from pickclutter_lang.evaluation.report import write_report
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.setup import prepare
from pickclutter_lang.evaluation.student_folders import save_identity
from pickclutter_lang.evaluation.videos import SIDE, write_videos
from pickclutter_lang.experiments.result import git_revision
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.load import load_run_config
from pickclutter_lang.policy.manifest import load_config
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar

EPISODES_FILE = "episodes.jsonl"


def evaluate_policy(config: PolicyEvalConfig) -> Path:
    """Run the episodes that are missing, write `result.json`, the report and the videos; return the folder.

    :raises PickClutterError: what exporting, the environment and the detectors raise; MismatchError when the folder
        holds episodes of other settings; LockedError when another evaluation is at work in it; WorkerError when the
        worker of one episode died again and again
    """
    if config.run is not None:
        load_run_config(EvaluateConfig(config.run, config.scenes, 1, "cpu"))  # there is a run
    if config.policy is not None and config.own_policy is None:
        load_config(config.policy)  # there is a policy
    torch.set_num_threads(1)  # as in the workers, so that videos end as their episodes did
    student = config.run if config.own_policy is not None else config.run or config.policy
    folder = Path(config.out or Path(student or ".") / "evaluation")
    create_dir(folder)
    with dir_lock(folder):
        setup = prepare(config, folder)
        requested = list(product(setup.variants, config.seeds, SUITES[config.suite]))
        log = EpisodeLog(folder / EPISODES_FILE)
        before_first = partial(save_identity, folder, setup.identity)
        _run_missing(setup.rollouts, requested, log, config.pool, before_first)
        episodes = [log.episodes[one] for one in requested]
        write_report(folder, config, setup, episodes, [])  # whatever becomes of the videos
        videos = write_videos(partial(RolloutRunner, setup.rollouts, SIDE), episodes, config.n_videos, folder)
        write_report(folder, config, setup, episodes, videos)
    return folder


def _run_missing(
    rollouts: RolloutConfig,
    requested: Sequence[EpisodeKey],
    log: EpisodeLog,
    pool: PoolConfig,
    before_first: Callable[[], None],
) -> None:
    """Run and log the episodes that are missing; `before_first` is called before any is logged."""
    # By seed: all variants of a pile are run before the next, so that what is there can be compared at any time.
    missing = sorted((one for one in requested if one not in log.episodes), key=lambda one: one[1])
    if not missing:
        if not requested:  # curves of scenes alone
            before_first()
        return
    play_missing(
        pool.run(partial(make_rollout_function, rollouts), missing), len(missing), len(requested), log, before_first
    )


def play_missing(
    episodes: Generator[tuple[Any, dict[str, Any]], None, None],
    missing: int,
    requested: int,
    log: EpisodeLog,
    before_first: Callable[[], None],
) -> None:
    """Log the episodes that a pool plays, each with the revision.

    :param episodes: of `PoolConfig.run`
    :param missing: how many these are
    :param requested: number of episodes with those that are there
    :param before_first: called before any is logged: settings that cannot play an episode leave nothing behind
    """
    revision = git_revision()
    with closing(episodes) as played, ProgressBar("episodes", requested, requested - missing) as bar:
        for number, (_, episode) in enumerate(played):
            if number == 0:
                before_first()
            log.append(episode | {"revision": revision})
            bar.advance()


def make_rollout_function(config: RolloutConfig) -> Callable[[EpisodeKey], dict[str, Any]]:
    """Prepare a worker process: return the function that runs an episode, in an environment built at the first one."""
    torch.set_num_threads(1)
    runner = RolloutRunner(config)

    def rollout(episode: EpisodeKey) -> dict[str, Any]:
        return runner.rollout(*episode)

    return rollout
