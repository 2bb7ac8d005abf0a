"""How good predictions and features are."""

from pickclutter_lang.metrics.multilabel import (
    average_precisions,
    mean_average_precision,
    multilabel_row,
    observation_f1,
    overall_accuracy,
    precision_recall,
    trivial_predictors,
)

__all__ = [
    "average_precisions",
    "mean_average_precision",
    "multilabel_row",
    "observation_f1",
    "overall_accuracy",
    "precision_recall",
    "trivial_predictors",
]
