"""`Student`: a backbone with a global and a spatial head of the teacher's embedding width."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.backbones import Backbone, build_backbone


class StudentFeatures(NamedTuple):
    """Features of N images, not normalized: `pooled` [N, D] for L_im-cst, `spatial` [N, D, h, w] for labels."""

    pooled: Tensor
    spatial: Tensor


class Student(nn.Module):
    """Maps images [N, K, S, S] to `StudentFeatures`.

    The two heads are separate, as in the paper's program: the pooled map goes through dropout and a linear
    layer, the map itself through a 1x1 convolution.
    """

    def __init__(self, name: str, backbone: Backbone, channels: int, embed_dim: int) -> None:
        super().__init__()
        self.name = name
        self.channels = channels
        self.embed_dim = embed_dim
        self.backbone = backbone.module
        self.dropout = nn.Dropout(backbone.dropout)
        self.global_head = nn.Linear(backbone.width, embed_dim)
        self.local_head = nn.Conv2d(backbone.width, embed_dim, kernel_size=1)
        if backbone.head is not None and backbone.head.out_features == embed_dim:
            self._start_from(backbone.head)

    @torch.no_grad()
    def _start_from(self, head: nn.Linear) -> None:
        for own in (self.global_head, self.local_head):
            own.weight.copy_(head.weight.view_as(own.weight))
            if own.bias is not None:
                own.bias.copy_(torch.zeros_like(own.bias) if head.bias is None else head.bias)

    def forward(self, images: Tensor) -> StudentFeatures:
        """Return the features of images.

        :param images: floating-point [N, K, S, S]
        :return: `pooled` [N, D], `spatial` [N, D, h, w] with h = w = S over the output stride
        :raises InvalidArgumentError: on another number of channels
        """
        features = self._map(images)
        return StudentFeatures(self._pooled(features), self.local_head(features))

    def global_features(self, images: Tensor) -> Tensor:
        """Return the pooled features [N, D] only; arguments and errors as of `forward`."""
        return self._pooled(self._map(images))

    def _pooled(self, features: Tensor) -> Tensor:
        pooled: Tensor = self.global_head(self.dropout(features.mean(dim=(2, 3))))
        return pooled

    def _map(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or images.shape[1] != self.channels:
            raise InvalidArgumentError(
                f"expected images [N, {self.channels}, S, S] for this student, got {list(images.shape)}; "
                "build the student with the channels of the data"
            )
        # On CPU this saves a quarter of the time of a training step; the weights keep their order.
        features: Tensor = self.backbone(images.contiguous(memory_format=torch.channels_last))
        return features


def build_student(
    name: str,
    *,
    channels: int,
    embed_dim: int,
    output_stride: int | None = None,
    pretrained: bool = False,
    dropout: bool = True,
    activation_checkpointing: bool = False,
) -> Student:
    """Build a student network.

    Weights are sampled from torch's global generator: seed it first. At 128 pixels a stride of 32 leaves a map of
    4x4 cells, one of 16 a map of 8x8, one of 8 a map of 16x16.

    :param name: `efficientnet_b0`..`efficientnet_b7` (efficientnet_pytorch; b0 is the paper's), `small_resnet`
        (see students/small_resnet.py), `pocket` (the image encoder of the embedded teacher), `torchvision/<name>`,
        `timm/<name>`, or `module:attribute` of a custom function (see `build_backbone`)
    :param channels: input channels K >= 1, such as 3 for RGB or 8 for RGB-D of two cameras
    :param embed_dim: width D of the teacher's features
    :param output_stride: input size over map size, 16 or 32, for `small_resnet` and most of timm's networks 8 too;
        None takes the library's default
    :param pretrained: start from the library's ImageNet weights (downloaded); the paper trains from scratch
    :param dropout: keep EfficientNet's dropout and drop connect; a run of some hundred steps learns faster without
    :param activation_checkpointing: recompute EfficientNet's activations in the backward pass: a third of their
        memory for one more forward pass, with equal results (checked on a CPU)
    :raises InvalidArgumentError: on an unknown name or a value that is not allowed
    :raises MissingAssetsError: when pretrained weights can be neither found nor downloaded
    """
    if channels < 1 or embed_dim < 1:
        raise InvalidArgumentError(f"expected channels and embed_dim above 0, got {channels} and {embed_dim}")
    if output_stride not in (None, 8, 16, 32):
        raise InvalidArgumentError(f"expected output_stride 8, 16, 32 or none, got {output_stride}")
    backbone = build_backbone(name, channels, output_stride, pretrained, dropout, activation_checkpointing)
    return Student(name, backbone, channels, embed_dim)
