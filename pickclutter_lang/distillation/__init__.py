"""Distillation losses of the paper as pure functions of tensors, and the objectives that sum them."""

from pickclutter_lang.distillation.image_losses import image_contrastive_loss, mse_loss
from pickclutter_lang.distillation.image_objective import IMAGE_LOSS_NAMES, ImageObjective
from pickclutter_lang.distillation.multilabel_losses import (
    asymmetric_loss,
    local_asymmetric_loss,
    pairwise_proximity_loss,
)
from pickclutter_lang.distillation.scene_objective import LOSS_NAMES, SceneInputs, SceneObjective, VocabularyFeatures
from pickclutter_lang.distillation.text_losses import caption_loss, classification_loss, vl_proximity_loss

__all__ = [
    "IMAGE_LOSS_NAMES",
    "LOSS_NAMES",
    "ImageObjective",
    "SceneInputs",
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
