"""What the image backbones of pocket teachers share: pooling, and how open_clip and timm see them."""

from __future__ import annotations

from typing import Any

from timm.models import generate_default_cfgs
from torch import Tensor, nn


class PocketBackbone(nn.Module):
    """A backbone with the attributes that open_clip needs of a timm model."""

    num_features: int
    head_hidden_size: int

    def reset_classifier(self, num_classes: int, global_pool: str = "avg") -> None:
        """Set the pooling of the map; there is no classifier."""
        if num_classes != 0 or global_pool not in ("avg", ""):
            raise ValueError(f"expected no classes and 'avg' or '' as pooling, but got {num_classes}, {global_pool!r}")
        self.num_classes, self.global_pool = num_classes, global_pool

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the map [N, C, S / 16, S / 16] of a batch of images [N, 3, S, S]."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of the map, [N, C], or the map itself where pooling is ''."""
        features = self.forward_features(x)
        return features.mean(dim=(2, 3)) if self.global_pool else features


def untrained_config(name: str, first_conv: str) -> Any:
    """Return timm's `default_cfgs` of a backbone without weights to download.

    :param first_conv: name of its first convolution
    """
    entry = {"url": "", "input_size": (3, 160, 160), "pool_size": (10, 10), "classifier": "", "num_classes": 0}
    return generate_default_cfgs({f"{name}.untrained": {**entry, "first_conv": first_conv}})
