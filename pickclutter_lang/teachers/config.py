"""Configuration of the teacher: which model, and the folder of its cached features."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TeacherConfig:
    """Name of the teacher, a local file or folder with its weights, and the folder of the feature cache.

    See `pickclutter_lang.teachers.load_teacher` for `name` and `checkpoint`.
    """

    name: str
    checkpoint: str | None
    cache: str
