"""The teacher of a run, also of one that a former version of the package started."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.students.model import resolve_bf16
from pickclutter_lang.teachers import OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.pocket import EMBEDDED
from pickclutter_lang.training.experiment import CONFIG_FILE, ExperimentConfig, read_run


def load_run_teacher(config: ExperimentConfig) -> OpenClipTeacher:
    """Load the teacher that a configuration names.

    An embedded teacher may have got another name since the run in the folder was started: `pocket` of version 0.2.0 is
    `pocket_scans`. Its weights tell which it is.

    :raises TeacherError: as `load_teacher`
    :raises CheckpointError: when the settings of the run in the folder cannot be read
    """
    teacher = _load(config, config.teacher.name)
    if (
        config.teacher.name not in EMBEDDED
        or config.teacher.checkpoint
        or not (Path(config.out) / CONFIG_FILE).exists()
    ):
        return teacher
    started = read_run(Path(config.out), "")["teacher"]
    if started["name"] != config.teacher.name or started["fingerprint"] == teacher.fingerprint:
        return teacher
    others = (_load(config, name) for name in EMBEDDED if name != config.teacher.name)
    return next((other for other in others if other.fingerprint == started["fingerprint"]), teacher)


def _load(config: ExperimentConfig, name: str) -> OpenClipTeacher:
    return load_teacher(
        name,
        config.teacher.checkpoint,
        device=config.device,
        use_bf16=resolve_bf16(config.precision, config.device),
    )
