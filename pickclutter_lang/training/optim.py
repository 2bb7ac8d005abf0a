"""Optimisers and learning rate schedules whose whole state is a step number."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from pickclutter_lang.training.config import PhaseSettings


def build_optimizer(model: nn.Module, settings: PhaseSettings) -> torch.optim.Optimizer:
    """Build SGD (momentum 0.9) or AdamW; norms, biases and single numbers take no weight decay."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, fused=True)
    return torch.optim.AdamW(groups, lr=settings.lr, fused=True)


def build_schedule(optimizer: torch.optim.Optimizer, settings: PhaseSettings, epoch_steps: int) -> LRScheduler:
    """Build the schedule, stepped after every batch.

    :param epoch_steps: batches in an epoch
    """
    total = epoch_steps * settings.epochs
    if settings.schedule == "one_cycle":
        return OneCycleLR(optimizer, max_lr=settings.lr, total_steps=total + 1)

    def factor(step: int) -> float:
        if settings.schedule == "steps":
            return settings.gamma ** sum(step >= epoch_steps * milestone for milestone in settings.milestones)
        return cosine(step, total, round(settings.warmup * total))

    return LambdaLR(optimizer, factor)


def cosine(step: int, total: int, warmup: int) -> float:
    """Return the factor on the learning rate: linear up over `warmup` steps, then half a cosine down to 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
