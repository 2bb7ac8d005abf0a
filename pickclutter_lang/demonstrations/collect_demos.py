"""`pickclutter collect-demos`: a policy plays episodes in several processes; the good ones become trajectories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch

from pickclutter_lang.datasets.scenes.description import mesh_words
from pickclutter_lang.demonstrations.config import CollectDemosConfig
from pickclutter_lang.demonstrations.recorder import DemonstrationRecorder
from pickclutter_lang.demonstrations.trajectories import (
    CARD_FILE,
    LICENSE,
    PARTS,
    Source,
    find_episodes,
    merge,
    part_path,
)
from pickclutter_lang.envs.generation.collect import package_versions
from pickclutter_lang.envs.randomization import changes, overrides
from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS
from pickclutter_lang.evaluation.episode_log import EpisodeLog
from pickclutter_lang.evaluation.instructions import DRAWN
from pickclutter_lang.evaluation.metrics import outcome_of
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.videos import SIDE, write_videos
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.policy.folder import load_config, policy_fingerprint
from pickclutter_lang.results.intervals import share
from pickclutter_lang.utils.io import atomic_write, clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table

SCHEMA = 1
_REPLAY_ID = "pickclutter_lang.envs.replay:PickClutterLang/Replay-v0"
"""With the module before its id, Gymnasium imports what registers it."""
_SHOWN = ("seed", "objects", "split", "object_split", "kinds", "instances", "control_mode", "failures", "distractors")


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
    spec, objects = _spec(config), config.load_objects()
    identity = _identity(config, spec.rollouts, objects)
    create_dir(spec.folder)
    with dir_lock(spec.folder):
        log = EpisodeLog(spec.folder, identity)
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
        shown = [episode for episode in episodes if episode["seed"] in logged]
        videos = write_videos(partial(RolloutRunner, spec.rollouts, SIDE), shown, config.n_videos, spec.folder)
        meshes = mesh_words(objects.name, objects.own_catalog, bool(objects.distractors))
        card = _card(config, spec.rollouts, episodes, sources, videos, meshes)
        atomic_write(spec.folder / CARD_FILE, card.encode())
    return Collected(spec.folder, len(episodes), len(sources))


def _spec(config: CollectDemosConfig) -> _Spec:
    variant = "oracle" if config.policy is None else "few_shot"
    rollouts = RolloutConfig.of_command(
        config,
        object_split=config.object_split,
        policies={} if config.policy is None else {variant: config.policy},
        camera_size=config.camera_size if config.policy is None else load_config(config.policy).student.camera_size,
    )
    return _Spec(rollouts, variant, Path(config.out).absolute(), config.failures)


def _identity(config: CollectDemosConfig, rollouts: RolloutConfig, objects: ObjectSet) -> dict[str, Any]:
    """Return what episodes depend on."""
    return {
        "schema": SCHEMA,
        **config.identity(objects),
        "object_split": config.object_split,
        "failures": config.failures,
        "camera_size": rollouts.camera_size,
        **{variant: policy_fingerprint(Path(policy)) for variant, policy in rollouts.policies.items()},
    }


def _lacks(seed: int, spec: _Spec, log: EpisodeLog, there: Mapping[int, Source]) -> bool:
    episode = log.episodes.get((spec.variant, seed, DRAWN))
    return episode is None or (seed not in there and is_kept(episode, spec.failures))


def is_kept(episode: Mapping[str, Any], failures: bool) -> bool:
    """Return whether an episode is a demonstration; one in which the arm found nothing to do, and ended, never is.

    :param episode: as `RolloutRunner.run` returns it
    """
    return bool(episode["steps"] > 0 and (episode["success"] or failures))


def make_play_function(spec: _Spec) -> Callable[[int], dict[str, Any]]:
    """Prepare a worker process: return the function that plays the episode of a seed, and writes it if it is kept."""
    torch.set_num_threads(1)
    recorders: list[DemonstrationRecorder] = []

    def record(env: Any) -> DemonstrationRecorder:
        recorders.append(DemonstrationRecorder(env))
        return recorders[-1]

    runner = RolloutRunner(spec.rollouts, wrap=record)
    (recorder,) = recorders

    def play(seed: int) -> dict[str, Any]:
        episode = runner.rollout(spec.variant, seed, callback=recorder.callback)
        if is_kept(episode, spec.failures):
            recorder.write(part_path(spec.folder, seed))
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


def _card(
    config: CollectDemosConfig,
    rollouts: RolloutConfig,
    played: Sequence[Mapping[str, Any]],
    sources: Sequence[Source],
    videos: Sequence[str],
    meshes: str,
) -> str:
    """Return `card.md`.

    :param played: the outcomes of all episodes, as `RolloutRunner.run` returns them
    :param sources: the kept ones
    :param meshes: where the meshes come from, and their license
    """
    steps = [source.record["elapsed_steps"] for source in sources]
    head = {
        "episodes": f"{len(sources)} kept of {len(played)} played",
        "success, % (95% interval; episodes)": share(sum(bool(e["success"]) for e in played), len(played)),
        "outcomes": ", ".join(f"{word}: {count}" for word, count in sorted(Counter(map(outcome_of, played)).items())),
        "steps": f"{sum(steps)}, {np.mean(steps):.1f} in an episode, 20 in a second" if steps else "none",
        "who": "the scripted picker; " + ("the simulator" if config.policy is None else "a student") + " says where",
        "file": f"`{sources[0].path.name}`" if sources else "none, as no episode is kept",
    }
    rows = []
    for name in sorted({episode["target"] for episode in played}):
        of = [episode for episode in played if episode["target"] == name]
        placed = [bool(episode["success"]) for episode in of if episode["graspable"]]
        rows.append((name, len(of), sum(bool(e["success"]) for e in of), f"{sum(placed)}/{len(placed)}"))
    settings: dict[str, Any] = {key: getattr(config, key) for key in _SHOWN} | {"camera_size": rollouts.camera_size}
    given = {"camera": changes(config.camera), "appearance": changes(config.appearance)}
    settings |= dict(override.split("=", 1) for override in overrides(given)) | package_versions()
    if config.policy is not None:
        settings["policy"] = config.policy
    listed = markdown_table(("setting", "value"), ((f"`{key}`", f"`{value}`") for key, value in settings.items()))
    shown = "\n".join(["## Videos", "", *(f"- [{name}]({name})" for name in videos), "", ""]) if videos else ""
    return f"""# Demonstrations of picks by name

{markdown_table(("", ""), head.items())}

## Success by object

{markdown_table(("object", "episodes", "successes", "of graspable ones"), rows)}

{shown}## Use

The file and its JSON have ManiSkill2's form (mani_skill2 0.5.3). Its own tool replays them:

    python -m mani_skill2.trajectory.replay_trajectory --traj-path trajectory.rgbd.{config.control_mode}.h5

Each `traj_N` has `obs`, `actions`, `success`, `env_states` and `grasp_annotations`; the JSON has `instruction`,
`target` and `episode_seed`. Depth is in 1/1024 m. A grasp is a TCP pose (x y z qw qx qy qz), meters; `actor` is a place
in `objects` of the JSON; `outcome` is -1 not tried, 0 nothing lifted, 1 lifted, 2 brought to the goal.

## Settings

Episode k depends on the seed {config.seed} + k only.

{listed}

{LICENSE}{meshes}
"""
