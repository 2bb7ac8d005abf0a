"""What other processes compute ahead comes in order, the same for any number of them, and with its errors."""

import os
import signal

import pytest

from pickclutter_lang.errors import DatasetError, WorkerError
from pickclutter_lang.utils.prefetch import prefetch_map


@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_results_come_in_order(num_workers: int) -> None:
    assert list(prefetch_map(lambda number: number**2, 10, num_workers)) == [number**2 for number in range(10)]
    assert list(prefetch_map(lambda number: number, 0, num_workers)) == []


@pytest.mark.parametrize("num_workers", [0, 1])
def test_named_errors_come_from_other_processes_as_they_are(num_workers: int) -> None:
    def refuse(number: int) -> int:
        if number:
            raise DatasetError("the disk is full")
        return number

    results = prefetch_map(refuse, 3, num_workers)
    assert next(results) == 0
    with pytest.raises(DatasetError, match="disk"):
        next(results)


def test_a_process_that_was_ended_is_named() -> None:
    def end(number: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(WorkerError, match="num_workers"):
        list(prefetch_map(end, 3, 1))
