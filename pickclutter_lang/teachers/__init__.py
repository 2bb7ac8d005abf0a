"""Vision-language models behind one interface, and the cache of their features.

What needs open_clip is imported at its first use: a student in use mostly needs no teacher.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pickclutter_lang.teachers.base import Teacher

if TYPE_CHECKING:
    from pickclutter_lang.teachers.factory import load_teacher
    from pickclutter_lang.teachers.feature_cache import FeatureCache, FeatureKey
    from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher
    from pickclutter_lang.teachers.pocket import PocketTeacher

__all__ = ["FeatureCache", "FeatureKey", "OpenClipTeacher", "PocketTeacher", "Teacher", "load_teacher"]

_MODULES = {
    "FeatureCache": "feature_cache",
    "FeatureKey": "feature_cache",
    "OpenClipTeacher": "open_clip_teacher",
    "PocketTeacher": "pocket",
    "load_teacher": "factory",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
