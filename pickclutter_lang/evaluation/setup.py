"""What an evaluation compares: its policy folders, the teacher's thresholds, the variants, and curves of scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE
from pickclutter_lang.datasets.scenes.remote import manifest_at
from pickclutter_lang.envs.randomization import changes
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.evaluation.calibration import (
    Scenes,
    open_scenes,
    scene_scores,
    teacher_key,
    teacher_thresholds,
)
from pickclutter_lang.evaluation.config import VARIANTS, PolicyEvalConfig
from pickclutter_lang.evaluation.curves import Curve, scene_curves
from pickclutter_lang.evaluation.rollout import RolloutConfig
from pickclutter_lang.evaluation.student_folders import PHASES, TEACHER_KEY, check_same, export_students
from pickclutter_lang.experiments.scenes.command_configs import TrainedRunConfig
from pickclutter_lang.experiments.scenes.load import load_trained_run
from pickclutter_lang.objects.catalog import object_split_of, paper_catalog
from pickclutter_lang.objects.object_sets import is_own, load_object_set, own_split_of
from pickclutter_lang.policy.config import Thresholds
from pickclutter_lang.policy.manifest import load_config
from pickclutter_lang.utils.object_storage import is_url, join
from pickclutter_lang.utils.plugins import is_plugin

SCHEMA = 6
"""6: names that are absent are true of nothing in the pile; the teacher has a student's rivals."""


class Setup(NamedTuple):
    """Where and which variants act, the detection curves of these on stored scenes, and what their episodes are of."""

    rollouts: RolloutConfig
    variants: list[str]
    curves: list[Curve]
    identity: dict[str, Any]
    """What the episodes are of, for `save_identity`."""


def prepare(config: PolicyEvalConfig, folder: Path) -> Setup:
    """Export the students of a run, calibrate the teacher, and check that logged episodes are of the same.

    :raises InvalidArgumentError: when there is no student of a variant
    :raises DatasetError: when the teacher shall act, and the scenes of its thresholds are missing
    :raises MismatchError: when the folder holds episodes of other settings
    """
    object_split = _object_split(config)
    comparable = _comparable(config, object_split)
    policies: dict[str, str] = {}
    if config.run is not None:
        policies = export_students(config, folder, comparable)
    elif config.policy is not None and config.own_policy is None:
        phase = load_config(config.policy).student.phase
        policies = {variant: config.policy for variant, of in PHASES.items() if of == phase}
    scenes = _scenes(config, policies)
    variants = _variants(config, policies, scenes is not None)
    thresholds = None
    if "teacher" in variants and scenes is not None:
        spec = load_config(next(iter(policies.values()))).student
        thresholds = teacher_thresholds(config, spec, scenes, folder)
        comparable[TEACHER_KEY] = teacher_key(config, spec, scenes)
    identity = check_same(folder, comparable, policies)
    rollouts = RolloutConfig.of_command(
        config,
        absent_probability=config.absent_probability,
        camera_size=config.camera_size,
        policies=policies,
        teacher_thresholds=thresholds,
        own_policy=config.own_policy,
        object_split=object_split,
        trust_code=config.trust_code or config.run is not None,
        proposer=config.proposer,
    )
    return Setup(rollouts, variants, _curves(config, rollouts, variants, scenes, thresholds, folder), identity)


def _object_split(config: PolicyEvalConfig) -> int:
    """Return which objects are unseen: by the stores where these are of kinds, or else by the run or policy folder.

    A folder that does not say it goes by `scenes`, and without these by the paper. Without a student it is 0.
    """
    store = None if config.scenes is None else join(config.scenes, "id")
    if config.run is not None:
        student = load_trained_run(TrainedRunConfig(config.run, "few_shot", config.scenes, 1))
        store = student.config.data.id
        unseen = [name for name, out in student.labels.unseen_by_name.items() if out]
    elif config.policy is None or config.own_policy is not None:
        return 0
    else:
        names = load_config(config.policy).student.unseen_names
        if names is None:
            return 0 if store is None or is_own(config.objects) else manifest_at(store).object_split
        unseen = list(names)
    if is_own(config.objects):
        return own_split_of(load_object_set(config.objects, config.objects_root).catalog, unseen)
    if store is not None and (is_url(store) or Path(store, MANIFEST_FILE).is_file()):
        manifest = manifest_at(store)
        if manifest.has_instances:  # of some kinds the unseen names do not tell the split
            return manifest.object_split
    return object_split_of({item.model_id for item in paper_catalog() if item.name in unseen})


