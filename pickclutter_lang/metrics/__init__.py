"""Metrics of predictions and of features, as pure functions of tensors."""

from pickclutter_lang.metrics.features import (
    FeatureDistance,
    alignment_inversions,
    feature_distance,
    mean_class_accuracy,
    neighbour_overlap,
    relative_match,
)
from pickclutter_lang.metrics.multilabel import (
    average_precisions,
    class_rows,
    mean_average_precision,
    multilabel_row,
    observation_f1,
    overall_accuracy,
    precision_recall,
    trivial_predictors,
)

__all__ = [
    "FeatureDistance",
    "alignment_inversions",
    "average_precisions",
    "class_rows",
    "feature_distance",
    "mean_average_precision",
    "mean_class_accuracy",
    "multilabel_row",
    "neighbour_overlap",
    "observation_f1",
    "overall_accuracy",
    "precision_recall",
    "relative_match",
    "trivial_predictors",
]
