"""Students: small image networks that are distilled from a teacher, with their heads and label encoders."""

from typing import TYPE_CHECKING

from pickclutter_lang.utils.plugins import lazy_exports

if TYPE_CHECKING:
    from pickclutter_lang.students.student import LocalAggregation, MultiLabelStudent, Student, build_student

__all__ = ["LocalAggregation", "MultiLabelStudent", "Student", "build_student"]

__getattr__ = lazy_exports(__name__, {"student": ("LocalAggregation", "MultiLabelStudent", "Student", "build_student")})
