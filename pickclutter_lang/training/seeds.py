"""Seeds of the global generators in a training."""

from __future__ import annotations

import random

import numpy as np
import torch


def phase_seed(seed: int, number: int) -> int:
    """Return the seed of a phase's global generators, from the run's and the phase's number, from 0.

    The first phase has the seed of the run. Later ones mix both, so that no other run's phase has the same stream.
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) if number else seed


def seed_everything(seed: int) -> None:
    """Seed the global generators of python, numpy and torch, which libraries draw from (dropout, first weights)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
