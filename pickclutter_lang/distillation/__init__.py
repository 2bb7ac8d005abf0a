"""The losses of the paper as pure functions of tensors, and the objective that sums them."""

from pickclutter_lang.distillation.language import caption_loss, classification_loss, vl_proximity_loss
from pickclutter_lang.distillation.multilabel import asymmetric_loss, local_asymmetric_loss, pairwise_proximity_loss
from pickclutter_lang.distillation.objective import TERMS, Objective, Words
from pickclutter_lang.distillation.picture_objective import PICTURE_TERMS, PictureObjective
from pickclutter_lang.distillation.visual import image_contrastive_loss, mse_loss

__all__ = [
    "PICTURE_TERMS",
    "TERMS",
    "Objective",
    "PictureObjective",
    "Words",
    "asymmetric_loss",
    "caption_loss",
    "classification_loss",
    "image_contrastive_loss",
    "local_asymmetric_loss",
    "mse_loss",
    "pairwise_proximity_loss",
    "vl_proximity_loss",
]
