"""Procedural models: YCB look-alikes and random objects that code builds, in metric size and ManiSkill2's layout."""

from pickclutter_lang.objects.procedural.random_objects import RandomObject, sample_object, write_objects
from pickclutter_lang.objects.procedural.ycb_set import PROCEDURAL_VERSION, build_procedural_set

__all__ = ["PROCEDURAL_VERSION", "RandomObject", "build_procedural_set", "sample_object", "write_objects"]
