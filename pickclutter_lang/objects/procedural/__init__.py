"""Procedural procedural models and random things: made by code, in metric size, in ManiSkill2's layout."""

from pickclutter_lang.objects.procedural.random_objects import RandomObject, sample_object, write_objects
from pickclutter_lang.objects.procedural.ycb_set import PROCEDURAL_VERSION, build_procedural_set

__all__ = ["PROCEDURAL_VERSION", "RandomObject", "build_procedural_set", "sample_object", "write_objects"]
