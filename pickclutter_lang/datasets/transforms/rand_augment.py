"""RandAugment of single images, drawn from a generator."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def rand_augment(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Return an image, uint8 [3, H, W], after torchvision's RandAugment(2, 9), as in the paper's program."""
    from torchvision.transforms import v2  # takes seconds, and few runs change images so

    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
        torch.default_generator.manual_seed(int(rng.integers(2**62)))
        changed: Tensor = v2.RandAugment(2, 9)(image)
    return changed
