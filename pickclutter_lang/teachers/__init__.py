"""Vision-language models behind one interface, and the cache of their features."""

from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.teachers.factory import load_teacher
from pickclutter_lang.teachers.feature_cache import FeatureCache, FeatureKey
from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher
from pickclutter_lang.teachers.pocket import PocketTeacher

__all__ = ["FeatureCache", "FeatureKey", "OpenClipTeacher", "PocketTeacher", "Teacher", "load_teacher"]
