"""A student of two convolutions, in which rounding grows little from step to step, unlike in a deep one."""

from __future__ import annotations

from torch import nn

from pickclutter_lang.students.backbones import Backbone

_WIDTHS = (16, 32)


def tiny(channels: int, output_stride: int | None, pretrained: bool, dropout: float = 0.0) -> Backbone:
    layers: list[nn.Module] = []
    for before, width in zip((channels, *_WIDTHS), _WIDTHS, strict=False):
        layers += [nn.Conv2d(before, width, 4, 4, bias=False), nn.BatchNorm2d(width), nn.SiLU()]
    return Backbone(nn.Sequential(*layers), _WIDTHS[-1], dropout)


def tiny_with_dropout(channels: int, output_stride: int | None, pretrained: bool) -> Backbone:
    return tiny(channels, output_stride, pretrained, dropout=0.3)
