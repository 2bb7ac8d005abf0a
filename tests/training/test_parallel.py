"""One training in several processes computes what one process computes, on any number of rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers import rank_steps
from helpers.ranks import run_ranks
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.parallel import check_rows, from_main, gather_rows
from pickclutter_lang.utils.ranks import is_main, own_rows, rank, world_size


@pytest.mark.slow
@pytest.mark.parametrize("network", ["small_resnet", "efficientnet_b0"])  # batch norm of timm, of torch, recomputed
@pytest.mark.parametrize("count", [2, 3])  # of 7 rows: none has as many as another
def test_steps_are_those_of_one_process(network: str, count: int, tmp_path: Path) -> None:
    for folder in ("one", "several"):
        (tmp_path / folder).mkdir()
    rank_steps.run(network, tmp_path / "one")
    command = [rank_steps.__file__, network, "several"]
    ended = run_ranks([command] * count, tmp_path)
    assert [status for status, *_ in ended] == [0] * count, ended
    alone = load_file(tmp_path / "one" / "rank0.safetensors")
    ranks = [load_file(tmp_path / "several" / f"rank{n}.safetensors") for n in range(count)]
    compared = [name for name in alone if name.startswith(("weights", "loss"))]
    assert any("running_var" in name for name in compared)
    for found in ranks:
        for name in compared:
            torch.testing.assert_close(found[name], alone[name], rtol=1e-9, atol=1e-9, msg=name)
            assert torch.equal(found[name], ranks[0][name]), f"{name} differs between the processes"
    assert [int(found["told"]) for found in ranks] == [0] * count
    draws = [tuple(found[f"draw{step}"].tolist()) for found in ranks for step in range(rank_steps.STEPS)]
    assert len(set(draws)) == len(draws), "two steps or processes drew the same numbers"


def test_alone_every_row_is_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    rows = torch.rand(3, 2)
    assert world_size() == 1 and is_main() and list(own_rows(3)) == [0, 1, 2]
    assert gather_rows(rows, 3) is rows
    assert from_main(lambda: "value") == "value"


def test_rows_of_a_batch_go_to_one_process_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    found: list[int] = []
    for number in range(3):
        monkeypatch.setenv("RANK", str(number))
        assert (rank(), is_main()) == (number, number == 0)
        found += own_rows(7)
    assert sorted(found) == list(range(7))


@pytest.mark.parametrize("values", [{"WORLD_SIZE": "two"}, {"WORLD_SIZE": "0"}, {"WORLD_SIZE": "2", "RANK": "2"}])
def test_other_numbers_of_processes_are_refused(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidArgumentError, match=r"expected .*(RANK|WORLD_SIZE)"):
        rank()


def test_a_process_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "9")
    check_rows(9, "distill")
    with pytest.raises(InvalidArgumentError, match=r"expected at most 8 processes.* distill, but got 9"):
        check_rows(8, "distill")
