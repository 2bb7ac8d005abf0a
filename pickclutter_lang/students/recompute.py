"""Activations that are computed again for the backward pass instead of being kept: less memory, more time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(network: nn.Module, part: Callable[[], Tensor]) -> Tensor:
    """Compute a part of a network; its activations are computed again when the backward pass needs them.

    Values, gradients, random draws and the statistics of batch norm are those of the plain computation.

    :param network: whose batch norms, wherever they are, count the batch once
    :param part: what to compute; it must give the same when it is called again
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_kept(network)

    result: Tensor = checkpoint(part, use_reentrant=False, context_fn=contexts)
    return result


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norm as they are."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches
