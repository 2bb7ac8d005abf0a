"""Students of each library: shapes, strides, gradients, and agreement with the stock networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from efficientnet_pytorch import EfficientNet
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.student import LocalAggregation, Student, build_student, normalize_rgb, resolve_bf16
from pickclutter_lang.teachers.pocket import dense_maps, load_pocket_teacher

D = 12


def student(name: str = "efficientnet_b0", channels: int = 3, stride: int | None = None) -> Student:
    torch.manual_seed(0)
    return build_student(StudentConfig(name, stride), channels, D)


@pytest.mark.parametrize(
    ("name", "channels", "stride", "side", "cells"),
    [
        ("efficientnet_b0", 8, 16, 128, 8),
        ("efficientnet_b0", 3, 32, 100, 4),
        ("timm/resnet18", 4, None, 64, 2),
        ("small_resnet", 3, 8, 100, 13),
        ("pocket", 3, 16, 64, 4),
        ("timm/resnet10t", 3, 8, 64, 8),
        ("timm/mobilenetv3_small_050", 8, 16, 64, 4),
        ("timm/vit_tiny_patch16_224", 3, None, 64, 4),
    ],
)
def test_features_have_the_promised_shapes(name: str, channels: int, stride: int | None, side: int, cells: int) -> None:
    network = student(name, channels, stride).eval()
    with torch.no_grad():
        features = network(torch.randn(2, channels, side, side))
    assert features.pooled.shape == (2, D)
    assert features.spatial.shape == (2, D, cells, cells)
    assert bool(features.pooled.isfinite().all()) and bool(features.spatial.isfinite().all())


@pytest.mark.parametrize("side", [128, 100])
def test_efficientnet_equals_its_library(side: int) -> None:
    ours = student().eval()
    stock = EfficientNet.from_name("efficientnet-b0", image_size=side, include_top=False).eval()
    stock.load_state_dict(ours.backbone.network.state_dict())  # type: ignore[union-attr]
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected = stock.extract_features(images)
        torch.testing.assert_close(ours.backbone(images), expected, rtol=1e-4, atol=1e-5)
        pooled = stock(images).flatten(1)
        torch.testing.assert_close(ours(images).pooled, ours.global_head(pooled), rtol=1e-4, atol=1e-5)


def test_activation_checkpointing_changes_nothing_and_saves_memory() -> None:
    images = torch.randn(4, 3, 64, 64)
    results = []
    for activation_checkpointing in (False, True):
        torch.manual_seed(0)
        network = build_student(
            StudentConfig("efficientnet_b0", None, activation_checkpointing=activation_checkpointing), 3, D
        ).train()
        saved: list[int] = []

        def record(x: torch.Tensor, saved: list[int] = saved) -> torch.Tensor:
            saved.append(x.numel())
            return x

        with torch.autograd.graph.saved_tensors_hooks(record, lambda x: x):
            features = network(images)  # with dropout and drop connect
        loss = features.pooled.square().sum() + features.spatial.square().sum()
        loss.backward(retain_graph=True)
        loss.backward()
        results.append((features, [w.grad for w in network.parameters()], network.state_dict(), sum(saved)))
    reference, checkpointed = results
    torch.testing.assert_close(checkpointed[:3], reference[:3], rtol=0, atol=0)
    assert checkpointed[3] < 0.2 * reference[3]
    assert network(images).spatial.isfinite().all()  # the running statistics are updated
    assert int(network.backbone.network._bn0.num_batches_tracked) == 2  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize(
    ("name", "stride"),
    [("efficientnet_b0", 16), ("timm/resnet10t", 16), ("small_resnet", 8)],
)
def test_every_weight_gets_a_gradient(name: str, stride: int) -> None:
    network = student(name, channels=4, stride=stride)
    features = network(torch.randn(2, 4, 64, 64))
    (features.pooled.square().sum() + features.spatial.square().sum()).backward()
    missing = [key for key, weight in network.named_parameters() if weight.grad is None]
    assert missing == []
    assert all(bool(weight.grad.isfinite().all()) for weight in network.parameters() if weight.grad is not None)


@pytest.mark.parametrize("channels", [3, 8])
def test_pretrained_weights_are_those_in_the_cache(
    channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    stock = EfficientNet.from_name("efficientnet-b0", image_size=64).eval()
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(stock.state_dict(), cache / "efficientnet-b0-355c32eb.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    ours = build_student(StudentConfig("efficientnet_b0", None, pretrained=True), channels, D).eval()
    gray = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        expected = stock.extract_features(gray.expand(-1, 3, -1, -1))
        results = ours.backbone(gray.expand(-1, channels, -1, -1))
    torch.testing.assert_close(results, expected, rtol=1e-3, atol=1e-4)


def test_a_pocket_student_starts_as_the_embedded_teacher() -> None:
    teacher = load_pocket_teacher()
    model: Any = teacher.model
    torch.manual_seed(0)
    ours = build_student(StudentConfig("pocket", pretrained=True), 3, teacher.embed_dim)
    images = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        features = ours.eval()(normalize_rgb(images.clone()))
        dense = dense_maps(model, model.visual.trunk.forward_features(2 * images - 1))
    torch.testing.assert_close(features.spatial, dense, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(features.pooled, dense.mean(dim=(2, 3)), rtol=1e-3, atol=1e-4)
    trained = ours.train()
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in trained.parameters() if p.requires_grad], lr=0.1)
    trained(normalize_rgb(images.clone())).spatial.square().sum().backward()
    optimizer.step()
    changed = {key for key, value in trained.state_dict().items() if not torch.equal(value, before[key])}
    assert "local_head.weight" in changed and any("blocks.6" in key for key in changed)
    fixed = ("conv_stem", "network.bn1", "blocks.0.", "blocks.1.", "blocks.2.", "running_", "num_batches")
    assert not [key for key in changed if any(part in key for part in fixed)]


@pytest.mark.parametrize("name", ["efficientnet_b0", "timm/resnet18.tv_in1k"])
def test_pretrained_without_network_is_a_named_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cache in ("TORCH_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(cache, str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda _: None)  # the client tries again for 40 seconds
    with pytest.raises(MissingAssetsError, match=name.rpartition("/")[2]):
        build_student(StudentConfig(name, None, pretrained=True), 3, D)


def slow_aggregation(
    local: NDArray[Any],
    positive: NDArray[Any],
    negative: NDArray[Any],
    tau: float,
    scale: float,
    bias: float,
    own: bool,
) -> NDArray[Any]:
    def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
        return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))

    result = np.zeros((len(local), len(positive)))
    for n, image in enumerate(local):
        cells = [image[:, i, j] for i in range(image.shape[1]) for j in range(image.shape[2])]
        for c in range(len(positive)):
            pair = []
            for text, by in ((positive, positive), (negative, negative if own else positive)):
                weights = [math.exp(cosine(cell, by[c]) / tau) for cell in cells]
                pooled = sum(w * cosine(cell, text[c]) for w, cell in zip(weights, cells, strict=True))
                pair.append(pooled / sum(weights))
            present = math.exp(scale * pair[0] + bias)
            absent = math.exp(scale * pair[1])
            result[n, c] = present / (present + absent)
    return result


@pytest.mark.parametrize("negative_attention", ["positive", "own"])
def test_local_aggregation_is_a_softmax_over_space_and_over_the_pair(
    negative_attention: Literal["positive", "own"],
) -> None:
    own = negative_attention == "own"
    generator = torch.Generator().manual_seed(1)
    local = torch.randn(2, D, 3, 4, generator=generator, dtype=torch.float64)
    positive, negative = torch.randn(2, 5, D, generator=generator, dtype=torch.float64)
    head = LocalAggregation(temperature=0.2, logit_scale=6.0, negative_attention=negative_attention).double()
    with torch.no_grad():
        head.bias.fill_(-0.7)
    for mode in (True, False):  # the bias acts in the same place in training and in evaluation
        scores = head.train(mode)(local, positive, negative)
        expected = slow_aggregation(local.numpy(), positive.numpy(), negative.numpy(), 0.2, 6.0, -0.7, own)
        assert scores.probabilities.detach().numpy() == pytest.approx(expected, abs=1e-6)
        # With one map for both prompts, the attention-weighted mean of the cells' log-odds is the label's.
        together = (scores.attention * scores.cell_logits).sum(dim=(2, 3)).sigmoid()
        assert torch.allclose(together, scores.probabilities) is not own
    assert scores.attention.shape == (2, 5, 3, 4)
    assert scores.attention.sum(dim=(2, 3)).detach().numpy() == pytest.approx(np.ones((2, 5)))


def test_without_dropout_training_is_deterministic() -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 3, 64, 64)
    for dropout in (True, False):
        model = build_student(StudentConfig("efficientnet_b0", None, dropout=dropout), 3, D).train()
        same = torch.equal(model(images).pooled, model(images).pooled)
        assert same is not dropout


def test_precision_is_that_of_the_cores_or_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for capabilities, fast in (({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"avx2": True}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=capabilities: known, raising=False)
        assert resolve_bf16("auto", "cpu") is fast and not resolve_bf16("auto", "cuda:0")
        assert resolve_bf16("bfloat16", "cpu") and not resolve_bf16("float32", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for capability, fast in (((9, 0), True), ((8, 0), True), ((7, 5), False)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, known=capability: known)
        assert resolve_bf16("auto", "cuda:0") is fast and not resolve_bf16("float32", "cuda:0")


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: student("timm/nothing"), "timm/nothing"),
        (lambda: student("timm/vit_tiny_patch16_224", stride=8), "output_stride"),
        (lambda: student("small_resnet", stride=32), "output_stride"),
        (lambda: student("pocket", channels=4), "channels"),
        (lambda: StudentConfig(name="pocket").validate(), "pretrained"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], key: str) -> None:
    with pytest.raises(InvalidArgumentError, match=key):
        call()
