"""Which teacher: its configuration, and a reference to it by the hash of its weights. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pickclutter_lang.errors import TeacherError

if TYPE_CHECKING:
    from pickclutter_lang.teachers.base import Teacher


@dataclass
class TeacherConfig:
    """A teacher; see `pickclutter_lang.teachers.load_teacher`."""

    name: str = "pocket"
    """`pocket`, `imagenet`, `vit_l14_openai`, or `<open_clip architecture>:<pretrained tag>`."""
    checkpoint: str | None = None
    """Folder or .safetensors file with its weights. null: the embedded or downloaded ones."""
    cache: str = "${scenes}/teacher_features"
    """Folder that keeps the teacher's features. Beside scenes at a URL it is one in the cache of this machine."""


@dataclass(frozen=True)
class TeacherReference:
    """The teacher that a student was distilled from: arguments of `load_teacher`, and the hash of its weights."""

    name: str
    checkpoint: str | None
    fingerprint: str

    def load(self) -> Teacher:
        """Load the teacher.

        :raises TeacherError: when it is missing or its weights are others
        """
        from pickclutter_lang.teachers.factory import load_teacher  # open_clip takes seconds to import

        teacher = load_teacher(self.name, self.checkpoint)
        if teacher.fingerprint != self.fingerprint:
            raise TeacherError(
                f"expected the teacher {self.name} that this student was distilled from, with the weights "
                f"{self.fingerprint[:8]}, but the one here has other weights, {teacher.fingerprint[:8]}; restore its "
                "weights, or distill again"
            )
        return teacher
