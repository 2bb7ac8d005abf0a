"""`pickclutter collect-demos`: a policy plays episodes in several processes; the good ones become trajectories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from pickclutter_lang.datasets.scenes.description import data_card, mesh_words
from pickclutter_lang.demonstrations.config import CollectDemosConfig
from pickclutter_lang.demonstrations.recorder import DemonstrationRecorder
from pickclutter_lang.demonstrations.trajectories import (
    LICENSE,
    PARTS,
    Source,
    find_episodes,
    merge,
    part_path,
)
from pickclutter_lang.envs.generation.collect import package_versions
from pickclutter_lang.envs.recording import replay_of
from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.envs.simulator import simulator
from pickclutter_lang.evaluation.episode_log import IDENTITY_FILE, EpisodeLog
from pickclutter_lang.evaluation.metrics import outcome_of
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.videos import SIDE, write_videos
from pickclutter_lang.policy_folder.folder import load_config, policy_fingerprint
from pickclutter_lang.results.intervals import share
from pickclutter_lang.utils.hub_files import CARD_FILE
from pickclutter_lang.utils.io import check_vacant, clean_temp_files, create_dir, write_text
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table

SCHEMA = 1
_STUDENT = "few_shot"
"""Variant of the student of `policy`; without one the `oracle` plays."""


class Collected(NamedTuple):
    """A finished collection: its folder, episodes that were played, and those that are kept."""

    folder: Path
    played: int
    kept: int


def collect_demos(config: CollectDemosConfig) -> Collected:
    """Play the episodes that are missing, put the kept ones into one file, and describe it.

    :raises PickClutterError: what the environment and the policy raise; MismatchError when the folder holds
        demonstrations of other settings; LockedError when another process collects into it; WorkerError when the worker
        of one episode died again and again; DatasetError when the disk does not take them
    """
    prepare_renderer()  # there is a simulator
    torch.set_num_threads(1)  # as in the workers, so that videos end as their episodes did
    folder = Path(config.out).absolute()
    objects = config.load_objects()
    rollouts = RolloutConfig.of_command(
        config,
        policies={} if config.policy is None else {_STUDENT: config.policy},
        camera_size=config.camera_size if config.policy is None else load_config(config.policy).student.camera_size,
    )
    identity = {
        "schema": SCHEMA,
        **config.identity(objects),
        "object_split": config.object_split,
        "failures": config.failures,
        "camera_size": rollouts.camera_size,
        **{variant: policy_fingerprint(Path(policy)) for variant, policy in rollouts.policies.items()},
    }
    check_vacant(folder, IDENTITY_FILE, (PARTS,))
    create_dir(folder)
    with dir_lock(folder):
        log = EpisodeLog(folder, identity)
        create_dir(folder / PARTS)
        for place in (folder, folder / PARTS):
            clean_temp_files(place)
        played = {seed: episode for (_, seed, _), episode in log.episodes.items()}
        trajectories = f"trajectory.rgbd.{config.control_mode}.h5"
        there = find_episodes(folder, trajectories)
        kept = {seed for seed, episode in played.items() if is_kept(episode, config.failures)}
        missing = [seed for seed in config.seeds if seed not in played or seed in kept - there.keys()]
        if missing:
            playing = config.map(partial(make_play_function, rollouts, folder, config.failures), missing)
            log.play(playing, len(missing), len(config.seeds))
        episodes = sorted(log.episodes.values(), key=lambda episode: int(episode["seed"]))
        found = find_episodes(folder, trajectories)
        shown = [episode for episode in episodes if episode["seed"] in found]
        logged = {episode["seed"]: found[episode["seed"]] for episode in shown}
        made_again = replay_of(rollouts.env_id, rollouts.env_arguments(rollouts.camera_size))
        sources = merge(folder, trajectories, logged, {"env_info": made_again, "commit_info": None})
        videos = write_videos(partial(RolloutRunner, rollouts, SIDE), shown, config.n_videos, folder)
        settings = {"seed": config.seed, "kinds": list(config.kinds), "instances": config.instances, **identity}
        meshes = mesh_words(objects.name, objects.own_catalog, bool(objects.distractors))
        license_of = None if objects.own_catalog is not None else objects.name
        text = _card(settings, episodes, sources, videos, meshes)
        card = data_card("demonstrations", "Demonstrations of picks by name", text, license_of)
        write_text(folder / CARD_FILE, card)
    return Collected(folder, len(episodes), len(sources))


def is_kept(episode: Mapping[str, Any], failures: bool) -> bool:
    """Return whether an episode is a demonstration; one in which the arm found nothing to do, and ended, never is.

    :param episode: as `RolloutRunner.run` returns it
    """
    return bool(episode["steps"] > 0 and (episode["success"] or failures))


def make_play_function(rollouts: RolloutConfig, folder: Path, failures: bool) -> Callable[[int], dict[str, Any]]:
    """Prepare a worker process: return the function that plays the episode of a seed, and writes it if it is kept."""
    torch.set_num_threads(1)
    runner = RolloutRunner(rollouts, wrap=DemonstrationRecorder)
    recorder: DemonstrationRecorder = runner.inner

    def play(seed: int) -> dict[str, Any]:
        episode = runner.rollout(_STUDENT if rollouts.policies else "oracle", seed, callback=recorder.callback)
        if is_kept(episode, failures):
            recorder.write(part_path(folder, seed))
        return episode

    return play


def _card(
    settings: Mapping[str, Any],
    played: Sequence[Mapping[str, Any]],
    sources: Sequence[Source],
    videos: Sequence[str],
    meshes: str,
) -> str:
    """Return the card.

    :param settings: what the episodes depend on
    :param played: the outcomes of all episodes, as `RolloutRunner.run` returns them
    :param sources: the kept ones
    :param meshes: where the meshes come from, and their license
    """
    steps = [source.record["elapsed_steps"] for source in sources]
    mover = f"`{settings['picker']}`" if "picker" in settings else "the scripted picker"
    placed = share([bool(e["success"]) for e in played], [e["target"] for e in played])
    head = {
        "episodes": f"{len(sources)} kept of {len(played)} played",
        "success, % (95% interval; episodes)": placed,
        "outcomes": ", ".join(f"{word}: {count}" for word, count in sorted(Counter(map(outcome_of, played)).items())),
        "steps": f"{sum(steps)}, {np.mean(steps):.1f} in an episode, 20 in a second" if steps else "none",
        "who": f"{mover}; {'a student' if _STUDENT in settings else 'the simulator'} says where",
        "file": f"`{sources[0].path.name}`" if sources else "none, as no episode is kept",
    }
    rows = []
    for name in sorted({episode["target"] for episode in played}):
        of = [episode for episode in played if episode["target"] == name]
        graspable = [bool(episode["success"]) for episode in of if episode["graspable"]]
        rows.append((name, len(of), sum(bool(e["success"]) for e in of), f"{sum(graspable)}/{len(graspable)}"))
    installed = simulator()
    listed = ((f"`{key}`", f"`{value}`") for key, value in {**settings, **package_versions()}.items())
    shown = "\n".join(["## Videos", "", *(f"- [{name}]({name})" for name in videos), "", ""]) if videos else ""
    return f"""{markdown_table(("", ""), head.items())}

## Success by object

{markdown_table(("object", "episodes", "successes", "of graspable ones"), rows)}

{shown}## Use

The file and its JSON have the form of {installed.title}. Its own tool replays them:

    python -m {installed.package}.trajectory.replay_trajectory --traj-path trajectory.rgbd.{settings["control_mode"]}.h5

Each `traj_N` has `obs`, `actions`, `success`, `env_states` and `grasp_annotations`; the JSON has `instruction`,
`target` and `episode_seed`. Depth is in {installed.depth_unit}. A grasp is a TCP pose in meters
(x y z qw qx qy qz); `actor` is a place in `objects` of the JSON; `outcome` is -1 not tried, 0 nothing lifted, 1 lifted,
2 brought to the goal.

## Settings

Episode k depends on the seed {settings["seed"]} + k only.

{markdown_table(("setting", "value"), listed)}

{LICENSE}{meshes}"""
