"""One training in several processes (ranks): each computes some rows of every batch, only by the student.

The features of all rows are then gathered, and every rank computes the loss of the whole batch. So a loss needs to know
nothing of ranks, and is that of one process, with all its negatives. `DistributedDataParallel` averages the gradients
and shares weights and buffers. It takes the mean of losses over each rank's own rows for granted. A contrastive loss is
no such mean, which is why rows are gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from pickclutter_lang.errors import InvalidArgumentError, RankError
from pickclutter_lang.utils.ranks import is_main, local_rank, local_world_size, rank, world_size
from pickclutter_lang.utils.validation import check_device

_LONGEST_WAIT = timedelta(days=1)
"""Others wait for rank 0 while it encodes images by the teacher. A process that ends is noticed at once."""
_own_seeds = torch.Generator()


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
    try:
        distributed.init_process_group(backend, timeout=_LONGEST_WAIT)
        yield
    except Exception as error:
        if _is_of_communication(error):
            raise RankError(
                f"another of the {world_size()} processes of this training ended or cannot be reached "
                f"({' '.join(str(error).split())[:200]}); see what it said, and run the same command again to resume"
            ) from error
        if is_main():
            raise
        raise RankError(f"process {rank()} of {world_size()} failed ({type(error).__name__}: {error})") from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _is_of_communication(error: Exception) -> bool:
    """Return whether torch or its backend gloo, whose errors have no class of their own, lost another process."""
    return isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


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
        distributed.all_reduce(torch.zeros(1))


def from_main(compute: Callable[[], Any]) -> Any:
    """Return the value that rank 0 computes, on every rank."""
    values = [compute() if is_main() else None]
    if distributed.is_initialized():
        distributed.broadcast_object_list(values, 0)
    return values[0]


def own_slice() -> slice:
    """Return which rows of a batch this process computes; all of them where it is the only one."""
    return slice(rank(), None, world_size()) if distributed.is_initialized() else slice(None)


def gather_rows(own: Tensor, count: int) -> Tensor:
    """Return the rows of a whole batch on every rank.

    All ranks must compute the same loss of them. Its gradient comes to the own rows, times the number of ranks: of the
    gradients of their weights `DistributedDataParallel` takes the mean.

    :param own: [n, ...], of `own_slice`, used for nothing else
    :return: [count, ...]; where there is one process, `own` itself
    """
    if not distributed.is_initialized():
        return own
    rows = own.new_zeros(count, *own.shape[1:])
    rows[own_slice()] = own.detach()
    distributed.all_reduce(rows)
    if own.requires_grad:
        own.register_hook(lambda gradient: world_size() * gradient)
    rows[own_slice()] = own
    return rows


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


class _Loss(nn.Module):
    """The loss of a phase as the forward pass of a module, as `DistributedDataParallel` takes it."""

    def __init__(self, model: nn.Module, loss: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.forward = loss
        # Some batches leave parameters unused. Where none is, the search for them, which that takes, warns.
        self.unused = nn.Parameter(next(model.parameters()).new_zeros(()))


def synchronized(model: nn.Module, loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loss of which every rank gets the same gradients; where there is one process, the loss itself.

    Every rank gets the weights of rank 0 now, and its buffers before each loss. On CUDA the batch norms of the model
    become those of `SyncBatchNorm`, which take the statistics of the whole batch. On CPUs, for which torch has none,
    each rank takes those of its own rows.

    :param model: what is trained
    :param loss: of the model, to a scalar and other values
    """
    if not distributed.is_initialized():
        return loss
    if next(model.parameters()).is_cuda:
        from timm.layers.norm_act import convert_sync_batchnorm  # takes seconds; torch's drops timm's activations

        convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return DistributedDataParallel(_Loss(model, loss), find_unused_parameters=True)
