"""One training in several processes computes what one process computes, on any number of rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers import rank_steps
from helpers.ranks import run_ranks
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.parallel import check_rows


@pytest.mark.slow
def test_steps_are_those_of_one_process(tmp_path: Path) -> None:
    network, count = "efficientnet_b0", 2  # of 7 rows: one has more than the other
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


def test_a_process_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "9")
    check_rows(9, "distill")
    with pytest.raises(InvalidArgumentError, match="distill"):
        check_rows(8, "distill")
