"""Optimizers and learning rate schedules; a schedule's only state is the step number."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from pickclutter_lang.training.config import PhaseConfig


def build_optimizer(model: nn.Module, config: PhaseConfig) -> torch.optim.Optimizer:
    """Build SGD (momentum 0.9) or AdamW; norms, biases and single numbers take no weight decay."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9, fused=True)
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def build_schedule(optimizer: torch.optim.Optimizer, config: PhaseConfig, epoch_steps: int) -> LRScheduler:
    """Build the schedule, stepped after every batch.

    `one_cycle` is torch's, with its cycle of the momentum (of AdamW: beta1) from 0.95 to 0.85 and back.

    :param epoch_steps: batches in an epoch
    """
    total = epoch_steps * config.epochs
    if config.schedule == "one_cycle":
        return OneCycleLR(optimizer, max_lr=config.lr, total_steps=total + 1)

    def factor(step: int) -> float:
        if config.schedule == "multistep":
            return config.gamma ** sum(step >= epoch_steps * milestone for milestone in config.milestones)
        return cosine(step, total, round(config.warmup_fraction * total))

    return LambdaLR(optimizer, factor)


def cosine(step: int, total: int, warmup: int) -> float:
    """Return the factor on the learning rate: linear up over `warmup` steps, then half a cosine down to 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
