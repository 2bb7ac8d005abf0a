"""The image backbone of the pocket teacher: a ResNet on 4 x 4 patches, registered with timm for open_clip.

Plain 3x3 convolutions run fastest on CPUs with bfloat16 units. Most of the work is done at stride 8. The feature map
has stride 16, not 32, so that small objects keep their own cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from timm.models import build_model_with_cfg, register_model
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.teachers.pocket_backbone import PocketBackbone, untrained_config

__all__ = ["pocket_patch_resnet"]

_STEM, _STAGES = 64, ((1, 64, 1), (4, 160, 2), (2, 320, 2))
"""Channels of the patches; blocks, channels and stride of each stage."""

default_cfgs = untrained_config("pocket_patch_resnet", "stem")


class MultiInputBatchNorm(nn.BatchNorm2d):
    """Batch norm with the statistics of several batches of images of different sizes together.

    Images of piles and of single objects are trained on in one step. If each were normalized by itself, training
    would differ from evaluation with the running statistics.
    """

    def forward_feature_maps(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Normalize maps [N_i, C, h_i, w_i] together."""
        if len(maps) == 1 or not self.training:
            return [self(x) for x in maps]
        rows = [x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]) for x in maps]
        normalized = self(torch.cat(rows)[:, :, None, None])[:, :, 0, 0]
        parts = normalized.split([len(part) for part in rows])
        return [
            part.reshape(len(x), *x.shape[2:], x.shape[1]).permute(0, 3, 1, 2)
            for part, x in zip(parts, maps, strict=True)
        ]


class Block(nn.Module):
    """A residual block of two 3x3 convolutions; its second norm begins at zero."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, 1, bias=False)
        self.norm1 = MultiInputBatchNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = MultiInputBatchNorm(width)
        same = in_channels == width and stride == 1
        self.shortcut = None if same else nn.Conv2d(in_channels, width, stride, stride, bias=False)
        nn.init.zeros_(self.norm2.weight)

    def forward_feature_maps(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Run the block over maps of several sizes."""
        inner = [functional.relu(x) for x in self.norm1.forward_feature_maps([self.conv1(x) for x in maps])]
        inner = self.norm2.forward_feature_maps([self.conv2(x) for x in inner])
        residual = maps if self.shortcut is None else [self.shortcut(x) for x in maps]
        return [functional.relu(y + x) for x, y in zip(residual, inner, strict=True)]


class PocketResNet(PocketBackbone):
    """The backbone."""

    def __init__(self, num_classes: int = 0, in_chans: int = 3, global_pool: str = "avg") -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_chans, _STEM, 4, 4, bias=False)
        self.norm = MultiInputBatchNorm(_STEM)
        blocks, width = [], _STEM
        for depth, channels, first_stride in _STAGES:
            for n in range(depth):
                blocks.append(Block(width, channels, first_stride if n == 0 else 1))
                width = channels
        self.blocks = nn.ModuleList(blocks)
        self.num_features = self.head_hidden_size = width
        self.reset_classifier(num_classes, global_pool)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward_feature_maps(self, images: Sequence[Tensor]) -> list[Tensor]:
        """Return the maps [N_i, C, S_i / 16, S_i / 16] of batches of images [N_i, 3, S_i, S_i]."""
        maps = [functional.relu(x) for x in self.norm.forward_feature_maps([self.stem(x) for x in images])]
        for block in self.blocks:
            maps = block.forward_feature_maps(maps)  # type: ignore[operator]
        return maps

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the map of stride 16 of a batch of images."""
        return self.forward_feature_maps([x])[0]


@register_model
def pocket_patch_resnet(pretrained: bool = False, **kwargs: Any) -> PocketResNet:
    """Build the backbone; timm's entry point."""
    model: PocketResNet = build_model_with_cfg(PocketResNet, "pocket_patch_resnet", pretrained, **kwargs)
    return model
