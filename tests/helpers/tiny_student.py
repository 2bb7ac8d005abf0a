"""Students of two convolutions, in which rounding grows little from step to step, unlike in a deep one."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from pickclutter_lang.students.backbones import Backbone

_WIDTHS = (16, 32)


def tiny(channels: int, output_stride: int | None, pretrained: bool) -> Backbone:
    """Build one without batch norms, whose features of an image depend on no other image."""
    return _build(channels, lambda width: nn.GroupNorm(4, width), dropout=0.0)


def tiny_with_dropout(channels: int, output_stride: int | None, pretrained: bool) -> Backbone:
    """Build one with batch norms and dropout, of which each process has its own."""
    return _build(channels, nn.BatchNorm2d, dropout=0.3)


def _build(channels: int, norm: Callable[[int], nn.Module], dropout: float) -> Backbone:
    layers: list[nn.Module] = []
    for before, width in zip((channels, *_WIDTHS), _WIDTHS, strict=False):
        layers += [nn.Conv2d(before, width, 4, 4, bias=False), norm(width), nn.SiLU()]
    return Backbone(nn.Sequential(*layers), _WIDTHS[-1], dropout)