def _comparable(config: PolicyEvalConfig, object_split: int) -> dict[str, Any]:
    """Return what episodes depend on besides students and teacher."""
    values: dict[str, Any] = {
        key: getattr(config, key) for key in ("objects", "split", "absent_probability", "control_mode")
    }
    values["schema"] = SCHEMA
    if object_split > 0:
        values["object_split"] = object_split
    for name in ("camera", "appearance"):
        changed = changes(getattr(config, name))
        if changed:
            values[name] = changed
    if config.proposer is not None:
        values["proposer"] = config.proposer
    if config.own_policy is not None:
        values["own_policy"] = config.own_policy
    if config.run is None and (config.policy is None or config.own_policy is not None):
        values["camera_size"] = config.camera_size
    if config.distractors:
        values["distractors"] = config.distractors
    among = config.distractors > 0
    objects = load_object_set(config.objects, config.objects_root, None, 0, config.kinds, config.instances, among)
    values["meshes"] = objects.fingerprint[:16]
    if is_own(config.objects):
        values["objects"] = objects.name  # however its folder is written
    return values


def _scenes(config: PolicyEvalConfig, policies: dict[str, str]) -> Scenes | None:
    """Return the scenes of thresholds and curves, None where they are not there and the teacher need not act."""
    asked = config.variants is not None and "teacher" in config.variants
    if not policies or (config.variants is not None and not asked and not _has_curves(config)):
        return None
    try:
        return open_scenes(config, load_config(next(iter(policies.values()))).student)
    except DatasetError as error:
        if not asked and config.scenes is None:
            return None
        raise type(error)(f"{error}; thresholds of the variant teacher come from these scenes") from error


def _has_curves(config: PolicyEvalConfig) -> bool:
    return config.suite == "picking" and config.curve_scenes > 0


def _variants(config: PolicyEvalConfig, policies: dict[str, str], with_scenes: bool) -> list[str]:
    """Return the variants in the order of `VARIANTS`, those from outside last.

    :raises InvalidArgumentError: when there is no student of one
    """
    available = {variant: variant in policies for variant in PHASES}
    available |= {"oracle": True, "random": True, "teacher": bool(policies) and with_scenes}
    available["own"] = config.own_policy is not None
    found = [variant for variant in VARIANTS if available[variant]]
    found += [variant for variant in config.variants or () if is_plugin(variant)]
    lacking = sorted(set(config.variants or ()) - set(found))
    if lacking:
        raise InvalidArgumentError(
            f"expected variants out of {', '.join(found)}, since {config.policy} holds the student of one phase, "
            f"but got {', '.join(lacking)}; give run= instead of policy="
        )
    return [variant for variant in found if config.variants is None or variant in config.variants]


def _curves(
    config: PolicyEvalConfig,
    rollouts: RolloutConfig,
    variants: list[str],
    scenes: Scenes | None,
    thresholds: Thresholds | None,
    folder: Path,
) -> list[Curve]:
    if scenes is None or not _has_curves(config):
        return []
    any_policy = next(iter(rollouts.policies.values()))
    return scene_curves(
        {
            variant: scene_scores(
                variant,
                rollouts.policies.get(variant, any_policy),
                thresholds if variant == "teacher" else None,
                scenes,
                config.curve_scenes,
                folder,
                rollouts.trust_code,
            )
            for variant in variants
            if variant in rollouts.policies or variant == "teacher"
        },
        load_config(any_policy).student.target_label,
    )
