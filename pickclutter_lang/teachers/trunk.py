"""The pocket teacher's image trunk, registered with timm so that open_clip builds it from a configuration.

Plain 3x3 convolutions in residual blocks: they are what CPUs with bfloat16 units run fastest. The map has stride
16, not 32, so that small objects keep a cell of their own; the norm has no batch statistics, so that pictures of piles
and of single objects can take turns in training.
"""

from __future__ import annotations

from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from timm.models.byobnet import ByoBlockCfg, ByobNet, ByoModelCfg

__all__ = ["pocket_resnet"]

default_cfgs = generate_default_cfgs(
    {
        "pocket_resnet.untrained": {
            "url": "",
            "input_size": (3, 160, 160),
            "pool_size": (10, 10),
            "first_conv": "stem.conv",
            "classifier": "head.fc",
        }
    }
)


@register_model
def pocket_resnet(pretrained: bool = False, **kwargs: Any) -> ByobNet:
    """Build the trunk: a stem of stride 2, then three stages of residual blocks that each halve the map."""
    stages = ((2, 64), (2, 160), (3, 320))
    config = ByoModelCfg(
        blocks=tuple(ByoBlockCfg(type="basic", d=depth, c=width, s=2, gs=0, br=1.0) for depth, width in stages),
        stem_chs=32,
        stem_type="3x3",
        stem_pool="",
        norm_layer="groupnorm1",
    )
    return build_model_with_cfg(
        ByobNet, "pocket_resnet", pretrained, model_cfg=config, feature_cfg={"flatten_sequential": True}, **kwargs
    )
