"""Distillation losses of the paper as pure functions of tensors, and the objectives that sum them."""

from pickclutter_lang.distillation.losses import (
    asymmetric_loss,
    caption_loss,
    classification_loss,
    image_contrastive_loss,
    local_asymmetric_loss,
    mse_loss,
    pairwise_proximity_loss,
    vl_proximity_loss,
)
from pickclutter_lang.distillation.objectives import (
    ImageObjective,
    Objective,
    SceneObjective,
    VocabularyFeatures,
)

__all__ = [
    "ImageObjective",
    "Objective",
    "SceneObjective",
    "VocabularyFeatures",
    "asymmetric_loss",
    "caption_loss",
    "classification_loss",
    "image_contrastive_loss",
    "local_asymmetric_loss",
    "mse_loss",
    "pairwise_proximity_loss",
    "vl_proximity_loss",
]
