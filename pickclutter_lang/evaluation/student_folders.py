"""The policy folders that an evaluation compares, and the check that logged episodes used the same ones."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy
from pickclutter_lang.policy.manifest import policy_fingerprint
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.json_files import read_json

EVAL_CONFIG_FILE = "config.json"
TEACHER_KEY = "teacher"
"""Key of what the teacher's thresholds are of; a folder in which it never acted lacks it."""
PHASES = {"few_shot": "few_shot", "zero_shot": "distill"}
"""Variant -> the phase of the run after which its student is exported."""
_NEW = ".policies"


def export_students(config: PolicyEvalConfig, folder: Path, comparable: Mapping[str, Any]) -> dict[str, str]:
    """Export a run's student after both phases into `policies`; return variant -> policy folder.

    Both have thresholds of the same rule, from the same stores.

    :param comparable: what episodes depend on besides the students
    :raises MismatchError: before anything is replaced, when there are episodes of another student or environment
    """
    root = folder / "policies"
    for left in folder.glob(f"{_NEW}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_NEW, dir=folder) as new:
        exported = {variant: str(Path(new) / variant) for variant in PHASES}
        for variant, phase in PHASES.items():
            rule = (config.false_positive_rate, config.calibration)
            export_policy(PolicyExportConfig(str(config.run), phase, config.scenes, 1, exported[variant], *rule))
        check_same(folder, comparable, exported)
        shutil.rmtree(root, ignore_errors=True)
        create_dir(root)
        for variant in PHASES:
            Path(exported[variant]).replace(root / variant)
    return {variant: str(root / variant) for variant in PHASES}


def check_same(folder: Path, comparable: Mapping[str, Any], policies: Mapping[str, str]) -> dict[str, Any]:
    """Check that episodes that are there are of the same students and environment; return what those to come are of.

    :param policies: variant -> policy folder
    :return: for `save_identity`
    :raises MismatchError: when they are of others
    :raises CheckpointError: when that cannot be read
    """
    now = {**comparable, **{variant: policy_fingerprint(Path(policy)) for variant, policy in policies.items()}}
    check_identity(folder, now)
    return now


def check_identity(folder: Path, now: dict[str, Any]) -> None:
    """Check that episodes that are in a folder, if any, are of what `check_same` returned; it gets the teacher's key.

    :raises MismatchError: when they are of others
    :raises CheckpointError: when that cannot be read
    """
    path = folder / EVAL_CONFIG_FILE
    if path.exists():
        logged = read_json(path, dict[str, Any], CheckpointError, "choose another out, or remove that folder")
        for one, other in ((now, logged), (logged, now)):  # the teacher need not act each time
            if TEACHER_KEY not in one and TEACHER_KEY in other:
                one[TEACHER_KEY] = other[TEACHER_KEY]
        if logged != now:
            differ = [f"{k}: {logged.get(k)} / {now.get(k)}" for k in {**now, **logged} if logged.get(k) != now.get(k)]
            raise MismatchError(
                f"the episodes in {folder} are of another student or environment (there / now): {'; '.join(differ)}; "
                "choose another out, or remove that folder"
            )


def save_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    """Note down what the episodes in a folder are of."""
    atomic_write(folder / EVAL_CONFIG_FILE, (json.dumps(identity, indent=1) + "\n").encode())
