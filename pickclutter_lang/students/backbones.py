"""Backbones: networks of timm and efficientnet_pytorch, `small_resnet` and `pocket`, without classifier.

Each maps images [N, K, S, S] to one feature map [N, W, h, w]. A library is imported by the function that builds its
networks: a student needs one of them, and each takes seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.utils.plugins import checked_result, is_plugin, resolve

if TYPE_CHECKING:
    from efficientnet_pytorch import EfficientNet

log = logging.getLogger(__name__)
EFFICIENTNETS = tuple(f"efficientnet_b{n}" for n in range(8))
_STRIDES = {"small_resnet": (8, 16), "pocket": (16,), "timm": (8, 16, 32)}
_STEM = 24
_STAGES = ((1, 64), (2, 128), (2, 256))
"""Of `small_resnet`: residual blocks and channels of each stage; the stem and every stage halve the map."""


@dataclass(frozen=True)
class Backbone:
    """A network, the width W of its last map, and the dropout rate before its library's last layer.

    `head`: a trained projection of its features, W to D, that both heads start from where the teacher's width is D.
    """

    module: nn.Module
    width: int
    dropout: float = 0.0
    head: nn.Linear | None = None


def build_backbone(
    name: str,
    channels: int,
    output_stride: int | None,
    pretrained: bool,
    dropout: bool = True,
    activation_checkpointing: bool = False,
) -> Backbone:
    """Build `small_resnet`, `pocket`, `efficientnet_b0`..`b7` (efficientnet_pytorch) or `timm/<name>`, or call a
    custom function, `module:attribute`.

    Such a function takes `channels`, `output_stride` and `pretrained` by name, and returns a `Backbone`, whose module
    maps float images [N, channels, S, S] to feature maps [N, width, h, w].

    :param channels: input channels K
    :param output_stride: 8 (`small_resnet` and most of timm's), 16 or 32: input size over map size; None leaves the
        network as it is (32 for most)
    :param pretrained: start from the library's ImageNet weights; a stem of other than 3 channels gets the mean
        over RGB of its filters. `pocket` starts from the weights of the embedded teacher `pocket`
    :param dropout: keep the random draws of the network: dropout, drop connect, stochastic depth; a custom function
        decides on its own
    :param activation_checkpointing: recompute EfficientNet's activations in the backward pass
    :raises InvalidArgumentError: on an unknown name, or a stride or checkpointing that the network does not offer
    :raises MissingAssetsError: when the pretrained weights can be neither found nor downloaded
    """
    library, _, model = name.rpartition("/")
    if activation_checkpointing and name not in EFFICIENTNETS:
        raise InvalidArgumentError(f"expected efficientnet_b0..b7 for activation_checkpointing, got {name}")
    if is_plugin(name):
        build = resolve(name, "student.name")
        made = build(channels=channels, output_stride=output_stride, pretrained=pretrained)
        return checked_result(made, Backbone, name, "student.name")
    strides = (None, *_STRIDES.get(library or name, (16, 32)))
    if output_stride not in strides:
        raise InvalidArgumentError(f"expected an output_stride of {name} out of {strides}, got {output_stride}")
    if pretrained:
        log.info("loading the pretrained weights of %s", name)
    try:
        if name == "small_resnet":
            return _small_resnet(channels, output_stride, pretrained)
        if name == "pocket":
            return _pocket(channels, pretrained)
        if name in EFFICIENTNETS:
            return _efficientnet(model, channels, output_stride, pretrained, dropout, activation_checkpointing)
        if library == "timm":
            return _timm(model, channels, output_stride, pretrained, dropout)
    except OSError as error:
        reason = " ".join([type(error).__name__, *str(error).splitlines()[:1]])[:200]
        raise MissingAssetsError(
            f"expected the pretrained weights of {name} on this machine, or a connection to download them, but got "
            f"neither ({reason}); run the same command once with a connection, or train from scratch: "
            "student.pretrained=false"
        ) from error
    raise InvalidArgumentError(
        f"expected a student network small_resnet, pocket, efficientnet_b0..b7, timm/<name> or module:attribute, got "
        f"{name!r}"
    )


def _small_resnet(channels: int, output_stride: int | None, pretrained: bool) -> Backbone:
    """Build a small ResNet of timm's blocks, which a CPU trains several times faster than EfficientNet.

    It has 2.7 M parameters and 0.3 G multiply-adds at 128 px. With stride 8 it gives the last two stages side by side.
    """
    if pretrained:
        raise InvalidArgumentError("there are no pretrained weights of small_resnet; train it with pretrained=False")
    from timm.models.byobnet import ByoBlockCfg, ByobNet, ByoModelCfg

    blocks = tuple(ByoBlockCfg(type="basic", d=depth, c=width, s=2, gs=0, br=1.0) for depth, width in _STAGES)
    config = ByoModelCfg(blocks=blocks, stem_chs=_STEM, stem_type="3x3", stem_pool="")
    network = ByobNet(config, num_classes=0, global_pool="", in_chans=channels)
    widths = [width for _, width in _STAGES]
    return Backbone(_LastTwoStages(network), sum(widths[-2:])) if output_stride == 8 else Backbone(network, widths[-1])


class _LastTwoStages(nn.Module):
    """Concatenates the maps of the last two of three stages, the last one upsampled to the other's size."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        network: Any = self.network
        first, second, third = network.stages
        high_resolution: Tensor = second(first(network.stem(images)))
        upsampled = functional.interpolate(third(high_resolution), size=high_resolution.shape[-2:], mode="bilinear")
        return torch.cat([upsampled, high_resolution], dim=1)


class _PocketMap(nn.Module):
    """The map of a pocket teacher's image encoder, which takes colors in -1..1; a student's are in -2..2."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.network(images / 2))


def _pocket(channels: int, pretrained: bool) -> Backbone:
    if channels != 3:
        raise InvalidArgumentError(f"expected RGB of one camera for pocket, got {channels} channels")
    from pickclutter_lang.teachers.efficientnet_lite import PocketEfficientNet
    from pickclutter_lang.teachers.pocket import load_pocket_teacher

    network = PocketEfficientNet(global_pool="")
    if not pretrained:
        return Backbone(_PocketMap(network), network.num_features)
    visual: Any = load_pocket_teacher().model.visual
    network.load_state_dict(visual.trunk.state_dict())
    return Backbone(_PocketMap(network), network.num_features, head=visual.head.proj)


class _EfficientNetMap(nn.Module):
    """The map after the head convolution, before pooling."""

    def __init__(self, network: EfficientNet, activation_checkpointing: bool) -> None:
        super().__init__()
        self.network = network
        self._activation_checkpointing = activation_checkpointing

    def forward(self, images: Tensor) -> Tensor:
        if not self._activation_checkpointing or not torch.is_grad_enabled():
            return cast(Tensor, self.network.extract_features(images))
        network: Any = self.network
        x = _checkpointed(network, lambda x: network._swish(network._bn0(network._conv_stem(x))), images)
        for number, block in enumerate(network._blocks):
            rate = network._global_params.drop_connect_rate * (number / len(network._blocks))
            x = _checkpointed(network, partial(block, drop_connect_rate=rate), x)
        return _checkpointed(network, lambda x: network._swish(network._bn1(network._conv_head(x))), x)


def _checkpointed(network: nn.Module, part: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute a part of a network and recompute its activations in the backward pass: less memory, more time.

    Values, gradients, random draws and the statistics of batch norm are those of the plain computation.

    :param network: the full network, whose batch norms must count the batch once
    :param part: the part to compute; a second call must give the same values
    :param x: its input; the random state of its device is preserved
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _FrozenStatistics(network)

    result: Tensor = checkpoint(part, x, use_reentrant=False, context_fn=contexts)
    return result


class _FrozenStatistics(AbstractContextManager[None]):
    """Keeps batch norm's running statistics unchanged; may be entered again for another backward pass."""

    def __init__(self, network: nn.Module) -> None:
        self._norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]

    def __enter__(self) -> None:
        self._before = [(norm.momentum, norm.num_batches_tracked) for norm in self._norms]
        for norm in self._norms:
            norm.momentum = 0.0
            norm.num_batches_tracked = None

    def __exit__(self, *_: object) -> None:
        for norm, (momentum, batches) in zip(self._norms, self._before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches


def _efficientnet(
    name: str, channels: int, output_stride: int | None, pretrained: bool, dropout: bool, activation_checkpointing: bool
) -> Backbone:
    from efficientnet_pytorch import EfficientNet
    from efficientnet_pytorch.utils import get_model_params, round_filters, url_map

    library_name = name.replace("_", "-")
    # image_size=None makes the library pad by the input's size: equal to its static padding at the configured
    # size, and right at any other.
    # The library's batch norm averages over a hundred steps (decay 0.99). In a run of some hundred steps its
    # statistics lag behind the weights, and evaluation is at chance.
    overrides = {"image_size": None, "include_top": False, "batch_norm_momentum": 0.9}
    if not dropout:
        overrides |= {"dropout_rate": 0.0, "drop_connect_rate": 0.0}
    blocks, config = get_model_params(library_name, overrides)
    if output_stride == 16:
        last = max(n for n, block in enumerate(blocks) if block.stride == [2])
        blocks[last] = blocks[last]._replace(stride=[1])
    network = EfficientNet(blocks, config)
    if pretrained:
        weights = torch.hub.load_state_dict_from_url(url_map[library_name], progress=False, weights_only=True)
        network.load_state_dict({key: value for key, value in weights.items() if not key.startswith("_fc.")})
    if channels != 3:
        _widen_stem(network._conv_stem, channels, pretrained)
    # The library's own swish saves memory by recomputing; torch's is faster on CPU.
    network.set_swish(memory_efficient=False)
    return Backbone(
        _EfficientNetMap(network, activation_checkpointing), round_filters(1280, config), config.dropout_rate
    )


def _widen_stem(stem: nn.Conv2d, channels: int, pretrained: bool) -> None:
    """Give a first convolution another number of input channels, in place."""
    old = stem.weight.detach()
    stem.in_channels = channels
    stem.weight = nn.Parameter(old.new_empty(old.shape[0], channels, *old.shape[2:]))
    stem.reset_parameters()
    if pretrained:
        # The response to an input that is equal in all channels does not change.
        stem.weight.data.copy_((old.mean(dim=1, keepdim=True) * old.shape[1] / channels).expand_as(stem.weight))


def _timm(name: str, channels: int, output_stride: int | None, pretrained: bool, dropout: bool) -> Backbone:
    import timm

    if not timm.is_model(name):
        raise InvalidArgumentError(f"expected a network of timm, but got timm/{name}; see timm.list_models()")
    options: dict[str, Any] = {} if output_stride is None else {"output_stride": output_stride}
    try:
        if getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False):
            options["dynamic_img_size"] = True  # of vision transformers: position embeddings for any size
        network: Any = timm.create_model(
            name, pretrained=pretrained, features_only=True, out_indices=(-1,), in_chans=channels, **options
        )
    except (AssertionError, NotImplementedError, RuntimeError, TypeError) as error:
        raise InvalidArgumentError(
            f"timm/{name} gives no feature map with output_stride={output_stride}: {error}"
        ) from error
    for module in () if dropout else network.modules():
        for rate in ("p", "drop_prob"):  # of torch's layers, and of timm's DropPath
            if isinstance(getattr(module, rate, None), float):
                setattr(module, rate, 0.0)
    return Backbone(_LastMap(network), network.feature_info.channels()[-1])


class _LastMap(nn.Module):
    """The last of timm's list of maps, channels first; Swin has them last."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._channels_last = getattr(network, "output_fmt", None) == "NHWC"

    def forward(self, images: Tensor) -> Tensor:
        last = cast(Tensor, self.network(images)[-1])
        return last.permute(0, 3, 1, 2) if self._channels_last else last
