"""Activation checkpointing that leaves batch norm's running statistics right: less memory, more time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpoint_forward(network: nn.Module, part: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute a part of a network and recompute its activations in the backward pass.

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
            norm.momentum, norm.num_batches_tracked = 0.0, None

    def __exit__(self, *_: object) -> None:
        for norm, (momentum, batches) in zip(self._norms, self._before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches
