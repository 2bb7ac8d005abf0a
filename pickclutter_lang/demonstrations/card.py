"""What describes demonstrations to a person: the data card and the contact sheet."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.datasets.scenes.shards import open_hdf5
from pickclutter_lang.demonstrations.config import CollectDemosConfig
from pickclutter_lang.demonstrations.trajectories import Source
from pickclutter_lang.envs.generation.collect import package_versions
from pickclutter_lang.envs.randomization import changes, overrides
from pickclutter_lang.evaluation.metrics import outcome_of
from pickclutter_lang.policy.folder import load_config
from pickclutter_lang.results.intervals import share
from pickclutter_lang.utils.contact_sheet import Cell, contact_sheet, png_bytes
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.markdown import markdown_table

CARD_FILE, SHEET_FILE = "card.md", "contact_sheet.png"
_LICENSE = "## License\n\n"


def write_card(
    folder: Path,
    config: CollectDemosConfig,
    played: Sequence[Mapping[str, Any]],
    sources: Sequence[Source],
    videos: Sequence[str],
    meshes: str,
) -> None:
    """Write `card.md`.

    :param played: the outcomes of all episodes, as `RolloutRunner.rollout` returns them
    :param sources: the kept ones
    :param videos: files of the folder
    :param meshes: where the meshes come from, and their license
    """
    trajectories = sources[0].path.name if sources else "none, as no episode is kept"
    parts = [
        _title(folder, config, played, sources, trajectories),
        f"![First and last frames]({SHEET_FILE})" if sources else "",
        _objects(played),
        _use(trajectories) if sources else "",
        "\n".join(["## Videos", "", *(f"- [{name}]({name})" for name in videos)]) if videos else "",
        _how(config),
        f"{_LICENSE}{meshes}",
    ]
    atomic_write(folder / CARD_FILE, ("\n\n".join(part for part in parts if part) + "\n").encode())


def _title(
    folder: Path,
    config: CollectDemosConfig,
    played: Sequence[Mapping[str, Any]],
    sources: Sequence[Source],
    trajectories: str,
) -> str:
    steps = [source.record["elapsed_steps"] for source in sources]
    rate = share(sum(bool(episode["success"]) for episode in played), len(played))
    rows = {
        "episodes": f"{len(sources)} kept of {len(played)} played",
        "success, % (95% interval; episodes)": str(rate),
        "steps": f"{sum(steps)} in all, {np.mean(steps):.1f} in an episode, 20 in a second" if steps else "none",
        "who": "the scripted picker; " + ("the simulator" if config.policy is None else "a student") + " says where",
        "objects": f"object set `{config.objects}`, split `{config.split}`",
        "images": "hand camera, color and depth",
        "file": f"`{trajectories}`" + (f", {(folder / trajectories).stat().st_size / 1e6:.1f} MB" if steps else ""),
    }
    return "# Demonstrations of picks by name\n\n" + markdown_table(("", ""), rows.items())


def _objects(played: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for name in sorted({episode["target"] for episode in played}):
        of = [episode for episode in played if episode["target"] == name]
        graspable = [episode for episode in of if episode["graspable"]]
        placed = sum(bool(episode["success"]) for episode in graspable)
        rows.append((name, len(of), sum(bool(e["success"]) for e in of), f"{placed}/{len(graspable)}"))
    counts: dict[str, int] = {}
    for episode in played:
        counts[outcome_of(episode)] = counts.get(outcome_of(episode), 0) + 1
    outcomes = ", ".join(f"{word}: {count}" for word, count in sorted(counts.items()))
    text = "Episodes that were played, by the object that was asked for; `graspable` as of scene stores."
    head = ("object", "episodes", "successes", "of graspable ones")
    return f"## Success by object\n\n{text}\nOutcomes: {outcomes}.\n\n{markdown_table(head, rows)}"


def _use(trajectories: str) -> str:
    return f"""## Use

The file and its JSON have ManiSkill2's form (mani_skill2 0.5.3). Its own tool replays them:

    python -m mani_skill2.trajectory.replay_trajectory --traj-path {trajectories}

Each `traj_N` has `obs`, `actions`, `success`, `env_states` and `grasp_annotations`, and the attributes `instruction`,
`target` and `episode_seed`. Depth is in 1/1024 m. A grasp is a TCP pose (x y z qw qx qy qz), meters; `actor` is a place
in `objects` of the JSON; `outcome` is -1 not tried, 0 nothing lifted, 1 lifted, 2 brought to the goal."""


def _how(config: CollectDemosConfig) -> str:
    keys = ("seed", "objects", "split", "object_split", "kinds", "instances", "camera_size", "control_mode", "failures")
    rows = {key: getattr(config, key) for key in keys}
    if config.distractors:
        rows["distractors"] = config.distractors
    if config.policy is not None:
        rows |= {"policy": config.policy, "camera_size": load_config(config.policy).student.camera_size}
    given = {"camera": changes(config.camera), "appearance": changes(config.appearance)}
    rows |= dict(override.split("=", 1) for override in overrides(given)) | package_versions()
    listed = markdown_table(("setting", "value"), ((f"`{key}`", f"`{value}`") for key, value in rows.items()))
    return f"## How it was made\n\nEpisode k depends on the seed {config.seed} + k alone.\n\n{listed}"


def license_of(folder: Path) -> str:
    """Return what the card of demonstrations says of the license of the meshes; nothing where there is no card."""
    path = folder / CARD_FILE
    return path.read_text().partition(_LICENSE)[2].strip() if path.is_file() else ""


def write_contact_sheet(folder: Path, sources: Sequence[Source]) -> None:
    """Write `contact_sheet.png`: first and last image of at most 12 episodes at equal distances; none for none."""
    if not sources:
        return
    cells = []
    for place in np.unique(np.linspace(0, len(sources) - 1, min(12, len(sources))).astype(int)).tolist():
        source = sources[place]
        with open_hdf5(source.path) as file:
            images = file[source.group]["obs/image/hand_camera/rgb"]
            frames = [images[0], images[len(images) - 1]]
        word = "success" if source.record["info"]["success"] else "failure"
        words = f"{source.group}: {source.record['instruction']} ({word}, {source.record['elapsed_steps']} steps)"
        cells.append(Cell(frames, [(line, "black") for line in textwrap.wrap(words, 56)[:2]]))
    atomic_write(folder / SHEET_FILE, png_bytes(contact_sheet(cells, 3, 180)))
