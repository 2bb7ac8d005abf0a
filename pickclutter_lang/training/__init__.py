"""The training loop: data, schedule, checkpoints, seeds."""

from pickclutter_lang.training.config import EvaluateSettings, TrainSettings
from pickclutter_lang.training.model import AffordanceModel, Prediction
from pickclutter_lang.training.run import Run, saved_settings

__all__ = [
    "AffordanceModel",
    "EvaluateSettings",
    "Prediction",
    "Run",
    "TrainSettings",
    "saved_settings",
]
