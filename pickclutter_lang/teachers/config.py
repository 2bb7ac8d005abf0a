"""Configuration of the teacher: which model, and the folder of its cached features."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TeacherConfig:
    """A teacher; see `pickclutter_lang.teachers.load_teacher`."""

    name: str = "pocket"
    """`pocket`, `vit_l14_openai`, or `<open_clip architecture>:<pretrained tag>`."""
    checkpoint: str | None = None
    """Folder or .safetensors file with its weights. null: the embedded or downloaded ones."""
    cache: str = "${scenes}/teacher_features"
    """Folder that keeps the teacher's features. Beside scenes at a URL it is one in the cache of this machine."""
