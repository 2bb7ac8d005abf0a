"""Teachers: frozen vision-language models (CLIP) behind one interface, and the cache of their features.

Modules that need open_clip are imported at their first use, since a student at work needs no teacher.
"""

from typing import TYPE_CHECKING

from pickclutter_lang.utils.plugins import lazy_exports

if TYPE_CHECKING:
    from pickclutter_lang.teachers.base import Teacher
    from pickclutter_lang.teachers.factory import load_teacher
    from pickclutter_lang.teachers.feature_cache import FeatureCache, FeatureKey
    from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher
    from pickclutter_lang.teachers.pocket import PocketTeacher

__all__ = ["FeatureCache", "FeatureKey", "OpenClipTeacher", "PocketTeacher", "Teacher", "load_teacher"]

__getattr__ = lazy_exports(
    __name__,
    {
        "base": ("Teacher",),
        "factory": ("load_teacher",),
        "feature_cache": ("FeatureCache", "FeatureKey"),
        "open_clip_teacher": ("OpenClipTeacher",),
        "pocket": ("PocketTeacher",),
    },
)
