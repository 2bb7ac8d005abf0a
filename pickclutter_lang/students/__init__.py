"""The small networks that are trained: backbones, heads and local aggregation."""

from typing import TYPE_CHECKING

from pickclutter_lang.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from pickclutter_lang.students.heads import LabelScores, LocalAggregation
    from pickclutter_lang.students.student import Student, StudentFeatures, build_student

__all__ = ["LabelScores", "LocalAggregation", "Student", "StudentFeatures", "build_student"]

__getattr__ = lazy_exports(
    __name__,
    {"heads": ("LabelScores", "LocalAggregation"), "student": ("Student", "StudentFeatures", "build_student")},
)
