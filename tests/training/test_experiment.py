"""Seeds of the phases of a run."""

from __future__ import annotations

from pickclutter_lang.training.seeds import phase_seed


def test_the_first_phase_has_the_seed_of_the_run() -> None:
    assert [phase_seed(seed, 0) for seed in range(5)] == [0, 1, 2, 3, 4]


def test_no_two_phases_of_any_runs_share_a_seed() -> None:
    seeds = [phase_seed(seed, number) for seed in range(50) for number in range(4)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**32 for seed in seeds)  # what NumPy's global generator takes
