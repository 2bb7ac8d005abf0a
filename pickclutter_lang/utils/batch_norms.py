"""Batch norms of frozen networks, as part of the convolutions before them."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.utils.fusion import fuse_conv_bn_weights

_FOLD_TOLERANCE = 1e-3
"""Largest difference that folding may make, as part of the largest value."""


def noise(*shape: int) -> Tensor:
    """Return the same noise in 0..1 at each call."""
    return torch.rand(math.prod(shape), generator=torch.Generator().manual_seed(0)).reshape(shape)


@torch.no_grad()
def fold_batch_norms(network: nn.Module, images: Tensor, use_bf16: bool) -> nn.Module:
    """Return a network that computes the same in less time: batch norms become part of the convolutions before them.

    Where that changes more than rounding, as in a network that also uses a convolution in another way, the network is
    returned as it is.

    :param network: in eval mode
    :param images: an example of its input, with the mean and variance of images
    :param use_bf16: convert the weights of these convolutions to bfloat16, for calls under autocast
    """
    folded = copy.deepcopy(network)
    convolutions: dict[Tensor, nn.Conv2d] = {}
    norms: dict[nn.Module, nn.Conv2d] = {}

    def note(module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, nn.Conv2d):
            convolutions[output] = module
        elif isinstance(module, nn.BatchNorm2d) and module.track_running_stats and given[0] in convolutions:
            norms[module] = convolutions[given[0]]

    with register_module_forward_hook(note):
        expected = folded(images)
    for norm, conv in norms.items():
        stored: Any = norm
        conv.weight, conv.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, stored.running_mean, stored.running_var, stored.eps, stored.weight, stored.bias
        )
    for module in [*folded.modules()]:
        for name, child in module.named_children():
            if child in norms:  # timm's have an activation inside
                setattr(module, name, getattr(child, "act", nn.Identity()))
    largest = float((folded(images) - expected).abs().max())
    if not largest <= _FOLD_TOLERANCE * float(expected.abs().max()):
        return network
    for conv in norms.values() if use_bf16 else ():
        conv.to(torch.bfloat16)
    folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its annotations lack it
    return folded
