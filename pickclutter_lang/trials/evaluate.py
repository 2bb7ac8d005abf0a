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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pickclutter_lang.envs.registration import environment_id
from pickclutter_lang.errors import (
    CheckpointError,
    InvalidArgumentError,
    PickClutterError,
    StoreError,
    StoreMismatchError,
    error_named,
)
from pickclutter_lang.evaluation.children import ends_with_parent, folder_lock
from pickclutter_lang.evaluation.records import git_revision
from pickclutter_lang.files import make_folder, write_whole
from pickclutter_lang.manipulation.controllers import make_controller
from pickclutter_lang.objects.sets import load_object_set
from pickclutter_lang.policy.export import PolicySettings, export_policy
from pickclutter_lang.policy.folder import CARD_FILE, TEXT_FILE, WEIGHTS_FILE
from pickclutter_lang.training import EvaluateSettings, saved_settings
from pickclutter_lang.training.ranges import one_of
from pickclutter_lang.trials.drawing import ENDS_FILE, draw_ends
from pickclutter_lang.trials.episodes import VARIANTS, Stage, Theatre
from pickclutter_lang.trials.films import write_films
from pickclutter_lang.trials.outcomes import summary, tables

EPISODES_FILE, RESULT_FILE, REPORT_FILE, SETTINGS_FILE = "episodes.jsonl", "result.json", "report.md", "settings.json"
SCHEMA = 3
Result = dict[str, Any] | tuple[str, str]
"""What a worker sends: an episode, or name and text of an error."""
_FRESH = ".policies"
_PHASES = {"few_shot": "fewshot", "zero_shot": "distill"}


@dataclass
class TrialSettings:
    """Which student acts, where, how often.

    `run` is a finished run; `variants` are of `VARIANTS`; the episodes are those of the seeds `seed`, `seed` + 1, ...,
    the same for each variant. `films` is how many successes and failures of each variant are filmed, `strips` how many
    graspable targets that it missed are drawn as strips of pictures.
    """

    run: str
    scenes: str | None
    out: str
    variants: list[str]
    episodes: int
    seed: int
    objects: str
    objects_root: str | None
    split: str
    absent_probability: float
    control_mode: str
    workers: int
    films: int
    strips: int

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        unknown = sorted(set(self.variants) - set(VARIANTS))
        if unknown or not self.variants or len(set(self.variants)) != len(self.variants):
            raise InvalidArgumentError(
                f"expected variants out of {', '.join(VARIANTS)}, each once, got {self.variants}"
            )
        for name, least in (("episodes", 1), ("seed", 0), ("workers", 1), ("films", 0), ("strips", 0)):
            if getattr(self, name) < least:
                raise InvalidArgumentError(f"expected {name} to be at least {least}, but got {getattr(self, name)}")
        one_of("split", self.split, ("id", "ood"))
        environment_id(self.objects)
        make_controller(self.control_mode)


def evaluate_policy(settings: TrialSettings) -> Path:
    """Play the episodes that are not yet played, write `result.json`, the report and the films; return the folder.

    :raises PickClutterError: what exporting, the environment and the judges raise; StoreMismatchError when the folder
        holds episodes of other settings
    """
    saved_settings(EvaluateSettings(settings.run, settings.scenes, 1, "cpu"))  # there is a run
    torch.set_num_threads(1)  # as the workers, so that films end as their episodes did
    folder = Path(settings.out)
    make_folder(folder)
    with folder_lock(folder):
        stage = _stage(settings, folder)
        wanted = [(v, s) for s in range(settings.seed, settings.seed + settings.episodes) for v in settings.variants]
        episodes = _read(folder / EPISODES_FILE)
        left = [one for one in wanted if one not in episodes]
        revision = git_revision()
        for found in _play(stage, left, len(wanted), settings.workers):
            episode = found | {"revision": revision}
            _append(folder / EPISODES_FILE, episode)
            episodes[episode["variant"], episode["seed"]] = episode
        played = [episodes[variant, seed] for variant, seed in sorted(wanted, key=lambda w: VARIANTS.index(w[0]))]
        _write(folder, settings, played, [])  # whatever becomes of the films
        _write(folder, settings, played, write_films(stage, played, settings.films, settings.strips, folder))
    return folder


def _write(folder: Path, settings: TrialSettings, played: Sequence[dict[str, Any]], films: Sequence[str]) -> None:
    result = {
        "schema": SCHEMA,
        "settings": asdict(settings),
        "revisions": sorted({str(episode["revision"]) for episode in played}),
        "variants": summary(played),
        "films": list(films),
    }
    write_whole(folder / RESULT_FILE, (json.dumps(result, indent=1) + "\n").encode())
    draw_ends(played, folder)
    write_whole(folder / REPORT_FILE, _report(settings, played, films).encode())


