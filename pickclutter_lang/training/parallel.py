"""One training in several processes (ranks): each computes some rows of every batch, only by the student.

The features of all rows are then gathered with their gradient, and every rank computes the loss of the whole batch.
So a loss needs to know nothing of ranks, and is that of one process, with all its negatives. Batch norm takes the
statistics of the whole batch. Gradients are averaged: each rank's is that of the loss through its own rows, times the
number of ranks, since each rank's loss sends it one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError, RankError
from pickclutter_lang.utils.ranks import is_main, local_rank, local_world_size, rank, world_size
from pickclutter_lang.utils.validation import check_device

_LONGEST_WAIT = timedelta(days=1)
"""Others wait for rank 0 while it encodes images by the teacher. A process that ends is noticed at once."""
_own_seeds = torch.Generator()
_plain_batch_norm = functional.batch_norm


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Be a process of a training of several; where there is one, nothing happens.

    :param device: torch's name of the device that computes
    :raises RankError: when another process was lost, or, on ranks above 0, for any error of this one
    """
    if world_size() == 1:
        yield
        return
    backend = "cpu:gloo,cuda:nccl" if torch.device(device).type == "cuda" else "gloo"
    _call(distributed.init_process_group, backend, timeout=_LONGEST_WAIT)
    try:
        yield
    except Exception as error:
        if is_main() or isinstance(error, RankError):
            raise
        raise RankError(f"process {rank()} of {world_size()} failed ({type(error).__name__}: {error})") from error
    finally:
        distributed.destroy_process_group()


def choose_device(device: str) -> None:
    """Check that torch can use a device; of several processes of a machine each takes a GPU of its own.

    :raises InvalidArgumentError: when it cannot, or when there are fewer GPUs, or `device` names one of them
    """
    if world_size() > 1 and device.partition(":")[0] == "cuda":
        if device != "cuda" or local_world_size() > torch.cuda.device_count():
            raise InvalidArgumentError(
                f"expected device=cuda and a GPU for each process of this machine, but got device={device} and "
                f"{torch.cuda.device_count()} GPUs; start as many processes as there are GPUs"
            )
        torch.cuda.set_device(local_rank())  # before the check, which would make a context on the first GPU
    check_device(device)


def check_rows(smallest: int, name: str) -> None:
    """Check that each process has a row of every batch.

    :param smallest: rows of the smallest batch
    :param name: of the phase
    :raises InvalidArgumentError: when there are more processes
    """
    if smallest < world_size():
        raise InvalidArgumentError(
            f"expected at most {smallest} processes, the rows of the smallest batch of {name}, but got "
            f"{world_size()}; start fewer"
        )


@contextmanager
def main_first() -> Iterator[None]:
    """Have rank 0 run a block before the others, which then find its files."""
    if not is_main():
        wait_for_all()
    yield
    if is_main():
        wait_for_all()


def wait_for_all() -> None:
    """Wait until every rank comes to this call."""
    if distributed.is_initialized():
        _call(distributed.all_reduce, torch.zeros(1))


def from_main(compute: Callable[[], Any]) -> Any:
    """Return the value that rank 0 computes, on every rank."""
    values = [compute() if is_main() else None]
    if distributed.is_initialized():
        _call(distributed.broadcast_object_list, values, 0)
    return values[0]


def own_slice() -> slice:
    """Return which rows of a batch this process computes; all of them where it is the only one."""
    return slice(rank(), None, world_size()) if distributed.is_initialized() else slice(None)


def gather_rows(own: Tensor, count: int) -> Tensor:
    """Return the rows of a whole batch on every rank, with gradient.

    :param own: [n, ...], of `own_slice`
    :return: [count, ...]; where there is one process, `own` itself
    """
    if not distributed.is_initialized():
        return own
    rows = torch.arange(count, device=own.device)[own_slice()]
    return _sum(own.new_zeros(count, *own.shape[1:]).index_copy(0, rows, own))


def seed_own_draws(key: Sequence[int]) -> None:
    """Seed what each rank draws for its own rows.

    :param key: numbers >= 0, such as seed and epoch
    """
    _own_seeds.manual_seed(int(np.random.SeedSequence([*key, rank()]).generate_state(1)[0]))


@contextmanager
def own_draws() -> Iterator[None]:
    """Have a block, which computes own rows, draw other numbers on each rank, as for dropout.

    Without it all ranks draw the same numbers from torch's global generator, as for the texts of a step.
    """
    if not distributed.is_initialized():
        yield
        return
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(torch.randint(2**62, (), generator=_own_seeds)))
        yield


def backward(loss: Tensor, model: nn.Module) -> None:
    """Compute the gradients of a loss as `loss.backward()` does, and give each rank the mean of all ranks'."""
    loss.backward()
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    _call(distributed.all_reduce, flat)
    flat /= world_size()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


def share_weights(model: nn.Module) -> None:
    """Give every rank the weights of rank 0."""
    for value in model.state_dict().values() if distributed.is_initialized() else ():
        _call(distributed.broadcast, value, 0)


@contextmanager
def whole_batch_norm() -> Iterator[None]:
    """Have batch norms in training take the statistics of all ranks' rows together, in a block of a whole step.

    Batch norms of all libraries call one function of torch, which is replaced so long. `torch.nn.SyncBatchNorm` refuses
    CPUs, and takes the place of modules, among them those of a library's own class.
    """
    functional.batch_norm = _batch_norm if distributed.is_initialized() else _plain_batch_norm
    try:
        yield
    finally:
        functional.batch_norm = _plain_batch_norm


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training:
        return _plain_batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    wide = input.to(torch.promote_types(input.dtype, torch.float32))
    shape, axes = [1, -1, *[1] * (input.ndim - 2)], [axis for axis in range(input.ndim) if axis != 1]
    own_var, own_mean = torch.var_mean(wide, axes, correction=0)
    own_count = input.numel() // input.shape[1]
    sums = _sum(torch.cat([own_count * own_mean, own_mean.new_full((1,), own_count)]))
    count = sums[-1].detach()
    mean = sums[:-1] / count
    var = _sum(own_count * (own_var + (own_mean - mean).square())) / count
    if running_mean is not None and running_var is not None:
        running_mean.lerp_(mean.detach(), momentum)
        running_var.lerp_(var.detach() * count / (count - 1), momentum)
    scale = (var + eps).rsqrt() if weight is None else weight * (var + eps).rsqrt()
    normalized = (wide - mean.view(shape)) * scale.view(shape)
    return (normalized if bias is None else normalized + bias.view(shape)).to(input.dtype)


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all ranks; its gradient is the sum of theirs."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        _call(distributed.all_reduce, total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _sum(gradients[0])


def _sum(x: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]
    return total


def _call(communicate: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Communicate with the other ranks.

    :raises RankError: when one of them was lost
    """
    try:
        return communicate(*arguments, **options)
    except (RuntimeError, ValueError) as error:
        raise RankError(
            f"another of the {world_size()} processes of this training ended or cannot be reached "
            f"({' '.join(str(error).split())[:200]}); see what it said, and run the same command again to resume"
        ) from error
