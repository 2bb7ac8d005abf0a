"""The teacher of a run, also of one that a former version of the package started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pickclutter_lang.students.model import resolve_bf16
from pickclutter_lang.training.experiment import CONFIG_FILE, ExperimentConfig, read_run

if TYPE_CHECKING:
    from pickclutter_lang.teachers import OpenClipTeacher


def load_run_teacher(config: ExperimentConfig) -> OpenClipTeacher:
    """Load the teacher that a configuration names; of a run in its folder the one with the weights it started with.

    :raises TeacherError: as `load_teacher`
    :raises CheckpointError: when the settings of the run in the folder cannot be read
    """
    from pickclutter_lang.teachers.factory import load_teacher, load_teacher_of  # takes seconds

    name, checkpoint = config.teacher.name, config.teacher.checkpoint
    use_bf16 = resolve_bf16(config.precision, config.device)
    if (Path(config.out) / CONFIG_FILE).exists():
        started = read_run(Path(config.out), "")["teacher"]
        if started["name"] == name:
            return load_teacher_of(started["fingerprint"], name, checkpoint, config.device, use_bf16)
    return load_teacher(name, checkpoint, device=config.device, use_bf16=use_bf16)
