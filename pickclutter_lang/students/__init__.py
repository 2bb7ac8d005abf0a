"""Students: small image networks that are distilled from a teacher, with their heads and label encoders."""

from pickclutter_lang.students.heads import LabelScores, LocalAggregation
from pickclutter_lang.students.student import Student, StudentFeatures, build_student

__all__ = ["LabelScores", "LocalAggregation", "Student", "StudentFeatures", "build_student"]
