"""`pickclutter collect-demos`: a policy plays episodes in several processes; the good ones become trajectories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import torch

from pickclutter_lang.datasets.scenes.description import mesh_words
from pickclutter_lang.demonstrations.card import write_card, write_contact_sheet
from pickclutter_lang.demonstrations.config import CollectDemosConfig
from pickclutter_lang.demonstrations.recorder import TrajectoryRecorder
from pickclutter_lang.demonstrations.trajectories import PARTS, find_episodes, merge, part_path, write_part
from pickclutter_lang.envs.randomization import changes
from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS
from pickclutter_lang.evaluation.episode_log import EpisodeLog
from pickclutter_lang.evaluation.instructions import DRAWN
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.videos import SIDE, write_videos
from pickclutter_lang.objects.object_sets import ObjectSet, is_own, load_object_set
from pickclutter_lang.policy.folder import load_config, policy_fingerprint
from pickclutter_lang.utils.io import clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock

SCHEMA = 1
_REPLAY_ID = "pickclutter_lang.envs.replay:PickClutterLang/Replay-v0"
"""With the module before its id, Gymnasium imports what registers it."""


class Collected(NamedTuple):
    """A finished collection: its folder, episodes that were played, and those that are kept."""

    folder: Path
    played: int
    kept: int


class _Spec(NamedTuple):
    """What a worker has to know."""

    rollouts: RolloutConfig
    variant: str
    folder: Path
    failures: bool


def collect_demos(config: CollectDemosConfig) -> Collected:
    """Play the episodes that are missing, put the kept ones into one file, and describe it.

    :raises PickClutterError: what the environment and the policy raise; MismatchError when the folder holds
        demonstrations of other settings; LockedError when another process collects into it; WorkerError when the worker
        of one episode died again and again; DatasetError when the disk does not take them
    """
    torch.set_num_threads(1)  # as in the workers, so that videos end as their episodes did
    spec = _spec(config)
    comparable = _comparable(config, spec.rollouts)
    create_dir(spec.folder)
    with dir_lock(spec.folder):
        log = EpisodeLog(spec.folder, comparable)
        create_dir(spec.folder / PARTS)
        for place in (spec.folder, spec.folder / PARTS):
            clean_temp_files(place)
        trajectories = f"trajectory.rgbd.{config.control_mode}.h5"
        there = find_episodes(spec.folder, trajectories)
        missing = [seed for seed in config.seeds if _lacks(seed, spec, log, there)]
        if missing:
            played = config.pool.run(partial(make_play_function, spec), missing)
            log.play(played, len(missing), len(config.seeds))
        found = find_episodes(spec.folder, trajectories)
        logged = {seed: source for seed, source in found.items() if (spec.variant, seed, DRAWN) in log.episodes}
        sources = merge(spec.folder, trajectories, logged, _meta(spec.rollouts))
        episodes = sorted(log.episodes.values(), key=lambda episode: int(episode["seed"]))
        kept = {source.record["episode_seed"] for source in sources}
        write_contact_sheet(spec.folder, sources)
        shown = [episode for episode in episodes if episode["seed"] in kept]
        videos = write_videos(partial(RolloutRunner, spec.rollouts, SIDE), shown, config.n_videos, spec.folder)
        write_card(spec.folder, config, episodes, sources, videos, _meshes(config))
    return Collected(spec.folder, len(episodes), len(kept))


def _spec(config: CollectDemosConfig) -> _Spec:
    variant = "oracle" if config.policy is None else "few_shot"
    rollouts = RolloutConfig.of_command(
        config,
        object_split=config.object_split,
        policies={} if config.policy is None else {variant: config.policy},
        camera_size=config.camera_size if config.policy is None else load_config(config.policy).student.camera_size,
    )
    return _Spec(rollouts, variant, Path(config.out).absolute(), config.failures)


def _meshes(config: CollectDemosConfig) -> str:
    found = _objects(config)
    return mesh_words(found.name, found.own_catalog, bool(found.distractors))


def _objects(config: CollectDemosConfig) -> ObjectSet:
    among = config.distractors > 0
    return load_object_set(config.objects, config.objects_root, None, 0, config.kinds, config.instances, among)


def _comparable(config: CollectDemosConfig, rollouts: RolloutConfig) -> dict[str, Any]:
    """Return what episodes depend on besides a student."""
    keys = ("objects", "split", "object_split", "control_mode", "failures")
    objects = _objects(config)
    settings = {key: getattr(config, key) for key in keys}
    if config.distractors:
        settings["distractors"] = config.distractors
    if is_own(config.objects):
        settings["objects"] = objects.name  # however its folder is written
    settings |= {name: found for name in ("camera", "appearance") if (found := changes(getattr(config, name)))}
    students = {variant: policy_fingerprint(Path(policy)) for variant, policy in rollouts.policies.items()}
    of_piles = {"camera_size": rollouts.camera_size, "meshes": objects.fingerprint[:16]}
    return {"schema": SCHEMA, **settings, **of_piles, **students}


def _lacks(seed: int, spec: _Spec, log: EpisodeLog, there: dict[int, Any]) -> bool:
    episode = log.episodes.get((spec.variant, seed, DRAWN))
    return episode is None or (seed not in there and is_kept(episode, spec.failures))


def is_kept(episode: Mapping[str, Any], failures: bool) -> bool:
    """Return whether an episode is a demonstration; one in which the arm found nothing to do, and ended, never is.

    :param episode: as `RolloutRunner.rollout` returns it
    """
    return bool(episode["steps"] > 0 and (episode["success"] or failures))


def make_play_function(spec: _Spec) -> Callable[[int], dict[str, Any]]:
    """Prepare a worker process: return the function that plays the episode of a seed, and writes it if it is kept."""
    torch.set_num_threads(1)
    recorders: list[TrajectoryRecorder] = []

    def record(env: Any) -> TrajectoryRecorder:
        recorders.append(TrajectoryRecorder(env))
        return recorders[-1]

    runner = RolloutRunner(spec.rollouts, wrap=record)
    (recorder,) = recorders

    def play(seed: int) -> dict[str, Any]:
        episode = runner.rollout(spec.variant, seed, callback=recorder.callback)
        if is_kept(episode, spec.failures):
            write_part(part_path(spec.folder, seed), recorder.trajectory())
        return episode

    return play


def _meta(rollouts: RolloutConfig) -> dict[str, Any]:
    """Return what ManiSkill2's JSON has besides episodes: how its tools make the environment again."""
    arguments = {
        **gymnasium.spec(rollouts.env_id).kwargs,
        **rollouts.env_arguments(rollouts.camera_size),
        "enable_segmentation": False,  # as in the stored observations
    }
    return {
        "env_info": {"env_id": _REPLAY_ID, "max_episode_steps": MAX_EPISODE_STEPS, "env_kwargs": arguments},
        "commit_info": None,
    }
