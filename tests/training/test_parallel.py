"""Steps of one training in several processes: those of one process but for batch norms, and equal in all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from helpers import rank_steps
from helpers.ranks import run_ranks
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.parallel import check_rows

NETWORK = "efficientnet_b0"


def steps_of_two(batch_norms: str, folder: Path) -> list[dict[str, Tensor]]:
    """Return what two processes write of steps on 7 rows: one has a row more than the other."""
    ended = run_ranks([[rank_steps.__file__, NETWORK, batch_norms, "."]] * 2, folder)
    assert [status for status, *_ in ended] == [0, 0], ended
    return [load_file(folder / f"rank{n}.safetensors") for n in range(2)]


@pytest.mark.slow
def test_steps_are_those_of_one_process_where_batch_norms_are_frozen(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    rank_steps.run(NETWORK, "frozen", tmp_path / "one")
    single = load_file(tmp_path / "one" / "rank0.safetensors")
    ranks = steps_of_two("frozen", tmp_path / "two")
    for name in (name for name in single if name.startswith(("weights", "loss"))):
        for found in ranks:
            torch.testing.assert_close(found[name], single[name], rtol=1e-9, atol=1e-9, msg=name)
            assert torch.equal(found[name], ranks[0][name]), f"{name} differs between the processes"
    assert [int(found["told"]) for found in ranks] == [0, 0]
    draws = [tuple(found[f"draw{step}"].tolist()) for found in ranks for step in range(rank_steps.STEPS)]
    assert len(set(draws)) == len(draws), "two steps or processes drew the same numbers"


@pytest.mark.slow
def test_processes_have_equal_weights_where_each_has_batch_norms_of_its_own_rows(tmp_path: Path) -> None:
    first, second = steps_of_two("trained", tmp_path)
    for name in (name for name in first if name.startswith(("weights", "loss"))):
        assert bool(first[name].isfinite().all()), name
        assert torch.equal(first[name], second[name]), f"{name} differs between the processes"


def test_a_process_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "9")
    check_rows(9, "distill")
    with pytest.raises(InvalidArgumentError, match="distill"):
        check_rows(8, "distill")
