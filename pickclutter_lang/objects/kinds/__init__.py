"""Kinds of objects."""

from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.registry import all_kinds, find_kinds
from pickclutter_lang.objects.kinds.writing import write_kinds

__all__ = ["Instance", "Kind", "all_kinds", "find_kinds", "write_kinds"]
