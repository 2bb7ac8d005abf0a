"""Batches of an epoch: how often each sample comes, the steps of the paper's presets, and work ahead."""

from __future__ import annotations

import os
import signal

import pytest

from helpers.image_runs import config as image_config
from helpers.scene_runs import config as scene_config
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, WorkerError
from pickclutter_lang.training.batches import Batch, balanced_batches, prefetch_map, shuffled_batches
from pickclutter_lang.training.config import FewShotConfig
from pickclutter_lang.training.trainer import phase_seed
from pickclutter_lang.utils.validation import check_values


def fine_tuning(n_few_shot: int, n_train: int, size: int, repeats: int = 1, over: str = "few_shot") -> list[Batch]:
    config = FewShotConfig(batch_size=size, repeats=repeats, epoch_over=over)
    check_values(config, "few_shot.")
    return balanced_batches(n_train, n_few_shot, config, (0, 1, 1))


def rows(batch: Batch, source: int) -> list[int]:
    return [row for which, row in batch if which == source]


def test_batches_cover_an_epoch_and_differ_between_epochs() -> None:
    batches = shuffled_batches(26, 8, (0, 0, 1))
    assert [len(batch) for batch in batches] == [8, 8, 8]
    assert len({row for batch in batches for row in batch}) == 24
    assert batches != shuffled_batches(26, 8, (0, 0, 2))
    assert shuffled_batches(5, 8, (0,))[0].__len__() == 5


@pytest.mark.parametrize(("n_few_shot", "size", "half"), [(50, 46, 23), (1, 8, 1)])
def test_an_epoch_over_few_shot_samples_has_at_most_half_a_batch_of_them(n_few_shot: int, size: int, half: int) -> None:
    batches = fine_tuning(n_few_shot, 100, size, repeats=2)
    assert max(len(rows(batch, 1)) for batch in batches) == half
    assert {len(batch) for batch in batches} == {size}
    assert sorted(row for batch in batches for row in rows(batch, 1)) == sorted([*range(n_few_shot)] * 2)
    assert all(len(set(batch)) == len(batch) for batch in batches)
    batches = fine_tuning(n_few_shot, 100, size, repeats=2, over="training")
    assert {len(rows(batch, 1)) for batch in batches} == {half}
    assert sorted(row for batch in batches for row in rows(batch, 0)) == sorted([*range(100)] * 2)


def test_fine_tuning_needs_enough_training_scenes() -> None:
    with pytest.raises(InvalidArgumentError, match=r"few_shot\.batch_size"):
        fine_tuning(6, 30, 46)
    with pytest.raises(InvalidArgumentError, match=r"few_shot\.epoch_over"):
        fine_tuning(6, 60, 46, over="scenes")


def released_samples(n_few_shot: int, n_train: int, size: int) -> int:
    """The number of samples in an epoch of `FewShotSampler` in custom_data_loader.py of the paper's program."""
    if n_few_shot > size // 2:
        return n_train // (size // 2) * size + n_train % (size // 2) + size // 2
    return size * (n_train // (size - n_few_shot)) + n_train % (size - n_few_shot) + n_few_shot


@pytest.mark.parametrize(
    ("dataset", "n_few_shot", "n_train", "steps"),
    [
        ("flower102", 5 * 51, 3112, 980),
        ("sun397", 5 * 197, 38663, 12100),
    ],
)
def test_the_recipes_fine_tune_as_many_steps_as_the_papers_program(
    dataset: str, n_few_shot: int, n_train: int, steps: int
) -> None:
    for recipe, repeats in (("paper_resnet", 1 if dataset in ("food101", "sun397") else 5), ("paper_vit", 3)):
        chosen = image_config(f"dataset={dataset}", f"recipe={recipe}", "data.root=somewhere", "objective.cls=1")
        batches = balanced_batches(n_train, n_few_shot, chosen.few_shot, (0, 1, 1))
        assert chosen.few_shot.epochs * len(batches) == repeats * steps
        assert sum(len(batch) for batch in batches) == repeats * released_samples(n_few_shot, n_train, 128)


def test_no_two_phases_of_any_runs_share_a_seed() -> None:
    seeds = [phase_seed(seed, number) for seed in range(50) for number in range(4)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**32 for seed in seeds)  # what NumPy's global generator takes


def test_the_table_of_scenes_fine_tunes_as_many_steps_as_the_papers_program() -> None:
    tune = scene_config("experiment=table12").few_shot
    batches = balanced_batches(3000, 50, tune, (0, 1, 1))
    assert tune.epochs * len(batches) == 2620
    assert sum(len(batch) for batch in batches) == released_samples(50, 3000, 46)


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
