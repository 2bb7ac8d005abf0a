"""Names of the phases of training, and of the stages at which a student is evaluated."""

from __future__ import annotations

DISTILL, FEW_SHOT = "distill", "few_shot"
"""Phases of every run: distillation on Y_id, then fine-tuning on few samples of Y_ood too."""
CROP_CLASSIFIER = "crop_classifier"
"""Phase of a run on scenes: a second student, which names single objects."""
CONTINUAL = "continual"
"""Phase of a run on single images: fine-tuning on only one half of Y_ood (Table 11)."""

STAGES = {"zero_shot": DISTILL, "retrieval": DISTILL, "few_shot": FEW_SHOT}
"""Stage -> the phase whose student is evaluated."""
STAGE_TITLES = {"zero_shot": "zero-shot", "few_shot": "few-shot", "retrieval": "retrieval"}
"""Stage -> its title in tables, in the order of their columns."""
