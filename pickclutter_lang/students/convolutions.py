"""Changes of the convolutions of a library's network: other input channels, and a larger last map."""

from __future__ import annotations

from torch import nn

from pickclutter_lang.errors import InvalidArgumentError


def widen_stem(network: nn.Module, channels: int, pretrained: bool) -> None:
    """Give the first convolution another number of input channels, in place."""
    stem = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    if channels == stem.in_channels:
        return
    old = stem.weight.detach()
    stem.in_channels = channels
    stem.weight = nn.Parameter(old.new_empty(old.shape[0], channels, *old.shape[2:]))
    stem.reset_parameters()
    if pretrained:
        # The response to an input that is equal in all channels does not change.
        mean = old.mean(dim=1, keepdim=True) * old.shape[1] / channels
        stem.weight.data.copy_(mean.expand_as(stem.weight))


def keep_size_in_last_stage(trunk: nn.Sequential) -> None:
    """Set the strides of the last stage that has any to 1, in place.

    :raises InvalidArgumentError: when that is the stage of the first convolution, whose stride all the others need
    """
    stages = [stage for child in trunk for stage in (child if isinstance(child, nn.Sequential) else [child])]
    if len(trunk) > 1:
        stages = list(trunk)
    stem = next(module for module in trunk.modules() if isinstance(module, nn.Conv2d))
    for stage in reversed(stages):
        strided = [m for m in stage.modules() if isinstance(m, nn.Conv2d) and max(m.stride) > 1]
        if stem in strided:
            break
        if strided:
            for convolution in strided:
                convolution.stride = (1, 1)
            return
    raise InvalidArgumentError(
        "expected a network with a strided convolution after its stem for output_stride=16, but it has none; take "
        "output_stride=null, or a network of timm"
    )
