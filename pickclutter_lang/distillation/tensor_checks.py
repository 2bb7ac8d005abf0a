"""Validation of tensor arguments of the losses, with messages that name what was expected and what came."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError


def to_single(values: Tensor) -> Tensor:
    """Return half precision as float32, and anything else as it is."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def l2_normalize(features: Tensor) -> Tensor:
    """Return features [N, D] with L2 norm 1 along the last axis; half precision becomes float32."""
    return functional.normalize(to_single(features), dim=-1)


def check_features(**tensors: Tensor) -> None:
    """Check that all tensors are floating, finite, [rows, D] with one D and at least one row, and of one precision.

    Half precision counts as float32, to which the losses convert it.
    """
    for name, tensor in tensors.items():
        if tensor.ndim != 2 or not tensor.is_floating_point() or 0 in tensor.shape:
            raise InvalidArgumentError(
                f"expected {name} as a floating-point tensor [rows, D] with at least one row, "
                f"got {tensor.dtype} {list(tensor.shape)}"
            )
        if not bool(tensor.detach().isfinite().all()):
            raise InvalidArgumentError(f"expected finite {name}, but NaN or infinity is among its values")
    if len({tensor.dtype == torch.float64 for tensor in tensors.values()}) > 1:
        types = ", ".join(f"{name} {tensor.dtype}" for name, tensor in tensors.items())
        raise InvalidArgumentError(f"expected features of one precision, got {types}; convert those in float64 or all")
    if len({tensor.shape[1] for tensor in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in tensors.items())
        raise InvalidArgumentError(f"expected features of one width D, got {shapes}; project them to one width")


def check_equal_rows(**tensors: Tensor) -> None:
    """Check that all tensors have the same number of rows (row i belongs to image i in each)."""
    if len({tensor.shape[0] for tensor in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in tensors.items())
        raise InvalidArgumentError(f"expected one row per image in each tensor, got {shapes}")


def check_labels(labels: Tensor, rows: int, classes: int | None = None) -> None:
    """Check for integer labels [rows], each in 0..classes-1."""
    if labels.shape != (rows,) or labels.is_floating_point() or labels.dtype == torch.bool:
        raise InvalidArgumentError(
            f"expected labels as an integer tensor [{rows}], got {labels.dtype} {list(labels.shape)}"
        )
    if classes is not None and (int(labels.min()) < 0 or int(labels.max()) >= classes):
        got = f"{int(labels.min())}..{int(labels.max())}"
        raise InvalidArgumentError(f"expected labels in 0..{classes - 1} (rows of text), got {got}")


def check_positive(**values: float) -> None:
    """Check that each value is a finite number above 0."""
    for name, value in values.items():
        if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
            raise InvalidArgumentError(f"expected a finite {name} above 0, got {value!r}")


def check_count(**values: int) -> None:
    """Check that each value is an integer of at least 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidArgumentError(f"expected {name} as an integer of at least 1, got {value!r}")


def check_multilabel(probabilities: Tensor, targets: Tensor) -> None:
    """Check for probabilities and targets [N, C], both within [0, 1]."""
    if probabilities.ndim != 2 or not probabilities.is_floating_point() or 0 in probabilities.shape:
        raise InvalidArgumentError(
            "expected probabilities as a floating-point tensor [N, C] with N, C >= 1, "
            f"got {probabilities.dtype} {list(probabilities.shape)}"
        )
    if targets.shape != probabilities.shape:
        raise InvalidArgumentError(
            f"expected targets of the shape of probabilities {list(probabilities.shape)}, got {list(targets.shape)}"
        )
    check_probabilities("; logits need a sigmoid first", probabilities=probabilities, targets=targets)


def check_probabilities(hint: str = "", **tensors: Tensor) -> None:
    """Check that all values lie within [0, 1]; `hint` is appended to the message."""
    for name, tensor in tensors.items():
        low, high = (float(value) for value in tensor.detach().aminmax())
        if not (low >= 0.0 and high <= 1.0):
            raise InvalidArgumentError(f"expected {name} within [0, 1], got {low:g}..{high:g}{hint}")
