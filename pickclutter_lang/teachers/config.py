"""Which teacher, and where its features are kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TeacherConfig:
    """The teacher's name, a local file or folder with its weights, and where its features are kept.

    See `pickclutter_lang.teachers.load_teacher` for names and `checkpoint`.
    """

    name: str
    checkpoint: str | None
    cache: str
