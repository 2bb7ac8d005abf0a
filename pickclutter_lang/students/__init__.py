"""The small networks that are trained: backbones, heads and local aggregation."""

from pickclutter_lang.students.heads import LabelScores, LocalAggregation
from pickclutter_lang.students.student import Student, StudentFeatures, build_student

__all__ = ["LabelScores", "LocalAggregation", "Student", "StudentFeatures", "build_student"]
