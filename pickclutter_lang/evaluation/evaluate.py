"""`pickclutter evaluate-policy`: variants of a policy on the same episodes, in parallel, and a report."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE, read_manifest
from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.evaluation.config import VARIANTS, PolicyEvalConfig
from pickclutter_lang.evaluation.episode_log import TEACHER_KEY, EpisodeKey, EpisodeLog, check_identity
from pickclutter_lang.evaluation.instructions import SUITES
from pickclutter_lang.evaluation.metrics import scores_of, summary
from pickclutter_lang.evaluation.report import write_report
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.teacher_thresholds import (
    Scenes,
    open_scenes,
    teacher_key,
    teacher_thresholds,
)
from pickclutter_lang.evaluation.videos import SIDE, write_videos
from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
from pickclutter_lang.experiments.scenes.trained_run import load_run_config, load_trained_run
from pickclutter_lang.objects.catalog import object_split_of, paper_catalog
from pickclutter_lang.objects.object_sets import is_own, load_object_set, own_split_of
from pickclutter_lang.policy_folder.folder import load_config, policy_fingerprint
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.results.record import write_record
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.plugins import is_plugin

PHASES = {"few_shot": "few_shot", "zero_shot": "distill"}
"""Variant -> the phase of the run after which its student is exported."""
LEARNED = "learned"
"""In the folder of an evaluation: what each student learned by questions, and the answers."""
_RULES = 6
"""Raised when the same settings give other episodes."""
_OF_STUDENTS = (*PHASES, TEACHER_KEY)


class Setup(NamedTuple):
    """Where and which variants act, and what their episodes are of."""

    rollouts: RolloutConfig
    variants: list[str]
    identity: dict[str, Any]


class Evaluated(NamedTuple):
    """A finished evaluation: its folder, and the tables of its report, Markdown."""

    folder: Path
    tables: str


def evaluate_policy(config: PolicyEvalConfig) -> Evaluated:
    """Run the episodes that are missing, and write videos, `scores.npz`, `result.json` and the report.

    :raises PickClutterError: what exporting, the environment and the detectors raise; MismatchError when the folder
        holds episodes of other settings; LockedError when another evaluation is at work in it; WorkerError when the
        worker of one episode died again and again
    """
    if config.run is not None:
        load_run_config(config.run)  # there is a run
    if config.policy_folder is not None:
        load_config(config.policy_folder)  # there is a policy
    prepare_renderer()  # there is a simulator
    torch.set_num_threads(1)  # as in the workers, so that videos end as their episodes did
    folder = Path(config.out or Path(config.run or config.policy_folder or ".") / "evaluation")
    create_dir(folder)
    with dir_lock(folder):
        setup = prepare(config, folder)
        requested = list(product(setup.variants, config.seeds, SUITES[config.suite]))
        log = EpisodeLog(folder, setup.identity)
        # By seed: all variants of a pile are run before the next, so that what is there can be compared at any time.
        missing = sorted((one for one in requested if one not in log.episodes), key=lambda one: one[1])
        if missing:
            played = config.map(partial(make_rollout_function, setup.rollouts), missing)
            log.play(played, len(missing), len(requested))
        log.save_identity()
        episodes = [log.episodes[one] for one in requested]
        found = _write(folder, config, setup, episodes, [])  # whatever becomes of the videos
        videos = write_videos(partial(RolloutRunner, setup.rollouts, SIDE), episodes, config.n_videos, folder)
        return Evaluated(folder, _write(folder, config, setup, episodes, videos) if videos else found)


def make_rollout_function(config: RolloutConfig) -> Callable[[EpisodeKey], dict[str, Any]]:
    """Prepare a worker process: return the function that runs an episode."""
    torch.set_num_threads(1)
    runner = RolloutRunner(config)
    return lambda episode: runner.rollout(*episode)


def _write(
    folder: Path, config: PolicyEvalConfig, setup: Setup, episodes: list[dict[str, Any]], videos: list[str]
) -> str:
    """Write scores, record and page; return the tables."""
    piles = {key: value for key, value in setup.identity.items() if key not in _OF_STUDENTS}
    source = hashlib.sha256(json.dumps(piles | {"suite": config.suite}, sort_keys=True).encode()).hexdigest()
    scores_of(episodes, config.suite, source).save(folder)
    thresholds = setup.rollouts.teacher_thresholds
    teachers = {variant: load_config(policy).student.teacher for variant, policy in setup.rollouts.policies.items()}
    values: dict[str, Any] = {
        "kind": "policy",
        "name": config.suite,
        "config": asdict(config),
        "seed": config.seed,
        "data": {"piles": piles | {"content": source}},
        "students": {variant: setup.identity[variant] for variant in PHASES if variant in setup.identity},
        "teachers": {variant: {"name": of.name, "fingerprint": of.fingerprint} for variant, of in teachers.items()},
        "teacher_thresholds": None if thresholds is None else asdict(thresholds),
        "metrics": summary(episodes, config.suite),
        "revisions": sorted({str(episode["revision"]) for episode in episodes}),
        "videos": videos,
    }
    return write_report(folder, config, write_record(folder, values), episodes)


def prepare(config: PolicyEvalConfig, folder: Path) -> Setup:
    """Export the students of a run, calibrate the teacher, and check that logged episodes are of the same.

    :raises InvalidArgumentError: when there is no student of a variant
    :raises DatasetError: when the teacher shall act, and the scenes of its thresholds are missing
    :raises MismatchError: when the folder holds episodes of other settings
    """
    object_split = _object_split(config)
    identity = _identity(config, object_split)
    policies: dict[str, str] = {}
    if config.run is not None:
        policies = export_students(config, folder, identity)
    elif config.policy_folder is not None:
        phase = load_config(config.policy_folder).student.phase
        policies = {variant: config.policy_folder for variant, of in PHASES.items() if of == phase}
    scenes = _scenes(config, policies)
    variants = _variants(config, policies, scenes is not None)
    thresholds = None
    if "teacher" in variants and scenes is not None:
        spec = load_config(next(iter(policies.values()))).student
        thresholds = teacher_thresholds(config, spec, scenes, folder)
        identity[TEACHER_KEY] = teacher_key(config, spec, scenes)
    rollouts = RolloutConfig.of_command(
        config,
        policies=policies,
        teacher_thresholds=thresholds,
        object_split=object_split,
        ask=replace(config.ask, answers=config.ask.answers or str(folder / LEARNED / "answers.jsonl")),
        learned=str(folder / LEARNED) if config.ask.model else None,
        trust_code=config.trust_code or config.run is not None,
    )
    return Setup(rollouts, variants, identity | _fingerprints(policies))


def export_students(config: PolicyEvalConfig, folder: Path, identity: Mapping[str, Any]) -> dict[str, str]:
    """Export a run's student after both phases into `policies`; return variant -> policy folder.

    Both have thresholds of the same rule, from the same stores.

    :param identity: what episodes depend on besides the students
    :raises MismatchError: before anything is replaced, when there are episodes of another student or environment
    """
    root = folder / "policies"
    new = folder / ".policies"
    shutil.rmtree(new, ignore_errors=True)  # of a process that was killed
    try:
        create_dir(new)
        for variant, phase in PHASES.items():
            rule = (config.false_positive_rate, config.calibration)
            export_policy(PolicyExportConfig(str(config.run), phase, config.scenes, 1, str(new / variant), *rule))
        check_identity(folder, {**identity, **_fingerprints({variant: str(new / variant) for variant in PHASES})})
        shutil.rmtree(root, ignore_errors=True)
        new.replace(root)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return {variant: str(root / variant) for variant in PHASES}


def _fingerprints(policies: Mapping[str, str]) -> dict[str, str]:
    return {variant: policy_fingerprint(Path(policy)) for variant, policy in policies.items()}


def _object_split(config: PolicyEvalConfig) -> int:
    """Return which objects are unseen: by the stores where these are of kinds, or else by the run or policy folder.

    Without a student, or where a folder does not say it, it is 0.
    """
    store = None if config.scenes is None else str(Path(config.scenes, "id"))
    if config.run is not None:
        student = load_trained_run(TrainedRunConfig(config.run, "few_shot", config.scenes, 1))
        store = student.config.data.id
        unseen = student.unseen_names
    else:
        unseen = list(load_config(config.policy_folder).student.unseen_names or ()) if config.policy_folder else []
        if not unseen:
            return 0
    if is_own(config.objects):
        return own_split_of(load_object_set(config.objects, config.objects_root).catalog, unseen)
    if store is not None and Path(store, MANIFEST_FILE).is_file():
        manifest = read_manifest(Path(store))
        if manifest.has_instances:  # of some kinds the unseen names do not tell the split
            return manifest.object_split
    return object_split_of({item.model_id for item in paper_catalog() if item.name in unseen})


def _identity(config: PolicyEvalConfig, object_split: int) -> dict[str, Any]:
    """Return what episodes depend on besides students and teacher."""
    optional = {
        "object_split": object_split,
        "own_policy": config.own_policy,
        "ask": {"model": config.ask.model, "names": [*config.ask.names]} if config.ask.model else None,
        "camera_size": config.camera_size if config.run is None and config.policy_folder is None else None,
    }
    return {
        **config.identity(config.load_objects()),
        "absent_probability": config.absent_probability,
        "rules": _RULES,
        **{key: value for key, value in optional.items() if value},
    }


def _scenes(config: PolicyEvalConfig, policies: Mapping[str, str]) -> Scenes | None:
    """Return the scenes of the teacher's thresholds, None where they are not there and it need not act."""
    asked = config.variants is not None and "teacher" in config.variants
    if not policies or (config.variants is not None and not asked):
        return None
    try:
        return open_scenes(config, load_config(next(iter(policies.values()))).student)
    except DatasetError as error:
        if not asked and config.scenes is None:
            return None
        raise type(error)(f"{error}; thresholds of the variant teacher come from these scenes") from error


def _variants(config: PolicyEvalConfig, policies: Mapping[str, str], with_scenes: bool) -> list[str]:
    """Return the variants in the order of `VARIANTS`, those from outside last.

    :raises InvalidArgumentError: when there is no student of one
    """
    known = {"oracle", "random", *policies, *(["teacher"] if policies and with_scenes else [])}
    known |= {"own"} if config.own_policy is not None else set()
    found = [variant for variant in VARIANTS if variant in known]
    found += [variant for variant in config.variants or () if is_plugin(variant)]
    lacking = sorted(set(config.variants or ()) - set(found))
    if lacking:
        raise InvalidArgumentError(
            f"expected variants out of {', '.join(found)}, since {config.policy} holds the student of one phase, "
            f"but got {', '.join(lacking)}; give run= instead of policy="
        )
    return [variant for variant in found if config.variants is None or variant in config.variants]