def _stage(settings: TrialSettings, folder: Path) -> Stage:
    """Export the student after both phases, and say where it acts.

    :raises StoreMismatchError: before anything is replaced, when there are episodes of another student or environment
    """
    place = folder / "policies"
    for left in folder.glob(f"{_FRESH}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_FRESH, dir=folder) as fresh:
        for variant, phase in _PHASES.items():
            export_policy(PolicySettings(settings.run, phase, settings.scenes, 1, str(Path(fresh) / variant)))
        _check_same(folder, settings, Path(fresh))
        shutil.rmtree(place, ignore_errors=True)
        make_folder(place)
        for variant in _PHASES:
            (Path(fresh) / variant).replace(place / variant)
    policies = {variant: str(place / variant) for variant in _PHASES}
    return Stage(
        environment_id(settings.objects),
        settings.objects_root,
        settings.split,
        settings.absent_probability,
        settings.control_mode,
        policies,
    )


def _check_same(folder: Path, settings: TrialSettings, policies: Path) -> None:
    """Check that episodes that are there are of the same students and environment; note down what they are of."""
    own: dict[str, Any] = {
        key: getattr(settings, key) for key in ("objects", "split", "absent_probability", "control_mode")
    }
    own["schema"] = SCHEMA
    own["meshes"] = load_object_set(settings.objects, settings.objects_root).fingerprint[:16]
    own |= {variant: _fingerprint(policies / variant) for variant in _PHASES}
    path = folder / SETTINGS_FILE
    if path.is_file():
        try:
            there = dict(json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(f"{path} is damaged ({error}); choose another out, or remove that folder") from error
        if there != own:
            differ = [f"{key}: {there.get(key)} / {own[key]}" for key in own if there.get(key) != own[key]]
            raise StoreMismatchError(
                f"the episodes in {folder} are of another student or environment (there / now): {'; '.join(differ)}; "
                "choose another out, or remove that folder"
            )
    write_whole(path, (json.dumps(own, indent=1) + "\n").encode())


def _fingerprint(policy: Path) -> str:
    """Return a hash of what a policy folder holds."""
    found = hashlib.sha256()
    for name in (CARD_FILE, WEIGHTS_FILE, TEXT_FILE):
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
    write_whole(path, "".join(f"{line}\n" for line in whole).encode())
    return found


def _append(path: Path, episode: dict[str, Any]) -> None:
    try:
        with path.open("a") as stream:
            stream.write(json.dumps(episode) + "\n")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; mend that and run the same command again") from error


def _play(stage: Stage, left: Sequence[tuple[str, int]], total: int, workers: int) -> Iterator[dict[str, Any]]:
    """Yield what became of each episode, in the order in which they end."""
    if not left:
        return
    columns = TextColumn("episodes"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn()
    context = multiprocessing.get_context("spawn")  # a renderer does not survive a fork
    with (
        Progress(*columns) as progress,
        ProcessPoolExecutor(min(workers, len(left)), context, _begin, (stage, os.getpid())) as pool,
    ):
        task = progress.add_task("episodes", total=total, completed=total - len(left))
        futures: set[Future[Result]] = {pool.submit(_play_one, *one) for one in left}
        try:
            for episode in _results(futures):
                progress.advance(task)
                yield episode
        except BrokenProcessPool as error:
            raise StoreError(
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
                raise error_named(*found)
            yield found


_stage_of_worker: Stage | None = None
_theatre: Theatre | None = None


def _begin(stage: Stage, parent: int) -> None:
    """Begin a worker: it ends with its parent, which alone handles Ctrl-C, and computes with one thread."""
    global _stage_of_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    arrange = ends_with_parent(parent)
    if arrange is not None:
        arrange()
    torch.set_num_threads(1)
    _stage_of_worker = stage


def _play_one(variant: str, seed: int) -> Result:
    """Play an episode, in a theatre that the worker opens at its first; a named error comes back as its two parts."""
    global _theatre
    assert _stage_of_worker is not None
    try:
        _theatre = _theatre or Theatre(_stage_of_worker)
        return _theatre.play(variant, seed)
    except PickClutterError as error:
        return type(error).__name__, str(error)


def _report(settings: TrialSettings, episodes: Sequence[dict[str, Any]], films: Sequence[str]) -> str:
    """Return the report, Markdown."""
    lines = [
        "# Picking by name",
        f"{settings.episodes} episodes a variant (seeds {settings.seed} to {settings.seed + settings.episodes - 1}), "
        f"objects `{settings.objects}`, split `{settings.split}`, an absent object named with probability "
        f"{settings.absent_probability}, control mode `{settings.control_mode}`. "
        "Cells: per cent (95% interval; episodes).",
        f"![How the episodes ended]({ENDS_FILE})",
        tables(episodes),
    ]
    revisions = {str(episode["revision"]) for episode in episodes}
    if len(revisions) > 1:
        lines.append(
            f"These episodes were played by {len(revisions)} revisions of the program: {', '.join(revisions)}."
        )
    for title, suffix in (("Films", ".gif"), ("Graspable, and not brought to the goal", ".png")):
        own = [f"![{name}]({name})" for name in films if name.endswith(suffix)]
        if own:
            lines.append(f"## {title}\n\n" + "\n\n".join(own))
    return "\n\n".join(lines) + "\n"
